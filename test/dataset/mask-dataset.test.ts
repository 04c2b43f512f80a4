import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { contactSheet } from '../../src/commands/dataset/contact-sheet.ts';
import { maskDataset, maskPreview, type PictureWorkers } from '../../src/commands/dataset/mask-dataset.ts';
import type { MaskAnswer, MaskJob, SampleJob } from '../../src/commands/dataset/picture-masker.ts';
import { findPictureTree } from '../../src/commands/dataset/picture-tree.ts';
import { startProgress } from '../../src/commands/progress.ts';

const EXTENSIONS = ['.jpg', '.png'];

function folderOf(...files: string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'eyeline-tree-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const file of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), '');
  }
  return folder;
}

/** Workers that answer from a table, by the name of the picture; masked is the rule. */
function workers(answers: Readonly<Record<string, MaskAnswer | Error>> = {}) {
  const jobs: (MaskJob | SampleJob)[] = [];
  let under = 0;
  let most = 0;
  const run: PictureWorkers['run'] = async (job) => {
    jobs.push(job);
    most = Math.max(most, ++under);
    await Promise.resolve();
    under--;
    const answer = answers[job.from.replace(/^in\//, '')];
    if (answer instanceof Error) throw answer;
    if (answer) return answer;
    if (job.kind === 'sample') {
      return { outcome: 'sampled', plain: new Uint8Array(12).fill(1), masked: new Uint8Array(12).fill(2) };
    }
    return { outcome: 'masked', mask: { type: 'surgical', fit: 'low', state: 'incorrect' } };
  };
  return { jobs, run, most: () => most };
}

const OPTIONS = { from: 'in', to: 'out', seed: 1, width: 3, signal: new AbortController().signal };

describe('the pictures of a folder', () => {
  it('are found at any depth, in one order; other files and hidden ones are left out', async () => {
    const folder = folderOf(
      'b/2.JPG',
      'b/1.png',
      'a/deep/x.jpg',
      'top.jpg',
      'a/notes.txt',
      '.hidden/y.jpg',
      'b/.z.jpg',
    );
    expect(await findPictureTree(folder, EXTENSIONS)).toEqual({
      pictures: ['a/deep/x.jpg', 'b/1.png', 'b/2.JPG', 'top.jpg'],
      leftOut: 1,
    });
  });

  it('are the plain ones where plain and masked ones are kept apart', async () => {
    const folder = folderOf('anna/plain/1.jpg', 'anna/masked/2.jpg', 'anna/notes.txt', 'ben/3.jpg');
    expect(await findPictureTree(folder, EXTENSIONS)).toEqual({
      pictures: ['anna/plain/1.jpg', 'ben/3.jpg'],
      leftOut: 2,
    });
  });

  it('end, also where a link leads back', async () => {
    const folder = folderOf('a/1.jpg');
    symlinkSync(folder, join(folder, 'a', 'back'));
    expect((await findPictureTree(folder, EXTENSIONS)).pictures).toEqual(['a/1.jpg']);
  });

  it('are refused when there is no folder', async () => {
    await expect(findPictureTree('/nowhere/at/all', EXTENSIONS)).rejects.toMatchObject({ code: 'USAGE' });
  });
});

describe('masking a folder', () => {
  it('counts what came of each picture', async () => {
    const { run } = workers({
      'b.jpg': { outcome: 'no-face' },
      'd.jpg': { outcome: 'unreadable', reason: 'torn' },
      'c.jpg': { outcome: 'unreadable', reason: 'empty' },
      'e.jpg': { outcome: 'masked', mask: { type: 'n95', fit: 'high', state: 'worn' } },
    });
    const done: number[] = [];
    const pictures = ['a.jpg', 'b.jpg', 'd.jpg', 'c.jpg', 'e.jpg', 'f.jpg'];
    const result = await maskDataset({ ...OPTIONS, pictures, workers: { run }, onDone: (count) => done.push(count) });
    expect(result).toEqual({
      masked: 3,
      withoutFace: 1,
      unreadable: [
        { picture: 'c.jpg', reason: 'empty' },
        { picture: 'd.jpg', reason: 'torn' },
      ],
      types: { surgical: 2, n95: 1 },
      states: { incorrect: 2, worn: 1 },
    });
    expect(done).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('keeps paths, and gives each picture a seed that depends on seed and path alone', async () => {
    const seedsOf = async (pictures: string[], seed: number) => {
      const { run, jobs } = workers();
      await maskDataset({ ...OPTIONS, pictures, seed, workers: { run } });
      return new Map(jobs.map((job) => [job.kind === 'mask' ? `${job.from} ${job.to}` : '', job.seed]));
    };
    const first = await seedsOf(['x/1.jpg', 'y/2.jpg'], 1);
    expect([...first.keys()]).toEqual(['in/x/1.jpg out/x/1.jpg', 'in/y/2.jpg out/y/2.jpg']);
    expect(new Set(first.values()).size).toBe(2);
    const turned = await seedsOf(['y/2.jpg', 'x/1.jpg'], 1);
    for (const [key, seed] of first) expect(turned.get(key)).toBe(seed);
    const other = await seedsOf(['x/1.jpg'], 2);
    expect(other.get('in/x/1.jpg out/x/1.jpg')).not.toBe(first.get('in/x/1.jpg out/x/1.jpg'));
  });

  it('has no more under way than told', async () => {
    const { run, most } = workers();
    await maskDataset({ ...OPTIONS, pictures: Array.from({ length: 20 }, (_, i) => `${i}.jpg`), workers: { run } });
    expect(most()).toBe(3);
  });

  it('begins nothing more once it is interrupted, and tells what was done', async () => {
    const stop = new AbortController();
    const { run, jobs } = workers();
    const pictures = Array.from({ length: 50 }, (_, index) => `${index}.jpg`);
    const onDone = (count: number) => count === 4 && stop.abort();
    const result = await maskDataset({ ...OPTIONS, pictures, workers: { run }, signal: stop.signal, onDone });
    expect(result.masked).toBe(jobs.length);
    expect(jobs.length).toBeLessThan(8);
  });

  it('ends with the first failure', async () => {
    const { run, jobs } = workers({ '2.jpg': new Error('disk full') });
    const pictures = Array.from({ length: 50 }, (_, index) => `${index}.jpg`);
    await expect(maskDataset({ ...OPTIONS, pictures, workers: { run } })).rejects.toThrow('disk full');
    expect(jobs.length).toBeLessThan(10);
  });
});

describe('the preview', () => {
  it('has a row a type, a column a fit, and goes on to the next picture where there is no face', async () => {
    const { run, jobs } = workers({ 'a.jpg': { outcome: 'no-face' }, 'b.jpg': { outcome: 'unreadable', reason: '' } });
    const { rgb, size } = await maskPreview({
      ...OPTIONS,
      pictures: [
        'a.jpg',
        'b.jpg',
        'c.jpg',
        'd.jpg',
        'e.jpg',
        'f.jpg',
        'g.jpg',
        'h.jpg',
        'i.jpg',
        'j.jpg',
        'k.jpg',
        'l.jpg',
      ],
      workers: { run },
      wanted: { types: ['cloth', 'gas'], fits: ['normal', 'low'] },
      side: 2,
    });
    // Two pairs of 2 + 2 pixels, with 6 around and between; two rows of 2.
    expect(size).toEqual({ width: 26, height: 22 });
    expect(rgb.filter((value) => value === 1)).toHaveLength(4 * 12);
    expect(rgb.filter((value) => value === 2)).toHaveLength(4 * 12);
    const cells = jobs.map((job) => job.kind === 'sample' && `${job.wanted.types} ${job.wanted.fits}`);
    expect(new Set(cells)).toEqual(new Set(['cloth normal', 'cloth low', 'gas normal', 'gas low']));
  });

  it('leaves paper where no face was found', async () => {
    const { run } = workers({ 'a.jpg': { outcome: 'no-face' } });
    const { rgb } = await maskPreview({ ...OPTIONS, pictures: ['a.jpg'], workers: { run }, wanted: {}, side: 2 });
    expect(rgb.every((value) => value === 255)).toBe(true);
  });
});

it('a contact sheet puts each pair where it belongs', () => {
  const pair = (value: number) => ({ plain: new Uint8Array(3).fill(value), masked: new Uint8Array(3).fill(value + 1) });
  const { rgb, size } = contactSheet(
    [
      [pair(10), pair(20)],
      [null, pair(30)],
    ],
    1,
  );
  const at = (x: number, y: number) => rgb[(y * size.width + x) * 3];
  expect(size).toEqual({ width: 22, height: 20 });
  expect([at(6, 6), at(7, 6), at(14, 6), at(15, 6)]).toEqual([10, 11, 20, 21]);
  expect([at(6, 13), at(7, 13), at(14, 13), at(15, 13)]).toEqual([255, 255, 30, 31]);
});

it('progress elsewhere than on a terminal is a line every five seconds and one at the end', () => {
  const lines: string[] = [];
  let ms = 1000;
  const clock = { now: () => 0, monotonic: () => ms, sleep: async () => {} };
  const progress = startProgress({ interactive: false, warn: (line) => lines.push(line) }, clock, 100, 'pictures');
  for (const [done, elapsed] of [
    [10, 1000],
    [50, 5000],
    [60, 6000],
    [99, 9999],
    [100, 10_000],
  ] as const) {
    ms = 1000 + elapsed;
    progress.update(done);
  }
  progress.stop();
  expect(lines).toEqual(['  50 of 100 pictures, 10 a second', '  100 of 100 pictures, 10 a second']);
});
