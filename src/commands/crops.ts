import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { loadConfig } from '../config/load.ts';
import { EyelineError, messageOf, systemCodeOf } from '../core/errors.ts';
import { readCropKey } from '../platform/credentials.ts';
import { openCrop } from '../privacy/sealed-crop.ts';
import type { RegisterCommand } from './command.ts';

/** `eyeline crops export DIR`: the face crops that are kept, decrypted. */
export const registerCrops: RegisterCommand = (program, context) => {
  program
    .command('crops')
    .description('Face crops of events, where they are kept (privacy.crops).')
    .command('export')
    .description('Decrypts the face crops into a folder, as JPEG files.')
    .argument('<dir>', 'folder to write to')
    .option('-c, --config <file>', 'configuration file')
    .action(async (dir: string, { config: file }: { config?: string }) => {
      const { config } = await loadConfig({ ...(file ? { file } : {}), env: context.env });
      const { folder } = config.privacy.crops;
      const key = await readCropKey(config, context.env, context.warn);
      if (folder === null || key === null) throw new EyelineError('USAGE', 'privacy.crops.folder is not configured');
      const names = (await unlessGone(readdir(folder, { recursive: true }), folder)) ?? [];
      let written = 0;
      for (const name of names.filter((it) => it.endsWith('.crop')).sort()) {
        const sealed = await unlessGone(readFile(join(folder, name)), join(folder, name));
        if (sealed === null) continue;
        const jpeg = openCrop(sealed, name, key);
        if (jpeg === null) {
          context.warn(`${name} cannot be opened: another key, or it was changed`);
          context.exitWith(1);
          continue;
        }
        const target = join(dir, name.replace(/\.crop$/, '.jpg'));
        try {
          await mkdir(dirname(target), { recursive: true, mode: 0o700 });
          await writeFile(target, jpeg, { mode: 0o600 });
        } catch (error) {
          throw new EyelineError('OUTPUT_UNWRITABLE', `${target}: ${messageOf(error)}`, { cause: error });
        }
        written++;
      }
      context.print(`${written} pictures written to ${dir}`);
    });
};

/** What was read; null when it is not there: nothing was kept yet, or the daemon has deleted it since. Throws USAGE for anything else. */
async function unlessGone<T>(reading: Promise<T>, path: string): Promise<T | null> {
  try {
    return await reading;
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return null;
    throw new EyelineError('USAGE', `${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
