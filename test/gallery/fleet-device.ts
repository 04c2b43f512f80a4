import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { PersonState, Tombstone } from '../../src/gallery/gallery-changes.ts';
import { folderShelf } from '../../src/gallery/master/folder-shelf.ts';
import { publish } from '../../src/gallery/master/publish.ts';
import { sqliteMaster } from '../../src/gallery/master/sqlite-master-gallery.ts';
import { rollBack } from '../../src/gallery/sync/apply-bundle.ts';
import type { BundleSource } from '../../src/gallery/sync/bundle-source.ts';
import { readFleetState } from '../../src/gallery/sync/fleet-state.ts';
import { type TakeOverOptions, takeOver } from '../../src/gallery/sync/take-over.ts';
import { httpBundleSource } from '../../src/gallery/sync/undici-bundle-source.ts';
import { StaticServer } from '../rig/static-server.ts';
import { ENCODER, type FleetKeys, fleetKeys, NOW, newSigner } from './fleet-rig.ts';
import { ManualClock, openStore, temporaryFolder } from './gallery-rig.ts';

/** A master that publishes into a folder which a web server serves. */
export async function fleet(keys: FleetKeys = fleetKeys()) {
  const root = temporaryFolder();
  const server = await StaticServer.start(root);
  onTestFinished(() => server.stop());
  const store = openStore();
  const master = sqliteMaster(store);
  const put = (people: readonly PersonState[], gone: readonly string[] = []) =>
    master.put(
      people,
      gone.map((id): Tombstone => ({ id, deletedAtMs: NOW })),
    );
  const release = async (changes: Partial<Parameters<typeof publish>[2]> = {}) => {
    const options = { site: 'lobby', keys, nowMs: NOW, validDays: 30, deltas: 3, ...changes };
    return publish(master, folderShelf(root), options);
  };
  return { root, server, keys, master, put, release };
}

/** A device with a gallery of its own that takes bundles from `url`. */
export function device(
  keys: FleetKeys,
  url: string,
  changes: Partial<TakeOverOptions> = {},
  source: BundleSource = sourceAt(url),
) {
  const folder = temporaryFolder();
  const file = join(folder, 'gallery.sqlite');
  const clock = new ManualClock(NOW);
  const store = openStore(file, clock);
  const options: TakeOverOptions = {
    gallery: store,
    source,
    trust: keys.trust,
    site: 'lobby',
    device: 'door',
    deviceKey: newSigner(),
    encoder: ENCODER,
    folder: join(folder, 'sync'),
    clock,
    ...changes,
  };
  const ids = () => store.listPeople().map(({ id }) => id);
  const take = (text: string, more: Partial<TakeOverOptions> = {}, signal = new AbortController().signal) =>
    takeOver(text, { ...options, ...more }, signal);
  const sync = async (more: Partial<TakeOverOptions> = {}) => {
    const found = await source.announcement(null, new AbortController().signal);
    return take(found?.text ?? '', more);
  };
  const back = (more: { site?: string } = {}) => {
    const { bodyKeys } = keys.trust;
    return rollBack({ ...options, ...more, bodyKey: keys.body, bodyKeys, nowMs: clock.now() });
  };
  const state = () => readFleetState((key) => store.state(key));
  const takeOverAsIs = (text: string, signal: AbortSignal) => take(text, {}, signal);
  return { folder, file, store, clock, options, source, ids, take, takeOver: takeOverAsIs, sync, back, state };
}

function sourceAt(url: string): BundleSource {
  const source = httpBundleSource({ url, site: 'lobby', proxy: null, env: {}, idleMs: 5000, wholeMs: 60_000 });
  onTestFinished(() => source.close().catch(() => {}));
  return source;
}
