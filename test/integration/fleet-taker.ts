import { join } from 'node:path';
import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { openGalleryStore } from '../../src/gallery/sqlite-gallery-store.ts';
import { joinFleet } from '../../src/gallery/sync/join-fleet.ts';

/** A device that takes the newest version over once, to be killed while it does: FOLDER URL TRUST KEY. */
const [folder = '', url = '', trust = '', key = ''] = process.argv.slice(2);
const file = join(folder, 'gallery.sqlite');
const member = joinFleet({
  url,
  site: 'lobby',
  device: 'door',
  trust: [trust],
  bodyKeys: [Buffer.from(key, 'hex')],
  proxy: null,
  idleMs: 10_000,
  env: {},
  file,
  open: (create) => openGalleryStore(file, { logger: silentLogger, clock: systemClock, create }),
  encoder: null,
  clock: systemClock,
});
process.send?.('ready');
const { signal } = new AbortController();
const found = await member.source.announcement(null, signal);
await member.takeOver(found?.text ?? '', signal);
process.send?.('taken');
process.disconnect?.();
await member.source.close();
