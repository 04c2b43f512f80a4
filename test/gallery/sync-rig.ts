import { onTestFinished } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { GallerySync, type GallerySyncOptions, type SyncReport } from '../../src/gallery/sync/gallery-sync.ts';
import { keepingLogger } from './gallery-rig.ts';

const HOUR_MS = 3_600_000;

/** The sync of a device that asks when it is told to, and tries again at once; `until` waits for a report. */
export function syncOf(
  device: Pick<GallerySyncOptions, 'source' | 'takeOver' | 'state'> & Partial<Pick<GallerySyncOptions, 'onReport'>>,
) {
  const logger = keepingLogger();
  const reports: SyncReport[] = [];
  const waiting: { wanted: (report: SyncReport) => boolean; done: (report: SyncReport) => void }[] = [];
  const sync = new GallerySync({
    source: device.source,
    takeOver: device.takeOver,
    state: device.state,
    pollMs: HOUR_MS,
    spreadMs: 0,
    retry: { firstDelayMs: 10, maxDelayMs: 10, factor: 1, jitter: 0 },
    clock: systemClock,
    random: () => 0,
    logger,
    onReport: (report) => {
      reports.push(report);
      for (const { wanted, done } of waiting) if (wanted(report)) done(report);
      device.onReport?.(report);
    },
  });
  const until = (wanted: (report: SyncReport) => boolean) => {
    const last = reports.at(-1);
    if (last && wanted(last)) return Promise.resolve(last);
    return new Promise<SyncReport>((done) => waiting.push({ wanted, done }));
  };
  onTestFinished(() => sync.stop());
  return { sync, logger, reports, until };
}
