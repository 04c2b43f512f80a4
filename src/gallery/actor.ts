import { userInfo } from 'node:os';

/** Who changes the gallery, for its audit trail: `cli:anna`. */
export function actorName(program: 'cli' | 'daemon' | 'sync'): string {
  try {
    return `${program}:${userInfo().username}`;
  } catch {
    // A container may run under a number that no name goes with.
    return `${program}:${process.getuid?.() ?? 'unknown'}`;
  }
}
