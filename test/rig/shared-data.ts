import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Folder of the public data sets beside the repository; see CONTRIBUTING.md. */
const SHARED = fileURLToPath(new URL('../../../shared/data/', import.meta.url));

/** Path of a shared data set's file or folder, or null where it is not there: what needs it is skipped, and its title says so. */
export function sharedData(path: string): string | null {
  const file = `${SHARED}${path}`;
  return existsSync(file) ? file : null;
}
