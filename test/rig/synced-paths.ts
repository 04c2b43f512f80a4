import { open, readlink } from 'node:fs/promises';
import { relative } from 'node:path';
import { onTestFinished, vi } from 'vitest';

/**
 * What a test has put on the disk from now on, in order, by the path it had then, below a folder (Linux: asks /proc).
 *
 * @param onSync called with each path before it is synced
 */
export async function syncedPaths(folder: string, onSync?: (path: string) => Promise<void>): Promise<string[]> {
  const probe = await open(folder);
  const handles = Object.getPrototypeOf(probe) as typeof probe;
  await probe.close();
  const { sync } = handles;
  const synced: string[] = [];
  const spy = vi.spyOn(handles, 'sync').mockImplementation(async function (this: typeof probe) {
    const path = relative(folder, await readlink(`/proc/self/fd/${this.fd}`));
    synced.push(path);
    await onSync?.(path);
    return sync.call(this);
  });
  onTestFinished(() => spy.mockRestore());
  return synced;
}
