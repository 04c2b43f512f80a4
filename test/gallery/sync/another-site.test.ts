import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { readTrustedKeys } from '../../../src/gallery/bundle/bundle-keys.ts';
import { setSites } from '../../../src/gallery/master/publish.ts';
import { undoFile } from '../../../src/gallery/sync/apply-bundle.ts';
import { readReceipt, readReceipts, receiptName } from '../../../src/gallery/sync/receipt.ts';
import { device, fleet } from '../fleet-device.ts';
import { NOW, person } from '../fleet-rig.ts';

const LOBBY = { site: 'lobby' };
const HARBOUR = { site: 'harbour' };

/** A device of the lobby at version 3, with Anna and Ben; Ben and Carl are of the harbour, which has one version. */
async function moved() {
  const world = await fleet();
  const { keys, master, put, release, server } = world;
  const door = device(keys, server.url);
  await setSites(master, 'anna', ['lobby']);
  await setSites(master, 'carl', ['harbour']);
  const lobby: string[] = [];
  for (const along of [1, 2, 3]) {
    await put([person('anna', along), person('ben', 4)]);
    lobby.push((await release(LOBBY)).announcement);
    await door.sync();
  }
  await put([person('carl', 5)]);
  const harbour = (await release(HARBOUR)).announcement;
  return { ...world, door, lobby, harbour };
}

it('takes the newest version of its new site over, whatever number it has', async () => {
  const { door, harbour } = await moved();
  const before = door.state();
  expect(door.ids()).toEqual(['anna', 'ben']);
  const taken = await door.take(harbour, HARBOUR);
  expect(taken).toMatchObject({ outcome: 'taken', state: { ...HARBOUR, version: 1, floor: 1, undo: null } });
  expect(door.ids()).toEqual(['ben', 'carl']);
  expect(existsSync(undoFile(door.options.folder, before?.undo?.sha256 ?? ''))).toBe(false);
  const receipt = readReceipts(door.store.state('fleet.receipts')).at(-1) ?? '';
  const devices = readTrustedKeys([door.options.deviceKey.publicKey]);
  expect(readReceipt(receipt, devices)).toMatchObject({
    ...HARBOUR,
    version: 1,
    people: [receiptName(taken.state.stream, 'anna')],
  });
  expect(await door.take(harbour, HARBOUR)).toMatchObject({ outcome: 'current' });
});

it('takes the version over that has the number of the one it had', async () => {
  const { door, put, release } = await moved();
  await put([person('carl', 6)]);
  await release(HARBOUR);
  await put([person('carl', 7)]);
  const { announcement, version } = await release(HARBOUR);
  expect(version).toBe(3);
  expect(await door.take(announcement, HARBOUR)).toMatchObject({ outcome: 'taken', state: { ...HARBOUR, version: 3 } });
  expect(door.ids()).toEqual(['ben', 'carl']);
});

it('goes back to no version of its old site', async () => {
  const { door, harbour } = await moved();
  await expect(door.back(HARBOUR)).rejects.toMatchObject({ code: 'ROLLBACK_UNAVAILABLE' });
  expect(door.ids()).toEqual(['anna', 'ben']);
  await door.take(harbour, HARBOUR);
  await expect(door.back(HARBOUR)).rejects.toMatchObject({ code: 'ROLLBACK_UNAVAILABLE' });
});

it('goes back within its new site, and on from there', async () => {
  const { door, harbour, put, release } = await moved();
  await door.take(harbour, HARBOUR);
  await put([person('dora', 6)]);
  const { announcement } = await release(HARBOUR);
  await door.take(announcement, HARBOUR);
  expect(await door.back(HARBOUR)).toMatchObject({ state: { ...HARBOUR, version: 1, floor: 2 } });
  expect(door.ids()).toEqual(['ben', 'carl']);
  expect(await door.take(announcement, HARBOUR)).toMatchObject({ outcome: 'held' });
});

it('takes nothing of its old site, however new', async () => {
  const { door, harbour, lobby, put, release } = await moved();
  await expect(door.take(lobby[2] ?? '', HARBOUR)).rejects.toMatchObject({ code: 'BUNDLE_WRONG_GALLERY' });
  await door.take(harbour, HARBOUR);
  await put([person('anna', 6)]);
  const { announcement } = await release(LOBBY);
  await expect(door.take(announcement, HARBOUR)).rejects.toMatchObject({ code: 'BUNDLE_WRONG_GALLERY' });
  expect(door.ids()).toEqual(['ben', 'carl']);
});

it('that comes back is offered no older version than it had there', async () => {
  const { door, harbour, lobby } = await moved();
  await door.take(harbour, HARBOUR);
  for (const older of lobby.slice(0, 2)) {
    await expect(door.take(older)).rejects.toMatchObject({ code: 'BUNDLE_REPLAYED' });
  }
  expect(await door.take(lobby[2] ?? '')).toMatchObject({
    outcome: 'taken',
    state: { ...LOBBY, version: 3, floor: 3 },
  });
  expect(door.ids()).toEqual(['anna', 'ben']);
  // And there again.
  expect(await door.take(harbour, HARBOUR)).toMatchObject({ outcome: 'taken', state: { ...HARBOUR, version: 1 } });
});

it('that comes back does not take the version again that was rolled back there', async () => {
  const { door, harbour, lobby, put, release } = await moved();
  await door.back();
  await door.take(harbour, HARBOUR);
  await expect(door.take(lobby[2] ?? '')).rejects.toMatchObject({ code: 'BUNDLE_REPLAYED' });
  await put([person('emil', 6)]);
  const { announcement } = await release(LOBBY);
  expect(await door.take(announcement)).toMatchObject({ outcome: 'taken', state: { ...LOBBY, version: 4 } });
});

it('still refuses another master, and an old version of its new site that has expired', async () => {
  const { door, harbour, keys } = await moved();
  const other = await fleet(keys);
  await other.put([person('zoe')]);
  const { announcement } = await other.release(HARBOUR);
  await expect(door.take(announcement, HARBOUR)).rejects.toMatchObject({ code: 'BUNDLE_WRONG_GALLERY' });
  door.clock.nowMs = NOW + 31 * 86_400_000;
  await expect(door.take(harbour, HARBOUR)).rejects.toMatchObject({ code: 'BUNDLE_NOT_VALID_NOW' });
  expect(door.ids()).toEqual(['anna', 'ben']);
});

it('knows a gallery of before there were floors of other sites', async () => {
  const { door, harbour } = await moved();
  const { otherFloors: _, ...state } = JSON.parse(door.store.state('fleet') ?? '');
  door.store.swapState('fleet', door.store.state('fleet'), JSON.stringify(state));
  expect(await door.take(harbour, HARBOUR)).toMatchObject({ outcome: 'taken', state: { version: 1 } });
});
