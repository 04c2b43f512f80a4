import { access, constants, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import Config from '@npmcli/config';
import keys from '@npmcli/config/lib/definitions/index.js';

/**
 * The npm configuration of whoever runs the program, as npm itself reads it: `npm_config_*` variables, the project's,
 * the user's and the machine's npmrc. Registry, proxy, CA file and tokens come from there.
 *
 * @param env taken instead of the process's own environment
 * @param scratchDir taken as npm's cache when its own cannot be written, as under a hardened service
 */
export async function readNpmConfig(
  env: NodeJS.ProcessEnv | undefined,
  scratchDir: string,
): Promise<Record<string, unknown>> {
  // npm's own folder holds a distributor's npmrc; next to Node is where it is installed.
  const npmPath = join(dirname(process.execPath), '..', 'lib', 'node_modules', 'npm');
  const config = new Config({ ...keys, npmPath, ...(env && { env }), argv: [], warn: false });
  await config.load();
  const { cache } = config.flat;
  const usable = typeof cache === 'string' && (await isWritable(cache));
  return { ...config.flat, cache: usable ? cache : join(scratchDir, 'npm-cache') };
}

async function isWritable(dir: string): Promise<boolean> {
  try {
    await mkdir(dir, { recursive: true });
    await access(dir, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
