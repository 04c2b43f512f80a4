import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { openGalleryStore } from '../../src/gallery/sqlite-gallery-store.ts';
import { openVisitorStore } from '../../src/gallery/sqlite-visitor-store.ts';
import { fingerprintOf } from '../../src/inference/manifest.ts';
import { createModelStore } from '../../src/inference/store.ts';
import { axis, template } from '../gallery/gallery-rig.ts';
import { Program } from '../rig/program.ts';

const PEOPLE = ['anna', 'ben', 'cem', 'dora', 'eva', 'finn'];
const TICK_MS = 10;
/** Of the templates of the encoder in use. */
const DIMENSION = 512;
/** A tick that took longer than this did so because the machine stood still. */
const LONGEST_TICK_MS = 5 * TICK_MS;

interface GalleryLine {
  readonly time: string | number;
  readonly msg: string;
}

/** Fingerprint of the encoder whose templates the daemon takes. */
async function encoderInUse(file: string): Promise<string> {
  const { config } = await loadConfig({ file, env: {} });
  const { dir, encoder, manifest } = config.models;
  const models = await createModelStore({ dir, extraManifest: manifest, logger: silentLogger });
  return fingerprintOf(models.entry(encoder));
}

/** A daemon on a gallery of people, with a camera that never answers; `run` is another process on the same gallery. */
async function rig({ gallery = '', visitors = 'enabled: false', templates = 1 } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'eyeline-removal-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'gallery.sqlite');
  const config = join(folder, 'eyeline.yaml');
  writeFileSync(
    config,
    `gallery: { file: ${file}${gallery} }
visitors: { file: ${join(folder, 'visitors.sqlite')}, ${visitors} }
mqtt: { enabled: false }
cameras: [{ id: door, source: "rtsp://127.0.0.1:9/none" }]
`,
  );
  const store = openGalleryStore(file, { logger: silentLogger, clock: systemClock });
  onTestFinished(() => store.close());
  const encoder = await encoderInUse(config);
  for (const [index, name] of PEOPLE.entries()) {
    const { id } = store.ensurePerson(name);
    store.addTemplates(
      id,
      Array.from({ length: templates }, () => template(axis(DIMENSION, index), { encoder })),
    );
  }
  const daemon = new Program(['run', '--config', config], { cwd: folder });
  onTestFinished(() => daemon.stop());
  let ended: string | null = null;
  void daemon.finished().then(({ stderr }) => {
    ended = stderr;
  });
  const lines = (pattern: RegExp) =>
    daemon.stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as GalleryLine & Record<string, unknown>)
      .filter(({ msg }) => pattern.test(msg));
  /** The `count`th line of that kind, once the daemon has logged it. */
  const line = async (pattern: RegExp, count = 1) => {
    for (;;) {
      const found = lines(pattern)[count - 1];
      if (found) return found;
      if (ended !== null) throw new Error(`the daemon ended: ${ended}`);
      await systemClock.sleep(10);
    }
  };
  const run = async (...args: string[]) => {
    const program = new Program([...args, '--config', config], { cwd: folder });
    const finished = await program.finished();
    expect(finished).toMatchObject({ code: 0 });
    return finished.stdout;
  };
  return { folder, store, line, run };
}

/**
 * Measures time as a process of this machine lives it: as the clock on the wall has it, but what the machine stands still or
 * has no processor to spare counts little. A daemon that is late by itself is late by this clock, too.
 */
function livedTime(): { betweenMs(from: number, to: number): number } {
  const ticks = [Date.now()];
  const timer = setInterval(() => ticks.push(Date.now()), TICK_MS);
  onTestFinished(() => clearInterval(timer));
  const share = (from: number, to: number, start: number, end: number) => {
    const within = Math.max(0, Math.min(to, end) - Math.max(from, start));
    return Math.min(within, LONGEST_TICK_MS);
  };
  return {
    betweenMs: (from, to) =>
      [...ticks, Date.now()].reduce((sum, end, at, all) => sum + share(from, to, all[at - 1] ?? end, end), 0),
  };
}

it('a running daemon forgets whoever another process removes, within a second', async () => {
  const { store, line, run } = await rig();
  const lived = livedTime();
  expect(await line(/^gallery holds/)).toMatchObject({ people: PEOPLE.length });
  const delaysMs: number[] = [];
  for (const [index, name] of PEOPLE.slice(0, 5).entries()) {
    await run('gallery', 'remove', name);
    const forgotten = await line(/^gallery holds/, index + 2);
    expect(forgotten).toMatchObject({ people: PEOPLE.length - index - 1 });
    // From before the removal is on the disk until the daemon has its new snapshot.
    const removal = store.audit({ person: name }).at(-1);
    expect(removal).toMatchObject({ action: 'remove' });
    delaysMs.push(lived.betweenMs(removal?.atMs ?? 0, new Date(forgotten.time).getTime()));
  }
  console.log(`removed from the running index after ${delaysMs.join(', ')} ms`);
  for (const delayMs of delaysMs) expect(delayMs).toBeLessThan(1000);
  expect((await run('gallery', 'audit', '--person', 'anna')).trim().split('\n')).toEqual([
    expect.stringMatching(/ v1 unnamed create anna$/),
    expect.stringMatching(/ v2 unnamed enrol anna templates=1 pictures=1$/),
    expect.stringMatching(/ v13 cli:\S+ remove anna templates=1$/),
  ]);
});

it('a running daemon removes whoever is past the last day they may be kept', async () => {
  const { store, line, run } = await rig();
  await line(/^gallery holds/);
  await run('gallery', 'consent', 'ben', '--note', 'form 12', '--until', '2020-01-31');
  expect(await line(/^removed 1 people/)).toMatchObject({ people: ['ben'] });
  await line(/^gallery holds/, 2);
  expect(store.listPeople().map(({ id }) => id)).not.toContain('ben');
  expect(store.audit({ person: 'ben' }).at(-1)).toMatchObject({
    action: 'expire',
    actor: expect.stringMatching(/^daemon:/),
  });
  expect(store.changesSince(0).tombstones).toMatchObject([{ id: 'ben', reason: 'expired' }]);
});

it('a running daemon that searches by a graph forgets whoever is removed', async () => {
  const { line, run } = await rig({ gallery: ', index: hnsw', templates: 50 });
  expect(await line(/searched by a graph/)).toMatchObject({ templates: 50 * PEOPLE.length });
  await run('gallery', 'remove', 'anna');
  expect(await line(/^gallery holds/, 2)).toMatchObject({
    people: PEOPLE.length - 1,
    templates: 50 * (PEOPLE.length - 1),
  });
});

it.each(['enabled: true', 'enabled: false'])(
  'a running daemon erases what is kept of the tracks of people whom the fleet or time removes (visitors: %s)',
  async (visitors) => {
    const { folder, store, line } = await rig({ visitors });
    const limits = { maxVisitors: 10, keepMs: 86_400_000 };
    const options = { logger: silentLogger, clock: systemClock, limits };
    const kept = openVisitorStore(join(folder, 'visitors.sqlite'), options);
    onTestFinished(() => kept.close());
    for (const [index, person] of PEOPLE.entries()) {
      const look = { encoder: 'e', part: 'full', mask: 'none', embedding: axis(DIMENSION, index), quality: 1 } as const;
      for (const track of [`door-${index}`, `yard-${index}`]) {
        kept.remember({ track, camera: 'door', seenAtMs: Date.now(), templates: [look] }, person);
      }
      kept.deny(`door-${index}`, person);
    }
    await line(/^gallery holds/);
    store.setConsent('ben', { retainUntilMs: Date.now() - 1 });
    await line(/^gallery holds/, 2);
    store.applyBatch({
      origin: 'fleet',
      encoders: [],
      people: [],
      tombstones: [{ id: 'anna', deletedAtMs: Date.now() }],
    });
    await line(/^erased what is kept/, 2);
    expect(
      kept
        .listDenials()
        .map(({ person }) => person)
        .sort(),
    ).toEqual(PEOPLE.slice(2));
    expect(['yard-0', 'yard-1', 'yard-2'].map((track) => kept.sighting(track)?.person ?? null)).toEqual([
      null,
      null,
      'cem',
    ]);
  },
);
