import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { openGalleryStore } from '../../src/gallery/sqlite-gallery-store.ts';
import { Program } from '../rig/program.ts';

const PEOPLE = ['anna', 'ben', 'cem', 'dora', 'eva', 'finn'];

interface GalleryLine {
  readonly time: string | number;
  readonly msg: string;
}

/** A daemon on a gallery of people, with a camera that never answers; `run` is another process on the same gallery. */
function rig() {
  const folder = mkdtempSync(join(tmpdir(), 'eyeline-removal-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'gallery.sqlite');
  const config = join(folder, 'eyeline.yaml');
  writeFileSync(
    config,
    `gallery: { file: ${file} }
visitors: { enabled: false }
mqtt: { enabled: false }
cameras: [{ id: door, source: "rtsp://127.0.0.1:9/none" }]
`,
  );
  const store = openGalleryStore(file, { logger: silentLogger, clock: systemClock });
  onTestFinished(() => store.close());
  for (const name of PEOPLE) store.ensurePerson(name);
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
  return { store, line, run };
}

it('a running daemon forgets whoever another process removes, within a second', async () => {
  const { store, line, run } = rig();
  await line(/^gallery holds/);
  const delaysMs: number[] = [];
  for (const [index, name] of PEOPLE.slice(0, 5).entries()) {
    await run('gallery', 'remove', name);
    const { time } = await line(/^gallery holds/, index + 2);
    // From before the removal is on the disk until the daemon has its new snapshot.
    delaysMs.push(new Date(time).getTime() - (store.audit({ person: name }).at(-1)?.atMs ?? 0));
  }
  console.log(`removed from the running index after ${delaysMs.join(', ')} ms`);
  // The machine may stand still for a while, but not each time.
  expect(Math.min(...delaysMs)).toBeLessThan(1000);
  expect((await run('gallery', 'audit', '--person', 'anna')).trim().split('\n')).toEqual([
    expect.stringMatching(/ v1 unnamed create anna$/),
    expect.stringMatching(/ v7 cli:\S+ remove anna templates=0$/),
  ]);
});

it('a running daemon removes whoever is past the last day they may be kept', async () => {
  const { store, line, run } = rig();
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
