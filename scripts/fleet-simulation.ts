/**
 * A fleet on one machine: simulated devices that check and take versions over as real ones do (their galleries in memory), one
 * mosquitto, one web server. Prints JSON.
 *
 *   node --import tsx scripts/fleet-simulation.ts [devices] [people]
 */
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import mqtt, { type MqttClient } from 'mqtt';
import { systemClock } from '../src/core/clock.ts';
import { silentLogger } from '../src/core/logger.ts';
import { announcementTopic } from '../src/events/topics.ts';
import { bodyKeyId, generateSigningKey, readSigningKey, readTrustedKeys } from '../src/gallery/bundle/bundle-keys.ts';
import type { GalleryBatch, PersonState, Tombstone } from '../src/gallery/gallery-changes.ts';
import { folderShelf } from '../src/gallery/master/folder-shelf.ts';
import type { MasterGallery } from '../src/gallery/master/master-gallery.ts';
import { publish } from '../src/gallery/master/publish.ts';
import type { FleetGallery } from '../src/gallery/sync/apply-bundle.ts';
import { readFleetState } from '../src/gallery/sync/fleet-state.ts';
import { GallerySync } from '../src/gallery/sync/gallery-sync.ts';
import { takeOver } from '../src/gallery/sync/take-over.ts';
import { httpBundleSource } from '../src/gallery/sync/undici-bundle-source.ts';
import { Mosquitto } from '../test/rig/mosquitto.ts';
import { StaticServer } from '../test/rig/static-server.ts';

const SITE = 'sim';
const DIMENSION = 512;
const DROPPED = 0.1;
const CONNECT_AT_ONCE = 50;

class MemoryGallery implements FleetGallery {
  readonly people = new Map<string, PersonState>();
  readonly #facts = new Map<string, string>();
  state(key: string): string | null {
    return this.#facts.get(key) ?? null;
  }
  personState(id: string): PersonState | null {
    return this.people.get(id) ?? null;
  }
  applyBatch(batch: GalleryBatch): void {
    const all = [...batch.people];
    if (batch.complete) this.people.clear();
    for (const { id } of batch.tombstones) this.people.delete(id);
    for (const it of all) this.people.set(it.id, it);
    for (const [key, value] of Object.entries(batch.state ?? {})) if (value !== null) this.#facts.set(key, value);
  }
}

function memoryMaster(people: Map<string, PersonState>): MasterGallery {
  const facts = new Map<string, string>();
  const gone: Tombstone[] = [];
  return {
    async *everybody() {
      yield* [...people.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    },
    tombstones: async () => gone,
    put: async () => {},
    fact: async (key) => facts.get(key) ?? null,
    swapFact: async (key, before, after) => {
      if ((facts.get(key) ?? null) !== before) return false;
      facts.set(key, after);
      return true;
    },
    close: async () => {},
  };
}

function idOf(index: number): string {
  return `p${String(index).padStart(6, '0')}`;
}

function somebody(index: number): PersonState {
  const embedding = Float32Array.from({ length: DIMENSION }, () => Math.random() - 0.5);
  const norm = Math.hypot(...embedding);
  const template = {
    encoder: 'sim-encoder',
    part: 'full' as const,
    quality: 0.9,
    mask: null,
    sourceFile: '',
    pictureSha256: randomBytes(32).toString('hex'),
    embedding: embedding.map((it) => it / norm),
  };
  const id = idOf(index);
  return {
    id,
    name: id,
    createdAtMs: 0,
    consentAtMs: null,
    consentNote: null,
    retainUntilMs: null,
    templates: [template],
  };
}

/** Everybody and what they were enrolled from: the same for two galleries that hold the same. */
function picturesOf(people: ReadonlyMap<string, PersonState>): string {
  const lines = [...people.values()].map(({ id, templates }) =>
    [id, ...templates.map((it) => it.pictureSha256)].join(),
  );
  return lines.sort().join('\n');
}

async function simulate(count: number, size: number): Promise<object> {
  const folder = await mkdtemp(join(tmpdir(), 'eyeline-sim-'));
  const broker = await Mosquitto.start();
  const web = fork(fileURLToPath(import.meta.url), ['--serve', join(folder, 'www')], { execArgv: ['--import', 'tsx'] });
  const [url] = (await once(web, 'message')) as [string];
  const signing = readSigningKey(generateSigningKey().pem, 'key');
  const body = randomBytes(32);
  const keys = { signing, body };
  const trust = {
    signers: readTrustedKeys([signing.publicKey]),
    bodyKeys: new Map([[bodyKeyId(body), body as Uint8Array]]),
  };
  const people = new Map(Array.from({ length: size }, (_, i) => [idOf(i), somebody(i)]));
  const master = memoryMaster(people);
  const release = () =>
    publish(master, folderShelf(join(folder, 'www')), {
      site: SITE,
      keys,
      nowMs: Date.now(),
      validDays: 30,
      deltas: 5,
    });
  const topic = announcementTopic('eyeline', SITE);
  const versions = new Map<number, number>();
  const waiting: { version: number; done: () => void }[] = [];
  const devices = Array.from({ length: count }, (_, index) => {
    const gallery = new MemoryGallery();
    const device = `d${index}`;
    const source = httpBundleSource({ url, site: SITE, proxy: null, env: {}, idleMs: 60_000, wholeMs: 600_000 });
    const options = {
      gallery,
      source,
      trust,
      site: SITE,
      device,
      deviceKey: signing,
      encoder: 'sim-encoder',
      folder: join(folder, device),
      clock: systemClock,
    };
    const sync = new GallerySync({
      source: { announcement: async () => null, close: () => source.close() },
      takeOver: (text, signal) => takeOver(text, options, signal),
      state: () => readFleetState((key) => gallery.state(key)),
      pollMs: 3_600_000,
      spreadMs: 2000,
      retry: { firstDelayMs: 1000, maxDelayMs: 10_000, factor: 2, jitter: 0.5 },
      clock: systemClock,
      random: Math.random,
      logger: silentLogger,
      onReport: ({ version }) => {
        versions.set(index, version ?? 0);
        for (const it of waiting)
          if (versions.size === count && [...versions.values()].every((v) => v >= it.version)) it.done();
      },
    });
    return { gallery, sync, client: null as MqttClient | null };
  });
  const connect = async (it: (typeof devices)[number]) => {
    it.client = await mqtt.connectAsync(broker.url, { protocolVersion: 5, reconnectPeriod: 1000 });
    it.client.on('message', (_, payload) => it.sync.announce(payload.toString()));
    await it.client.subscribeAsync(topic, { qos: 1 });
  };
  const all = (version: number) => new Promise<void>((done) => waiting.push({ version, done }));
  for (let i = 0; i < count; i += CONNECT_AT_ONCE)
    await Promise.all(devices.slice(i, i + CONNECT_AT_ONCE).map(connect));
  for (const { sync } of devices) sync.start();
  const announcer = await mqtt.connectAsync(broker.url, { protocolVersion: 5 });
  const announce = async (text: string) => {
    await announcer.publishAsync(topic, text, { qos: 1, retain: true });
  };
  const timed = async (work: () => Promise<void>) => {
    const start = performance.now();
    await work();
    return Math.round(performance.now() - start);
  };
  const first = await release();
  const fullMs = await timed(async () => {
    const done = all(1);
    await announce(first.announcement);
    await done;
  });
  // One in ten is away while the next version is announced, and comes back later.
  const away = devices.slice(0, Math.round(count * DROPPED));
  await Promise.all(away.map((it) => it.client?.endAsync(true)));
  for (let i = 0; i < 5; i++) people.set(idOf(i), somebody(i));
  people.delete(idOf(size - 1));
  const second = await release();
  const deltaMs = await timed(async () => {
    const done = all(2);
    await announce(second.announcement);
    await delay(3000);
    await Promise.all(away.map(connect));
    await done;
  });
  const [full, delta] = [second.bundles[0], second.bundles.find((it) => it.from?.version === 1)];
  const meant = picturesOf(people);
  const right = devices.filter(({ gallery }) => picturesOf(gallery.people) === meant).length;
  web.send('count');
  const [bytesServed] = (await once(web, 'message')) as [number];
  await announcer.endAsync();
  await Promise.all(
    devices.map(async ({ client, sync }) => {
      await client?.endAsync(true);
      await sync.stop();
    }),
  );
  web.kill();
  await broker.stop();
  await rm(folder, { recursive: true, force: true });
  return {
    devices: count,
    people: size,
    fullBytes: full?.bytes,
    deltaBytes: delta?.bytes,
    announcementBytes: second.announcement.length,
    allAtVersion1Ms: fullMs,
    allAtVersion2Ms: deltaMs,
    away: away.length,
    rightAtTheEnd: right,
    bytesServed,
  };
}

if (process.argv[2] === '--serve') {
  const server = await StaticServer.start(process.argv[3] ?? '');
  process.on('message', () => process.send?.(server.requests.reduce((sum, { bytes }) => sum + bytes, 0)));
  process.send?.(server.url);
} else {
  console.log(JSON.stringify(await simulate(Number(process.argv[2] ?? 1000), Number(process.argv[3] ?? 100)), null, 2));
}
