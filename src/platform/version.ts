import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** Folder of the package: the one that holds package.json, seen from src/platform/ as from dist/platform/. */
const PACKAGE_ROOT = new URL('../../', import.meta.url);

/** Version of the program, from its package.json. */
export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('package.json', PACKAGE_ROOT), 'utf8')) as { version: string };
  return version;
}

/**
 * The Git revision the package is checked out at, wherever it is run; null for one that is no repository itself, as when it was installed.
 *
 * @param root folder of the package
 */
export async function packageRevision(root: URL = PACKAGE_ROOT): Promise<string | null> {
  // Named, Git looks for no other: neither in the folders around, nor by the variables of a hook this may run in.
  const repository = fileURLToPath(new URL('.git', root));
  try {
    const asked = ['--git-dir', repository, 'rev-parse', '--short=12', 'HEAD'];
    const { stdout } = await promisify(execFile)('git', asked);
    return stdout.trim();
  } catch {
    return null;
  }
}
