import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { silentLogger } from '../../src/core/logger.ts';
import { type DeniableFace, type Denial, deniedPeople } from '../../src/gallery/denial.ts';
import { openVisitorStore, type SqliteVisitorStore } from '../../src/gallery/sqlite-visitor-store.ts';
import type { TrackSighting } from '../../src/gallery/visitor.ts';
import { axis, ManualClock, openStore, temporaryFolder } from './gallery-rig.ts';

const DAY_MS = 86_400_000;
const LIMITS = { maxVisitors: 3, keepMs: 10 * DAY_MS };
const alike = () => 0.5;

function open(file = join(temporaryFolder(), 'visitors.sqlite'), clock = new ManualClock()): SqliteVisitorStore {
  const store = openVisitorStore(file, { logger: silentLogger, clock, limits: LIMITS });
  onTestFinished(() => store.close());
  return store;
}

/** A track of somebody who looks along an axis, leaning a little elsewhere. */
function track(
  along: number,
  { seenAtMs = new ManualClock().nowMs, encoder = 'enc', lean = 0, quality = 0.8, id = 't' } = {},
): TrackSighting {
  const embedding = axis(8, along, (along + 1) % 8, lean);
  return {
    track: id,
    camera: 'door',
    seenAtMs,
    templates: [{ encoder, part: 'full', mask: 'none', embedding, quality }],
  };
}

describe('visitors', () => {
  it('keep their id over tracks, days and restarts, and are told from others', () => {
    const file = join(temporaryFolder(), 'visitors.sqlite');
    const store = open(file);
    const first = store.admit(track(0), alike);
    const other = store.admit(track(3), alike);
    expect(other).not.toBe(first);
    store.close();
    const again = open(file);
    expect(again.admit(track(0, { lean: 0.6, id: 't2' }), alike)).toBe(first);
    expect(again.get(first)).toMatchObject({ templates: 2, sightings: [{ track: 't2' }, { track: 't' }] });
    expect(statSync(file).mode & 0o077).toBe(0);
  });

  it('are the most alike, each by the measure of the encoder, and never compared across encoders', () => {
    const store = open();
    const first = store.admit(track(0), alike);
    const near = store.admit(track(1), alike);
    // 0.6 alike to the first, 0.8 to the second.
    expect(store.admit(track(0, { lean: 0.8 }), alike)).toBe(near);
    expect(store.admit(track(0, { encoder: 'other' }), alike)).not.toBe(first);
    expect(store.admit(track(0), (encoder) => (encoder === 'enc' ? 1.1 : 0))).not.toBe(first);
  });

  it('see what another process changed', () => {
    const file = join(temporaryFolder(), 'visitors.sqlite');
    const [daemon, command] = [open(file), open(file)];
    const id = daemon.admit(track(0), alike);
    command.forget(id);
    expect(daemon.admit(track(0), alike)).not.toBe(id);
  });

  it('are bounded: those not seen for longest go', () => {
    const store = open();
    const now = new ManualClock().nowMs;
    const ids = [0, 1, 2, 3].map((along) => store.admit(track(along, { seenAtMs: now + along }), alike));
    expect(store.list().map(({ id }) => id)).toEqual(ids.slice(1).reverse());
    for (let visit = 0; visit < 120; visit++) store.admit(track(3, { quality: visit / 120, seenAtMs: now + 9 }), alike);
    expect(store.get(ids[3] ?? '').templates).toBe(8);
    expect(store.templatesOf(ids[3] ?? '')[0]?.quality).toBeCloseTo(119 / 120, 9);
    expect(store.get(ids[3] ?? '').sightings.length).toBeLessThanOrEqual(108);
  });

  it('are forgotten after their time', () => {
    const clock = new ManualClock();
    const store = open(undefined, clock);
    const start = clock.nowMs;
    const id = store.admit(track(0, { seenAtMs: start }), alike);
    store.remember(track(5, { seenAtMs: start, id: 'known' }), 'ann');
    clock.nowMs += 9 * DAY_MS;
    expect(store.admit(track(0, { seenAtMs: clock.nowMs }), alike)).toBe(id);
    clock.nowMs += 5 * DAY_MS;
    store.purge();
    expect(store.sighting('known')).toBeNull();
    expect(store.get(id).sightings).toHaveLength(1);
    clock.nowMs += 6 * DAY_MS;
    store.purge();
    expect(store.list()).toEqual([]);
  });

  it('that are named keep their sightings but no template, and are not met again', () => {
    const store = open();
    const id = store.admit(track(0), alike);
    store.name(id, 'ann');
    expect(store.list()).toEqual([]);
    expect(store.list({ named: true })).toMatchObject([
      { id, person: 'ann', templates: 0, sightings: [{ track: 't' }] },
    ]);
    expect(store.templatesOf(id)).toEqual([]);
    expect(store.admit(track(0), alike)).not.toBe(id);
  });

  it('that nobody knows are an error', () => {
    const store = open();
    for (const act of [() => store.get('v-1'), () => store.forget('v-1'), () => store.name('v-1', 'ann')]) {
      expect(act).toThrow(expect.objectContaining({ code: 'VISITOR_UNKNOWN' }));
    }
  });

  it('can all be erased at once', () => {
    const store = open();
    store.admit(track(0), alike);
    store.remember(track(5, { id: 'known' }), 'ann');
    expect(store.forgetAll()).toBe(1);
    expect(store.list({ named: true })).toEqual([]);
    expect(store.sighting('known')).toBeNull();
  });
});

it('remembers what a track looked like, the newest of that name', () => {
  const store = open();
  store.remember(track(2, { id: 'door-1' }), 'ann');
  store.remember(track(4, { id: 'door-1' }), 'bob');
  const found = store.sighting('door-1');
  expect(found).toMatchObject({ person: 'bob', visitor: null, templates: [{ encoder: 'enc', quality: 0.8 }] });
  expect(found?.templates[0]?.embedding).toEqual(axis(8, 4));
  expect(store.sighting('door-9')).toBeNull();
});

it('encrypts what visitors look like under the key of the gallery, and reads nothing of another key', () => {
  const file = join(temporaryFolder(), 'visitors.sqlite');
  const openWith = (key?: Uint8Array) => {
    const store = openVisitorStore(file, { logger: silentLogger, clock: new ManualClock(), limits: LIMITS, key });
    onTestFinished(() => store.close());
    return store;
  };
  const key = new Uint8Array(32).fill(7);
  const id = openWith(key).admit(track(0), alike);
  expect(openWith(key).templatesOf(id)[0]?.embedding).toEqual(axis(8, 0));
  expect(openWith(new Uint8Array(32).fill(8)).templatesOf(id)).toEqual([]);
  expect(openWith().templatesOf(id)).toEqual([]);
});

describe('another key', () => {
  const openWith = (file: string, key?: Uint8Array) => {
    const store = openVisitorStore(file, { logger: silentLogger, clock: new ManualClock(), limits: LIMITS, key });
    onTestFinished(() => store.close());
    return store;
  };
  const [key, newKey] = [new Uint8Array(32).fill(7), new Uint8Array(32).fill(8)];
  /** A file with a visitor and a denial, kept under a key. */
  const kept = (under?: Uint8Array) => {
    const file = join(temporaryFolder(), 'visitors.sqlite');
    const store = openWith(file, under);
    const visitor = store.admit(track(0), alike);
    store.remember(track(3, { id: 'door-1' }), 'ann');
    store.deny('door-1');
    store.close();
    return { file, visitor };
  };
  const bytesOf = (file: string) =>
    Buffer.concat([file, `${file}-wal`].filter((it) => existsSync(it)).map((it) => readFileSync(it)));
  const inTheClear = Buffer.from(axis(8, 3).buffer);

  it('that is configured later reads what was kept in the clear before, and leaves nothing of that', () => {
    const { file, visitor } = kept();
    expect(bytesOf(file).includes(inTheClear)).toBe(true);
    const store = openWith(file, key);
    expect(store.templatesOf(visitor)[0]?.embedding).toEqual(axis(8, 0));
    expect(store.denials().looks).toMatchObject([{ person: 'ann', embedding: axis(8, 3) }]);
    expect(store.admit(track(0), alike)).toBe(visitor);
    store.close();
    expect(bytesOf(file).includes(inTheClear)).toBe(false);
    expect(openWith(file).denials().looks).toEqual([]);
  });

  it.each([
    ['the clear', undefined],
    ['an older key', key],
  ])('takes over from %s, all of it or, where the rest fails, nothing', (_, before) => {
    const { file, visitor } = kept(before);
    const store = openWith(file, before);
    const failing = () => {
      throw new Error('no room');
    };
    expect(() => store.rekey(newKey, failing)).toThrow('no room');
    expect(store.templatesOf(visitor)).toHaveLength(1);
    expect(store.rekey(newKey, () => 'done')).toBe('done');
    store.close();
    const again = openWith(file, newKey);
    expect(again.templatesOf(visitor)[0]?.embedding).toEqual(axis(8, 0));
    expect(again.denials().looks).toMatchObject([{ person: 'ann', embedding: axis(8, 3) }]);
  });
});

it('refuses a file that is a gallery', () => {
  const file = join(temporaryFolder(), 'gallery.sqlite');
  openStore(file);
  expect(() => open(file)).toThrow(expect.objectContaining({ code: 'GALLERY_UNREADABLE' }));
});

describe('people removed from the gallery', () => {
  it('leave nothing behind; of others nothing goes', () => {
    const file = join(temporaryFolder(), 'visitors.sqlite');
    const [daemon, command] = [open(file), open(file)];
    const visitor = daemon.admit(track(0, { id: 'v' }), alike);
    daemon.name(visitor, 'ann');
    const stranger = daemon.admit(track(4, { id: 's' }), alike);
    for (const person of ['ann', 'bob']) {
      daemon.remember(track(2, { id: `denied-${person}` }), person);
      daemon.deny(`denied-${person}`);
      daemon.remember(track(2, { id: `seen-${person}` }), person);
    }
    const said = daemon.denials();

    command.erasePeople(['ann', 'nobody']);
    expect(daemon.denials().looks.map(({ person }) => person)).toEqual(['bob']);
    expect(daemon.denials().version).not.toBe(said.version);
    expect(daemon.list({ named: true }).map(({ id }) => id)).toEqual([stranger]);
    expect(daemon.sighting('v')).toBeNull();
    expect(daemon.sighting('seen-ann')).toBeNull();
    expect(daemon.sighting('seen-bob')).toMatchObject({ person: 'bob' });
  });
});

describe('denials', () => {
  it('are of the track that was named, seen by other processes, and last until they are taken back', () => {
    const file = join(temporaryFolder(), 'visitors.sqlite');
    const [daemon, command] = [open(file), open(file)];
    daemon.remember(track(0, { id: 'door-1' }), 'ann');
    expect(daemon.denials()).toMatchObject({ version: 0, looks: [] });
    expect(command.deny('door-1')).toBe('ann');
    const said = daemon.denials();
    expect(said).toMatchObject({ people: new Set(['ann']), looks: [{ person: 'ann', encoder: 'enc' }] });
    expect(said.version).not.toBe(0);
    // What changes nothing of it is no other list.
    command.admit(track(3), alike);
    expect(daemon.denials()).toBe(said);
    expect(command.listDenials()).toMatchObject([{ person: 'ann', track: 'door-1' }]);
    // The track is not Ann's any more, and cannot be denied twice.
    expect(() => command.deny('door-1')).toThrow(expect.objectContaining({ code: 'VISITOR_UNKNOWN' }));
    expect(command.allow('ann')).toBe(1);
    expect(daemon.denials().looks).toEqual([]);
    expect(daemon.denials().version).not.toBe(said.version);
  });

  it('of a stranger name whom they are not; the oldest go', () => {
    const store = open();
    store.admit(track(1, { id: 'door-2' }), alike);
    expect(() => store.deny('door-2')).toThrow(expect.objectContaining({ code: 'USAGE' }));
    expect(store.deny('door-2', 'bob')).toBe('bob');
    for (let visit = 0; visit < 40; visit++) {
      store.remember(track(0, { id: `t-${visit}` }), 'ann');
      store.deny(`t-${visit}`);
    }
    const tracks = store.listDenials().filter(({ person }) => person === 'ann');
    expect(tracks).toHaveLength(32);
    expect(tracks.map(({ track: id }) => id)).not.toContain('t-0');
    expect(store.listDenials().filter(({ person }) => person === 'bob')).toHaveLength(1);
    store.forgetAll();
    expect(store.denials().looks).toEqual([]);
  });

  it('exclude whom a face is less like than one that was denied, by the same encoder', () => {
    const probe = axis(8, 0);
    const look = (person: string, along: number, lean: number, encoder = 'enc') =>
      ({
        person,
        track: 'door-1',
        deniedAtMs: 500,
        encoder,
        part: 'full',
        mask: null,
        quality: 1,
        embedding: axis(8, along, along + 1, lean),
      }) as const;
    const people = [
      { person: { id: 'ann' }, cosine: 0.7 },
      { person: { id: 'bob' }, cosine: 0.7 },
    ];
    const face = { track: 'door-2', firstSeenAtMs: 400, encoder: 'enc', embedding: probe };
    const deniedOf = (seen: DeniableFace, ...looks: Denial[]) => [
      ...deniedPeople({ version: 1, people: new Set(looks.map((it) => it.person)), looks }, seen, people),
    ];
    const denied = (...looks: Denial[]) => deniedOf(face, ...looks);
    expect(denied()).toEqual([]);
    expect(denied(look('ann', 0, 0.6))).toEqual(['ann']);
    expect(denied(look('ann', 0, 0.8))).toEqual([]);
    expect(denied(look('ann', 0, 0.6, 'other'))).toEqual([]);
    expect(denied(look('cid', 0, 0))).toEqual([]);
    // The very track of which it was said, however like them it is; not one that had the number before or after.
    expect(deniedOf({ ...face, track: 'door-1' }, look('ann', 0, 0.8))).toEqual(['ann']);
    expect(deniedOf({ ...face, track: 'door-1', firstSeenAtMs: 501 }, look('ann', 0, 0.8))).toEqual([]);
  });
});
