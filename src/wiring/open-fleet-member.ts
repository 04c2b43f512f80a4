import type { Config } from '../config/schema.ts';
import { EyelineError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { CommandError } from '../events/command.ts';
import type { GallerySyncReport } from '../events/device-state.ts';
import { actorName } from '../gallery/actor.ts';
import { openGalleryStore } from '../gallery/sqlite-gallery-store.ts';
import type { GallerySync, SyncReport } from '../gallery/sync/gallery-sync.ts';
import { type FleetMember, type JoinOptions, joinFleet } from '../gallery/sync/join-fleet.ts';
import { readBundleKeys } from '../platform/credentials.ts';

/**
 * The device's part in a fleet; null when it belongs to none.
 * Throws SYNC_NOT_CONFIGURED, SECRET_UNREADABLE, GALLERY_KEY_INVALID, BUNDLE_KEY_INVALID, GALLERY_UNREADABLE.
 */
export async function openFleetMember(
  config: Config,
  env: NodeJS.ProcessEnv,
  logger: Logger,
  options: Pick<JoinOptions, 'clock' | 'key' | 'encoder' | 'newMaster'>,
): Promise<FleetMember | null> {
  const { proxy, timeoutMs, trust, url } = config.gallery.sync;
  if (url === null) return null;
  const { file } = config.gallery;
  const { clock, key } = options;
  return joinFleet({
    ...options,
    url,
    trust,
    proxy,
    idleMs: timeoutMs,
    env,
    bodyKeys: await readBundleKeys(config, env, (message) => logger.warn({ part: 'gallery' }, message)),
    site: config.device.site,
    device: config.device.id,
    file,
    open: (create) => openGalleryStore(file, { logger, clock, create, key, actor: actorName('sync') }),
  });
}

/** Completes the reports of a sync for `tell`; while the gallery cannot be opened, with the receipt that was the newest before. */
export function reportsOf(
  member: Pick<FleetMember, 'deviceKey' | 'receipts'>,
  tell: (report: GallerySyncReport) => void,
): (report: SyncReport) => void {
  const { deviceKey } = member;
  let receipt: string | null = null;
  return (report) => {
    try {
      receipt = member.receipts().at(-1) ?? null;
    } catch (error) {
      // The report says so already.
      if (!(error instanceof EyelineError)) throw error;
    }
    tell({ ...report, deviceKey, receipt });
  };
}

/** What the MQTT command `gallery-sync` does. Rejects with NOT_AVAILABLE when the gallery was not taken over. */
export function syncCommand(sync: GallerySync): () => Promise<{ version: number }> {
  return async () => {
    const { message, state, version } = await sync.syncNow();
    if (version !== null && (state === 'current' || state === 'held')) return { version };
    throw new CommandError('NOT_AVAILABLE', `the gallery was not taken over: ${message ?? 'nothing is published'}`);
  };
}
