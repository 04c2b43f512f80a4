import { copyFileSync, existsSync, renameSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { silentLogger } from '../../src/core/logger.ts';
import { seededRandom } from '../../src/core/seeded-random.ts';
import type { EncoderSnapshots } from '../../src/gallery/encoder-snapshots.ts';
import { LiveGallery, type LiveGalleryOptions } from '../../src/gallery/live-gallery.ts';
import { buildHnsw } from '../../src/gallery/search/build-hnsw.ts';
import { openGalleryStore, SqliteGalleryStore } from '../../src/gallery/sqlite-gallery-store.ts';
import { axis, keepingLogger, ManualClock, openStore, template, temporaryFolder } from './gallery-rig.ts';

const ENCODER = { fingerprint: 'encoder-a', dimension: 4, part: 'full' } as const;
const UPPER = { fingerprint: 'encoder-u', dimension: 4, part: 'upper' } as const;

/** A live gallery on a file, and a second connection to write into the file. */
function rig(encoders: LiveGalleryOptions['encoders'] = [ENCODER], options: Partial<LiveGalleryOptions> = {}) {
  const file = join(temporaryFolder(), 'gallery.sqlite');
  const clock = new ManualClock();
  const logger = keepingLogger();
  const live = new LiveGallery({
    open: (create) => openGalleryStore(file, { logger, clock, create }),
    encoders,
    refreshMs: 500,
    clock,
    logger,
    ...options,
  });
  onTestFinished(() => live.stop());
  const seen: EncoderSnapshots[] = [];
  live.onChange((snapshot) => seen.push(snapshot));
  return { file, clock, logger, live, seen };
}

function enrol(file: string, name: string, embedding: Float32Array, encoder: string = ENCODER.fingerprint): void {
  const part = encoder === UPPER.fingerprint ? 'upper' : 'full';
  const store = openGalleryStore(file, { logger: silentLogger, clock: new ManualClock() });
  store.addTemplates(store.ensurePerson(name).id, [template(embedding, { encoder, part })]);
  store.close();
}

it('takes people up and forgets them as another process changes the file', async () => {
  const { file, clock, live, seen } = rig();
  await live.start();
  expect(live.current().people).toEqual([]);

  enrol(file, 'Anna', axis(4, 0));
  const before = live.current();
  await clock.tick();
  expect(live.current().search(axis(4, 0), 'encoder-a', 1)).toEqual([
    { person: { id: 'anna', name: 'Anna' }, score: 1 },
  ]);
  expect(before.people).toEqual([]);

  openStore(file).removePerson('anna');
  await clock.tick();
  expect(live.current().people).toEqual([]);
  expect(seen.map(({ people }) => people.length)).toEqual([0, 1, 0]);
  expect(seen.at(-1)).toBe(live.current());
});

it('forgets people as soon as they may not be kept any longer', async () => {
  const { file, clock, logger, live, seen } = rig();
  const store = openStore(file, clock);
  for (const [index, name] of ['Anna', 'Ben', 'Cem'].entries()) enrol(file, name, axis(4, index));
  store.setConsent('anna', { retainUntilMs: clock.nowMs - 1 });
  store.setConsent('ben', { retainUntilMs: clock.nowMs + 1000 });
  await live.start();
  expect(live.current().people.map(({ id }) => id)).toEqual(['ben', 'cem']);
  clock.nowMs += 999;
  await clock.tick();
  expect(seen).toHaveLength(1);
  clock.nowMs += 1;
  await clock.tick();
  expect(live.current().people.map(({ id }) => id)).toEqual(['cem']);
  expect(logger.lines.filter(({ message }) => message.startsWith('removed'))).toMatchObject([
    { fields: { people: ['anna'] } },
    { fields: { people: ['ben'] } },
  ]);
  expect(store.audit({ person: 'ben' }).at(-1)).toMatchObject({ action: 'expire', version: store.version() });
});

it('loads nothing while nothing changes', async () => {
  const { clock, live, seen } = rig();
  await live.start();
  const first = live.current();
  for (let i = 0; i < 5; i++) await clock.tick();
  expect(live.current()).toBe(first);
  expect(seen).toHaveLength(1);
});

it('keeps what it has when the file is gone, logs it once, and goes on when it is back', async () => {
  const { file, clock, logger, live, seen } = rig();
  enrol(file, 'Anna', axis(4, 0));
  await live.start();
  renameSync(file, `${file}.away`);
  for (let i = 0; i < 4; i++) await clock.tick();
  expect(live.current().people).toHaveLength(1);
  expect(existsSync(file)).toBe(false);
  expect(logger.lines.filter(({ level }) => level === 'error')).toMatchObject([
    { message: `gallery ${file} was removed or replaced; going on with the 1 people read before` },
  ]);

  enrol(`${file}.away`, 'Ben', axis(4, 1));
  renameSync(`${file}.away`, file);
  await clock.tick();
  expect(live.current().people.map(({ id }) => id)).toEqual(['anna', 'ben']);
  expect(seen).toHaveLength(2);
  expect(logger.lines.at(-1)).toMatchObject({ level: 'info', message: 'gallery can be read again' });

  unlinkSync(file);
  await clock.tick();
  expect(logger.lines.filter(({ level }) => level === 'error')).toHaveLength(2);
});

it('takes up a file that replaced the one it had, though the version is the same', async () => {
  const { file, clock, live } = rig();
  const other = join(dirname(file), 'other.sqlite');
  enrol(file, 'Anna', axis(4, 0));
  enrol(other, 'Ben', axis(4, 0));
  await live.start();
  copyFileSync(other, `${file}.new`);
  for (const side of ['-wal', '-shm']) if (existsSync(file + side)) unlinkSync(file + side);
  renameSync(`${file}.new`, file);
  await clock.tick();
  await clock.tick();
  expect(live.current().people.map(({ id }) => id)).toEqual(['ben']);
});

it('warns of templates of other encoders, and never compares with them', async () => {
  const { file, clock, logger, live } = rig();
  enrol(file, 'Anna', axis(4, 0), 'encoder-old');
  await live.start();
  expect(live.current().search(axis(4, 0), 'encoder-a', 1)).toEqual([]);
  const warnings = () => logger.lines.filter(({ level }) => level === 'warn');
  expect(warnings()).toMatchObject([
    {
      fields: { code: 'GALLERY_ENCODER_MISMATCH', people: 1, templates: 1, encoder: 'encoder-a' },
      message:
        'gallery holds 1 people with 1 templates of other encoders only: nobody can be recognised; ' +
        'enrol them again, or configure the encoder they were enrolled with',
    },
  ]);

  enrol(file, 'Ben', axis(4, 1));
  await clock.tick();
  expect(warnings()).toHaveLength(1);
  expect(live.current().people.map(({ id }) => id)).toEqual(['ben']);

  enrol(file, 'Anna', axis(4, 0));
  await clock.tick();
  expect(live.current().people.map(({ id }) => id)).toEqual(['anna', 'ben']);
  expect(warnings()).toHaveLength(1);
});

it('searches among the templates of one encoder, and says who lacks those of the other', async () => {
  const { file, clock, logger, live } = rig([ENCODER, UPPER]);
  enrol(file, 'Anna', axis(4, 0));
  enrol(file, 'Ben', axis(4, 1));
  enrol(file, 'Ben', axis(4, 0), UPPER.fingerprint);
  await live.start();
  const found = (encoder: string) =>
    live
      .current()
      .search(axis(4, 0), encoder, 1)
      .map(({ person, score }) => [person.id, score]);
  expect(found(ENCODER.fingerprint)).toEqual([['anna', 1]]);
  expect(found(UPPER.fingerprint)).toEqual([['ben', 1]]);
  expect(() => found('encoder-x')).toThrow('no templates of encoder encoder-x are loaded');
  expect(live.current()).toMatchObject({ templateCount: 3, people: [{ id: 'anna' }, { id: 'ben' }] });
  const warnings = () => logger.lines.filter(({ level }) => level === 'warn');
  expect(warnings()).toMatchObject([
    {
      fields: { code: 'GALLERY_ENCODER_MISMATCH', people: 1, encoder: 'encoder-u' },
      message:
        '1 people have no template of the upper part of the face (anna): with a mask on they cannot be recognised; ' +
        'enrol the same pictures again, what is missing is added',
    },
  ]);

  enrol(file, 'Anna', axis(4, 3), UPPER.fingerprint);
  await clock.tick();
  expect(warnings()).toHaveLength(1);
  openStore(file).removePerson('anna');
  await clock.tick();
  expect(live.current().has('anna')).toBe(false);
  expect(found(UPPER.fingerprint)).toEqual([['ben', 1]]);
});

it('does not start on a file that is no gallery', async () => {
  const { file, live } = rig();
  enrol(file, 'Anna', axis(8, 0));
  await expect(live.start()).rejects.toMatchObject({
    code: 'GALLERY_UNREADABLE',
    message: `gallery ${file} holds a template of anna that is not 4 numbers long`,
  });
  expect(() => live.current()).toThrow('the gallery has not been started');
});

it('is not kept from its other listeners by one that throws', async () => {
  const { file, clock, logger, live } = rig();
  await live.start();
  const versions: number[] = [];
  const forget = live.onChange(() => {
    throw new Error('listener broke');
  });
  live.onChange(({ version }) => versions.push(version));
  enrol(file, 'Anna', axis(4, 0));
  await clock.tick();
  expect(versions).toEqual([2]);
  expect(logger.lines.at(-1)).toMatchObject({ level: 'error', fields: { error: 'listener broke' } });
  forget();
  enrol(file, 'Ben', axis(4, 1));
  await clock.tick();
  expect(versions).toEqual([2, 4]);
  expect(logger.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
});

it('stops, twice too, and keeps the last snapshot', async () => {
  const { file, live, seen } = rig();
  await live.start();
  await live.stop();
  await live.stop();
  enrol(file, 'Anna', axis(4, 0));
  expect(seen).toHaveLength(1);
  expect(live.current().people).toEqual([]);
});

it('reads only what changed, and tells of everybody deleted until it was done with', async () => {
  const deleted: string[][] = [];
  let isLocked = true;
  const onDeleted = (ids: readonly string[]) => {
    deleted.push([...ids]);
    if (isLocked) throw new Error('locked');
  };
  const { file, clock, logger, live } = rig([ENCODER], { onDeleted });
  const store = openStore(file, clock);
  enrol(file, 'Anna', axis(4, 0));
  enrol(file, 'Ben', axis(4, 1));
  store.removePerson('anna');
  await live.start();
  expect(deleted).toEqual([['anna']]);
  await clock.tick();
  expect(logger.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
  isLocked = false;
  await clock.tick();
  expect(deleted).toEqual([['anna'], ['anna'], ['anna']]);

  const loads = vi.spyOn(SqliteGalleryStore.prototype, 'loadTemplates');
  onTestFinished(() => loads.mockRestore());
  enrol(file, 'Anna', axis(4, 2));
  enrol(file, 'Cem', axis(4, 3));
  await clock.tick();
  store.applyBatch({ origin: 'fleet', encoders: [], people: [], tombstones: [{ id: 'ben', deletedAtMs: 1 }] });
  await clock.tick();
  expect(deleted.slice(3)).toEqual([['ben']]);
  expect(live.current().people.map(({ id }) => id)).toEqual(['anna', 'cem']);
  expect(live.current()).toMatchObject({ templateCount: 2, version: store.version() });
  expect(
    live
      .current()
      .search(axis(4, 1), ENCODER.fingerprint, 3)
      .map(({ person, score }) => [person.id, score]),
  ).toEqual([
    ['anna', 0],
    ['cem', 0],
  ]);
  expect(loads).not.toHaveBeenCalled();
});

it('searches by a graph made meanwhile, and forgets people in it at once', async () => {
  let graphs = 0;
  let hasGraph = () => {};
  const made = new Promise<void>((resolve) => {
    hasGraph = resolve;
  });
  const buildGraph: typeof buildHnsw = async (...of) => {
    const index = await buildHnsw(...of);
    graphs++;
    setImmediate(hasGraph);
    return index;
  };
  const encoder = { ...ENCODER, dimension: 32 };
  const { file, clock, live } = rig([encoder], { graphFrom: 0, buildGraph });
  const store = openStore(file, clock);
  const random = seededRandom(3);
  const kept = { createdAtMs: 1, consentAtMs: null, consentNote: null, retainUntilMs: null };
  const people = Array.from({ length: 400 }, (_, at) => {
    const vector = Float32Array.from({ length: 32 }, () => random() - 0.5);
    const norm = Math.hypot(...vector);
    return { id: `p${at}`, name: `${at}`, ...kept, templates: [template(vector.map((it) => it / norm))] };
  });
  store.applyBatch({ origin: 'device', encoders: [encoder.fingerprint], people, tombstones: [] });
  await live.start();
  const before = live.current();
  const found = (at: number) =>
    live.current().search(people[at]?.templates[0]?.embedding ?? new Float32Array(), encoder.fingerprint, 2);
  expect(found(7)[0]?.person.id).toBe('p7');
  await made;
  expect(graphs).toBe(1);
  expect(live.current()).not.toBe(before);
  for (let at = 0; at < people.length; at++) expect(found(at)[0]?.person.id).toBe(`p${at}`);
  store.removePerson('p7');
  await clock.tick();
  expect(found(7)).toHaveLength(2);
  expect(found(7).map(({ person }) => person.id)).not.toContain('p7');
  expect(live.current().people).toHaveLength(399);
});

it('goes on comparing all templates where no graph can be made', async () => {
  let tried = () => {};
  const failed = new Promise<void>((resolve) => {
    tried = resolve;
  });
  const buildGraph = async () => {
    setImmediate(tried);
    throw new Error('there is no /dev/shm to make it in');
  };
  const { file, clock, logger, live } = rig([ENCODER], { graphFrom: 0, buildGraph });
  const store = openStore(file, clock);
  const { id } = store.ensurePerson('Anna');
  store.addTemplates(
    id,
    Array.from({ length: 300 }, () => template(axis(4, 0))),
  );
  await live.start();
  await failed;
  expect(logger.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
  expect(live.current().search(axis(4, 0), ENCODER.fingerprint, 1)[0]?.person.id).toBe('anna');
});
