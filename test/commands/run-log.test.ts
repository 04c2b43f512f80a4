import { expect, it } from 'vitest';
import { RunLog, rawMsOf, rawRunMs } from '../../src/commands/bench/run-log.ts';
import type { BatchModel } from '../../src/inference/vision-model.ts';

/** A model whose runs take as many milliseconds as they have pictures, plus one; every fifth is ten times slower. */
function model(id: string): BatchModel & { runs: number } {
  return {
    id,
    fingerprint: '',
    provider: 'cpu',
    input: { width: 2, height: 2, channels: 3 },
    timings: [],
    runs: 0,
    async runBatch(pixels, count) {
      expect(pixels).toHaveLength(12 * count);
      this.runs++;
      return { outputs: {}, pixels, runMs: (count + 1) * (this.runs % 5 === 0 ? 10 : 1) };
    },
    async close() {},
  };
}

it('counts runs by model and batch size while it is told to', () => {
  const log = new RunLog();
  log.add({ model: 'a', pictures: 1, runMs: 100 });
  log.start();
  log.add({ model: 'b', pictures: 1, runMs: 1 });
  log.add({ model: 'a', pictures: 2, runMs: 2 });
  log.add({ model: 'a', pictures: 1, runMs: 3 });
  log.add({ model: 'a', pictures: 2, runMs: 4 });
  const counts = log.stop();
  log.add({ model: 'a', pictures: 1, runMs: 100 });
  expect(counts).toEqual([
    { model: 'a', pictures: 1, runs: 1, totalMs: 3, rawMs: null },
    { model: 'a', pictures: 2, runs: 2, totalMs: 6, rawMs: null },
    { model: 'b', pictures: 1, runs: 1, totalMs: 1, rawMs: null },
  ]);
  log.start();
  expect(log.stop()).toEqual([]);
});

it('takes the median of runs alone for each run that was done', async () => {
  const log = new RunLog();
  for (const id of ['a', 'b']) log.models.set(id, model(id));
  log.start();
  for (let run = 0; run < 3; run++) log.add({ model: 'a', pictures: 4, runMs: 50 });
  log.add({ model: 'b', pictures: 1, runMs: 50 });
  const counts = log.stop();
  expect(await rawRunMs(counts, log)).toBe(3 * 5 + 2);
  expect(counts.map(({ rawMs }) => rawMs)).toEqual([5, 2]);
});

it('runs as often as it is told', async () => {
  const one = model('a');
  expect(await rawMsOf(one, 2, 7)).toBe(3);
  expect(one.runs).toBe(7);
});
