import { existsSync } from 'node:fs';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { systemClock } from '../core/clock.ts';
import { type Logger, silentLogger } from '../core/logger.ts';
import { actorName } from '../gallery/actor.ts';
import { openGalleryStore, type SqliteGalleryStore } from '../gallery/sqlite-gallery-store.ts';
import { openVisitorStore, type SqliteVisitorStore } from '../gallery/sqlite-visitor-store.ts';
import { readGalleryKey } from '../platform/credentials.ts';
import { visitorLimits } from '../wiring/open-visitors.ts';
import type { CommandContext } from './command.ts';

/** What a command on what is stored works with. */
export interface Configured {
  readonly config: Config;
  /** Prints warnings, and nothing else. */
  readonly logger: Logger;
  /** The gallery's key, where it is configured. */
  readonly key: Uint8Array | undefined;
}

/** @throws EyelineError what {@link loadConfig} throws; SECRET_UNREADABLE, GALLERY_KEY_INVALID */
export async function loadConfigured(
  { config: file }: { readonly config?: string },
  { env, warn }: CommandContext,
): Promise<Configured> {
  const { config } = await loadConfig({ ...(file ? { file } : {}), env });
  const logger: Logger = { ...silentLogger, warn: (_, message) => warn(message) };
  return { config, logger, key: await readGalleryKey(config, env, warn) };
}

/** @param create whether a missing gallery is made */
export function openGallery({ config, logger, key }: Configured, create: boolean): SqliteGalleryStore {
  return openGalleryStore(config.gallery.file, { logger, clock: systemClock, create, key, actor: actorName('cli') });
}

/** Runs `work` on the configured file of visitors, which must exist, and closes it. */
export async function withVisitors(
  options: { readonly config?: string },
  context: CommandContext,
  work: (store: SqliteVisitorStore, configured: Configured) => void,
): Promise<void> {
  const configured = await loadConfigured(options, context);
  const store = openVisitors(configured);
  try {
    work(store, configured);
  } finally {
    store.close();
  }
}

/**
 * Runs `remove`, which gives the ids of the people it removes from the gallery, and erases what the file of visitors keeps of
 * them. That file is opened first: when it cannot be used nobody is removed, so that the command can be given again.
 */
export function eraseWithVisitors(configured: Configured, remove: () => readonly string[]): void {
  const visitors = existsSync(configured.config.visitors.file) ? openVisitors(configured) : null;
  try {
    const removed = remove();
    if (removed.length > 0) visitors?.erasePeople(removed);
  } finally {
    visitors?.close();
  }
}

/**
 * Runs `rotate`, which puts the gallery under another key where one is given; what the file of visitors keeps is put under it too, or
 * neither is.
 */
export function rotateWithVisitors<T>(configured: Configured, key: Uint8Array | undefined, rotate: () => T): T {
  if (!key || !existsSync(configured.config.visitors.file)) return rotate();
  const visitors = openVisitors(configured);
  try {
    return visitors.rekey(key, rotate);
  } finally {
    visitors.close();
  }
}

function openVisitors({ config, logger, key }: Configured): SqliteVisitorStore {
  const limits = visitorLimits(config.visitors);
  return openVisitorStore(config.visitors.file, { logger, clock: systemClock, limits, create: false, key });
}
