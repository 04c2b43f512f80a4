import { describe, expect, it } from 'vitest';
import { contactSheet } from '../../src/commands/dataset/contact-sheet.ts';
import { maskDataset, maskPreview, type PictureWork } from '../../src/commands/dataset/mask-dataset.ts';
import { startProgress } from '../../src/commands/progress.ts';
import type { MaskTask, PictureAnswer, PictureTask, SampleTask } from '../../src/pictures/picture-protocol.ts';

type Answer = PictureAnswer<MaskTask | SampleTask>;

/** A pool that answers from a table, by the name of the picture; masked is the rule. It takes a few tasks ahead. */
function workers(answers: Readonly<Record<string, Answer | Error>> = {}) {
  const jobs: (MaskTask | SampleTask)[] = [];
  const answerTo = (task: PictureTask): Answer => {
    if (task.kind !== 'mask' && task.kind !== 'sample') throw new Error('not asked for here');
    const answer = answers[task.file.replace(/^in\//, '')];
    if (answer instanceof Error) throw answer;
    if (answer) return answer;
    if (task.kind === 'sample') {
      return { outcome: 'sampled', plain: new Uint8Array(12).fill(1), masked: new Uint8Array(12).fill(2) };
    }
    return { outcome: 'masked', mask: { type: 'surgical', fit: 'low', state: 'incorrect' } };
  };
  const pool: PictureWork = {
    async *run<T extends PictureTask>(tasks: Iterable<T>) {
      const waiting: T[] = [];
      const next = () => answerTo(waiting.shift() as T) as PictureAnswer<T>;
      for (const task of tasks) {
        jobs.push(task as MaskTask | SampleTask);
        waiting.push(task);
        if (waiting.length > 2) yield next();
      }
      while (waiting.length > 0) yield next();
    },
  };
  return { jobs, pool };
}

const OPTIONS = { from: 'in', to: 'out', seed: 1, wanted: {}, signal: new AbortController().signal };

describe('masking a folder', () => {
  it('counts what came of each picture', async () => {
    const { pool } = workers({
      'b.jpg': { outcome: 'no-face' },
      'd.jpg': { outcome: 'unreadable', reason: 'torn' },
      'c.jpg': { outcome: 'unreadable', reason: 'empty' },
      'e.jpg': { outcome: 'masked', mask: { type: 'n95', fit: 'high', state: 'worn' } },
    });
    const done: number[] = [];
    const pictures = ['a.jpg', 'b.jpg', 'd.jpg', 'c.jpg', 'e.jpg', 'f.jpg'];
    const result = await maskDataset({ ...OPTIONS, pictures, pool, onDone: (count) => done.push(count) });
    expect(result).toEqual({
      masked: 3,
      withoutFace: 1,
      unreadable: [
        { picture: 'd.jpg', reason: 'torn' },
        { picture: 'c.jpg', reason: 'empty' },
      ],
      types: { surgical: 2, n95: 1 },
      states: { incorrect: 2, worn: 1 },
    });
    expect(done).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('keeps paths, and gives each picture a seed that depends on seed and path alone', async () => {
    const seedsOf = async (pictures: string[], seed: number) => {
      const { pool, jobs } = workers();
      await maskDataset({ ...OPTIONS, pictures, seed, pool });
      return new Map(jobs.map((job) => [job.kind === 'mask' ? `${job.file} ${job.to}` : '', job.seed]));
    };
    const first = await seedsOf(['x/1.jpg', 'y/2.jpg'], 1);
    expect([...first.keys()]).toEqual(['in/x/1.jpg out/x/1.jpg', 'in/y/2.jpg out/y/2.jpg']);
    expect(new Set(first.values()).size).toBe(2);
    const turned = await seedsOf(['y/2.jpg', 'x/1.jpg'], 1);
    for (const [key, seed] of first) expect(turned.get(key)).toBe(seed);
    const other = await seedsOf(['x/1.jpg'], 2);
    expect(other.get('in/x/1.jpg out/x/1.jpg')).not.toBe(first.get('in/x/1.jpg out/x/1.jpg'));
  });

  it('begins nothing more once it is interrupted, and tells what was done', async () => {
    const stop = new AbortController();
    const { pool, jobs } = workers();
    const pictures = Array.from({ length: 50 }, (_, index) => `${index}.jpg`);
    const onDone = (count: number) => count === 4 && stop.abort();
    const result = await maskDataset({ ...OPTIONS, pictures, pool, signal: stop.signal, onDone });
    expect(result.masked).toBe(jobs.length);
    expect(jobs.length).toBeLessThan(8);
  });

  it('ends with the first failure', async () => {
    const { pool, jobs } = workers({ '2.jpg': new Error('disk full') });
    const pictures = Array.from({ length: 50 }, (_, index) => `${index}.jpg`);
    await expect(maskDataset({ ...OPTIONS, pictures, pool })).rejects.toThrow('disk full');
    expect(jobs.length).toBeLessThan(10);
  });
});

describe('the preview', () => {
  it('has a row a type, a column a fit, and goes on to the next picture where there is no face', async () => {
    const { pool, jobs } = workers({ 'a.jpg': { outcome: 'no-face' }, 'b.jpg': { outcome: 'unreadable', reason: '' } });
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
      pool,
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
    const { pool } = workers({ 'a.jpg': { outcome: 'no-face' } });
    const { rgb } = await maskPreview({ ...OPTIONS, pictures: ['a.jpg'], pool, wanted: {}, side: 2 });
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
