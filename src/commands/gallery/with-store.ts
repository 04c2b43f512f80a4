import { loadConfig } from '../../config/load.ts';
import type { Config } from '../../config/schema.ts';
import { systemClock } from '../../core/clock.ts';
import { type Logger, silentLogger } from '../../core/logger.ts';
import { actorName } from '../../gallery/actor.ts';
import { openGalleryStore, type SqliteGalleryStore } from '../../gallery/sqlite-gallery-store.ts';
import { readGalleryKey } from '../../platform/credentials.ts';
import type { CommandContext } from '../command.ts';

export interface GalleryOptions {
  readonly config?: string;
  readonly json?: boolean;
}

/** What a command on the gallery has besides it. */
export interface Around {
  readonly config: Config;
  /** Prints warnings, and nothing else. */
  readonly logger: Logger;
}

/** Runs `work` on the configured gallery, which must exist unless `create` is true, and closes it. */
export async function withStore(
  { config: file }: GalleryOptions,
  context: CommandContext,
  work: (store: SqliteGalleryStore, around: Around) => void | Promise<void>,
  create = false,
): Promise<void> {
  const { config } = await loadConfig({ ...(file ? { file } : {}), env: context.env });
  const logger: Logger = { ...silentLogger, warn: (_, message) => context.warn(message) };
  const key = await readGalleryKey(config, context.env, context.warn);
  const actor = actorName('cli');
  const store = openGalleryStore(config.gallery.file, { logger, clock: systemClock, create, key, actor });
  try {
    await work(store, { config, logger });
  } finally {
    store.close();
  }
}
