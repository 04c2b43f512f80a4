import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { ModelBatcher } from '../../src/inference/model-batcher.ts';
import type { RunTrace } from '../../src/inference/vision-model.ts';
import { FakeBatchModel } from '../fakes/fake-batch-model.ts';
import { ManualClock, settle } from '../fakes/frame-source-clock.ts';

const picture = (value: number) => Uint8Array.of(value, 0, 0);
const pictures = (...values: number[]) => values.map(picture);
const rows = (...values: number[]) => Float32Array.from(values.flatMap((value) => [value * 2, value * 2 + 1]));

describe('ModelBatcher', () => {
  let clock: ManualClock;
  let model: FakeBatchModel;

  beforeEach(() => {
    clock = new ManualClock();
    model = new FakeBatchModel();
  });

  const build = (maxBatch: number, maxWaitMs = 0) =>
    new ModelBatcher(model, clock, { policy: { maxBatch, maxWaitMs } });

  it('puts what comes while it runs into one batch, and gives each its rows', async () => {
    const batcher = build(4);
    const first = batcher.lane('a').run(pictures(1));
    const others = [batcher.lane('b').run(pictures(2, 3)), batcher.lane('c').run(pictures(4))];
    await settle();
    expect(model.runs).toEqual([[1]]);
    model.finish();
    await settle();
    expect(model.runs).toEqual([[1], [2, 3, 4]]);
    model.finish();
    expect((await first).out).toEqual({ data: rows(1), shape: [1, 2] });
    const [second, third] = await Promise.all(others);
    expect(second?.out).toEqual({ data: rows(2, 3), shape: [2, 2] });
    expect(third?.out).toEqual({ data: rows(4), shape: [1, 2] });
  });

  it('cuts what is larger than a batch, lets others in between, and keeps the order of the rows', async () => {
    const batcher = build(2);
    const crowd = batcher.lane('crowd').run(pictures(1, 2, 3, 4, 5));
    const single = batcher.lane('single').run(pictures(9));
    for (let run = 0; run < 4; run++) {
      await settle();
      model.finish();
    }
    expect((await crowd).out).toEqual({ data: rows(1, 2, 3, 4, 5), shape: [5, 2] });
    expect((await single).out).toEqual({ data: rows(9), shape: [1, 2] });
    // Two full batches were on their way before the other came.
    expect(model.runs).toEqual([
      [1, 2],
      [3, 4],
      [5, 9],
    ]);
  });

  it('gives the model one full batch ahead of what it runs, and none that could still grow', async () => {
    const batcher = build(2);
    const lanes = [1, 2, 3, 4, 5].map((value) => batcher.lane(`${value}`).run(pictures(value)));
    await settle();
    expect(model.runs).toEqual([[1], [2, 3]]);
    expect(model.running).toBe(2);
    model.finish();
    await settle();
    // One is left of the five, and company may come for it while [2, 3] runs.
    expect(model.runs).toEqual([[1], [2, 3], [4, 5]]);
    const late = [batcher.lane('1').run(pictures(6))];
    model.finish();
    await settle();
    expect(model.runs).toHaveLength(3);
    late.push(batcher.lane('2').run(pictures(7)));
    await settle();
    expect(model.runs.at(-1)).toEqual([6, 7]);
    model.finish();
    model.finish();
    const results = await Promise.all([...lanes, ...late]);
    expect(results.map(({ out }) => out?.data[0])).toEqual([1, 2, 3, 4, 5, 6, 7].map((value) => value * 2));
  });

  it('gives what waits to the model when that is free, though it is not full', async () => {
    const batcher = build(2);
    const all = ['a', 'b', 'c'].map((name, index) => batcher.lane(name).run(pictures(index, index)));
    const last = batcher.lane('d').run(pictures(9));
    for (let run = 0; run < 4; run++) {
      await settle();
      expect(model.running).toBeLessThanOrEqual(2);
      model.finish();
    }
    expect((await last).out?.data).toEqual(rows(9));
    await Promise.all(all);
  });

  it('waits a moment for lanes that asked lately, and for nobody else', async () => {
    const batcher = build(4, 5);
    const alone = batcher.lane('a').run(pictures(1));
    await settle();
    expect(model.runs).toHaveLength(1);
    model.finish();
    await alone;

    const b = batcher.lane('b').run(pictures(2));
    await clock.advance(4);
    expect(model.runs).toHaveLength(1);
    const a = batcher.lane('a').run(pictures(3));
    await settle();
    // All that may come are here: no need to wait any longer.
    expect(model.runs).toEqual([[1], [2, 3]]);
    model.finish();
    await Promise.all([a, b]);

    const late = batcher.lane('a').run(pictures(4));
    await clock.advance(4);
    expect(model.runs).toHaveLength(2);
    await clock.advance(1);
    expect(model.runs).toHaveLength(3);
    model.finish();
    await late;

    await clock.advance(2000);
    const muchLater = batcher.lane('a').run(pictures(5));
    await settle();
    expect(model.runs).toHaveLength(4);
    model.finish();
    await muchLater;
  });

  it('tells how long pictures waited and ran', async () => {
    const batcher = build(1);
    const trace: RunTrace = { queuedMs: 1, runMs: 1 };
    const first = batcher.lane('a').run(pictures(1));
    const second = batcher.lane('b').run(pictures(2), trace);
    await clock.advance(10);
    model.finish();
    await clock.advance(8);
    model.finish();
    await Promise.all([first, second]);
    // 18 ms until it was done, 7 of which it ran, says the model.
    expect(trace).toEqual({ queuedMs: 1 + 11, runMs: 1 + 7 });
  });

  it('refuses those whose batch failed, and goes on with the others', async () => {
    const batcher = build(2);
    const lost = batcher.lane('a').run(pictures(1, 2, 3));
    const refusal = expect(lost).rejects.toThrow('out of memory');
    await settle();
    model.fail('out of memory');
    await refusal;
    const next = batcher.lane('a').run(pictures(4));
    await settle();
    model.finish();
    expect((await next).out?.data).toEqual(rows(4));
    expect(model.runs).toEqual([[1, 2], [4]]);
  });

  it('gives every picture its own rows, in whatever order runs end, and whichever of them fail', async () => {
    const request = fc.record({ lane: fc.constantFrom('a', 'b', 'c'), pictures: fc.integer({ min: 1, max: 7 }) });
    const step = fc.record({ which: fc.nat(), fails: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(
        fc.array(request, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 3 }),
        fc.infiniteStream(step),
        fc.boolean(),
        async (requests, maxBatch, parallelRuns, steps, someFail) => {
          const fake = new FakeBatchModel(parallelRuns);
          const batcher = new ModelBatcher(fake, new ManualClock(), { policy: { maxBatch, maxWaitMs: 0 } });
          let value = 0;
          const asked = requests.map(({ lane, pictures: count }) => {
            const values = Array.from({ length: count }, () => value++);
            const answer = batcher.lane(lane).run(pictures(...values));
            return { values, answer: answer.catch((error: Error) => error) };
          });
          const lost = new Set<number>();
          await settle();
          while (fake.running > 0) {
            expect(fake.running).toBeLessThanOrEqual(2 * parallelRuns);
            const { which, fails } = steps.next().value;
            const index = which % fake.running;
            if (someFail && fails) for (const first of fake.underWay(index)) lost.add(first);
            if (someFail && fails) fake.fail('broken', index);
            else fake.finish(index);
            await settle();
          }
          for (const { values, answer } of asked) {
            const given = await answer;
            if (values.some((one) => lost.has(one))) expect(given).toEqual(new Error('broken'));
            else expect(given).toEqual({ out: { data: rows(...values), shape: [values.length, 2] } });
          }
        },
      ),
      { numRuns: 300, seed: 7 },
    );
  });

  it('starts a batch that is not full where a run of several at a time is free', async () => {
    model = new FakeBatchModel(2);
    const batcher = build(4);
    const lanes = ['a', 'b', 'c'].map((name, value) => batcher.lane(name).run(pictures(value)));
    await settle();
    expect(model.runs).toEqual([[0], [1]]);
    model.finish(1);
    await settle();
    expect(model.runs).toEqual([[0], [1], [2]]);
    model.finish(1);
    model.finish();
    expect((await Promise.all(lanes)).map(({ out }) => out?.data[0])).toEqual([0, 2, 4]);
  });

  it('refuses a picture of another size', async () => {
    const lane = build(2).lane('a');
    await expect(lane.run([picture(1), new Uint8Array(2)])).rejects.toThrow(
      new RangeError('model fake: picture 1 has 2 bytes; 1x1x3 are 3'),
    );
    expect(model.runs).toEqual([]);
  });

  it('finishes what it was asked for before it closes, without waiting for company', async () => {
    const batcher = build(4, 5);
    const [first, second] = [batcher.lane('a').run(pictures(1)), batcher.lane('b').run(pictures(2))];
    await settle();
    const closing = batcher.close();
    model.finish();
    await settle();
    expect(model.closed).toBe(false);
    model.finish();
    await closing;
    expect(model.closed).toBe(true);
    await Promise.all([first, second]);
    await expect(batcher.lane('a').run(pictures(3))).rejects.toThrow('model fake is closed');
  });
});
