import { readFileSync } from 'node:fs';

/** Folder of the package: the one that holds package.json, seen from src/platform/ as from dist/platform/. */
const PACKAGE_ROOT = new URL('../../', import.meta.url);

/** Version of the program, from its package.json. */
export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('package.json', PACKAGE_ROOT), 'utf8')) as { version: string };
  return version;
}
