import type { Command } from 'commander';
import type { Config } from '../../config/schema.ts';
import { defaultKeyFile, keyOfFile } from '../../gallery/gallery-key.ts';
import type { MasterGallery } from '../../gallery/master/master-gallery.ts';
import { openPostgresMaster } from '../../gallery/master/postgres-master-gallery.ts';
import { sqliteMaster } from '../../gallery/master/sqlite-master-gallery.ts';
import type { CommandContext } from '../command.ts';
import { loadConfigured, openGallery } from '../configured.ts';
import type { GalleryOptions } from './with-store.ts';

export interface MasterOptions extends GalleryOptions {
  readonly master?: string;
}

/** The command with the options that name a master gallery. */
export function master(command: Command): Command {
  return command
    .option('--master <url>', 'postgres://host/database instead of the gallery file of the configuration')
    .option('-c, --config <file>', 'configuration file')
    .option('--json', 'print the result as JSON');
}

/** Runs `work` on the master gallery, a PostgreSQL one or the configured file, which must exist, and closes it. */
export async function withMaster(
  options: MasterOptions,
  context: CommandContext,
  work: (master: MasterGallery, config: Config) => Promise<void>,
): Promise<void> {
  const { master: url } = options;
  const configured = await loadConfigured(options, context);
  const { config, key } = configured;
  const from =
    url === undefined
      ? sqliteMaster(openGallery(configured, false))
      : await openPostgresMaster(url, key ?? keyOfFile(defaultKeyFile(config.gallery.file), true, context.warn));
  try {
    await work(from, config);
  } finally {
    await from.close();
  }
}
