import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { stringify } from 'yaml';
import { parseConfig } from '../../src/config/load.ts';
import { silentLogger } from '../../src/core/logger.ts';
import type { GallerySyncReport } from '../../src/events/device-state.ts';
import { openGalleryStore } from '../../src/gallery/sqlite-gallery-store.ts';
import { openFleetMember, reportsOf } from '../../src/wiring/open-fleet-member.ts';
import { fleet } from '../gallery/fleet-device.ts';
import { ENCODER, NOW, person } from '../gallery/fleet-rig.ts';
import { ManualClock, temporaryFolder } from '../gallery/gallery-rig.ts';
import { syncOf } from '../gallery/sync-rig.ts';

/** A fleet that has published Anna and Ben for the lobby, and a folder for a device. */
async function world() {
  const it = await fleet();
  await it.put([person('anna', 1), person('ben', 2)]);
  await it.release();
  const folder = temporaryFolder();
  const file = join(folder, 'gallery.sqlite');
  writeFileSync(join(folder, 'bundle.key'), Buffer.from(it.keys.body).toString('hex'), { mode: 0o600 });
  const clock = new ManualClock(NOW);
  const ids = () => {
    const store = openGalleryStore(file, { logger: silentLogger, clock, create: false });
    const people = store.listPeople().map(({ id }) => id);
    store.close();
    return people;
  };
  return { ...it, folder, file, clock, ids };
}

/** The sync of a device configured for that site: the gallery is opened for each use, as the daemon does. */
async function configured({ clock, file, folder, keys, server }: Awaited<ReturnType<typeof world>>, site: string) {
  const sync = { url: server.url, trust: [keys.signing.publicKey], keys: [{ file: join(folder, 'bundle.key') }] };
  const text = stringify({ device: { id: 'door', site }, gallery: { file, sync } });
  const { config } = parseConfig(text, { source: 'the test', env: {} });
  const member = await openFleetMember(config, {}, silentLogger, { clock, key: undefined, encoder: ENCODER });
  if (!member) throw new Error('the device belongs to a fleet');
  const told: GallerySyncReport[] = [];
  return { ...syncOf({ ...member, onReport: reportsOf(member, (report) => told.push(report)) }), told };
}

/** A device that runs version 1 of the lobby. */
async function running() {
  const it = await world();
  const device = await configured(it, 'lobby');
  device.sync.start();
  await device.until(({ state, version }) => state === 'current' && version === 1);
  return { ...it, ...device };
}

const NO_DATABASE = 'no database '.repeat(1000);

it.each([
  ['file is missing', 'GALLERY_UNREADABLE', 'gallery.sqlite', () => {}],
  ['file cannot be opened', 'GALLERY_UNREADABLE', 'gallery.sqlite', (file: string) => mkdirSync(file)],
  ['file is damaged', 'GALLERY_UNREADABLE', 'gallery.sqlite', (file: string) => writeFileSync(file, NO_DATABASE)],
  ['file is empty', 'GALLERY_UNREADABLE', 'gallery.sqlite', (file: string) => writeFileSync(file, '')],
  ['key is missing', 'GALLERY_KEY_INVALID', 'gallery.key', () => {}],
])('a sync goes on when the %s, and takes the gallery up again', async (_, code, name, putThere) => {
  const { sync, folder, ids, logger, put, release, told } = await running();
  await put([], ['ben']);
  await release();
  expect(await sync.syncNow()).toMatchObject({ state: 'current', version: 2 });
  const { receipt } = told.at(-1) ?? {};
  expect(receipt).toContain('payload');

  const file = join(folder, name);
  renameSync(file, `${file}.away`);
  putThere(file);
  for (let round = 0; round < 3; round++) {
    expect(await sync.syncNow()).toMatchObject({ state: 'refused', code, version: 2, syncedAtMs: NOW });
  }
  expect(told.at(-1)).toMatchObject({ state: 'refused', code, version: 2, receipt });
  const warnings = logger.lines.filter(({ fields }) => fields.code === code);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]?.message).toMatch(/^gallery sync: .*; version 2 stays$/);

  rmSync(file, { recursive: true, force: true });
  renameSync(`${file}.away`, file);
  expect(await sync.syncNow()).toMatchObject({ state: 'current', version: 2, code: null });
  expect(ids()).toEqual(['anna']);
});

it('makes no new gallery in place of one that is gone', async () => {
  const { sync, file } = await running();
  renameSync(file, `${file}.away`);
  await sync.syncNow();
  expect(existsSync(file)).toBe(false);
});

it('takes the newest version over again when an older gallery was put back', async () => {
  const { sync, file, ids, put, release } = await running();
  copyFileSync(file, `${file}.backup`);
  await put([person('carl', 3)], ['ben']);
  await release();
  expect(await sync.syncNow()).toMatchObject({ state: 'current', version: 2 });
  copyFileSync(`${file}.backup`, file);
  expect(ids()).toEqual(['anna', 'ben']);
  expect(await sync.syncNow()).toMatchObject({ state: 'current', version: 2 });
  expect(ids()).toEqual(['anna', 'carl']);
});

it('takes the version of its new site over when the device was moved', async () => {
  const { sync, ids, put, release, ...it } = await running();
  await put([person('carl', 3)], ['anna']);
  await release();
  expect(await sync.syncNow()).toMatchObject({ state: 'current', version: 2 });
  await sync.stop();
  await release({ site: 'harbour' });
  const moved = await configured({ ids, put, release, ...it }, 'harbour');
  moved.sync.start();
  await moved.until(({ state, version }) => state === 'current' && version === 1);
  // What runs of the old site is not the newest version of the new one.
  expect(moved.reports[0]).toMatchObject({ state: 'never', version: null });
  expect(ids()).toEqual(['ben', 'carl']);
});
