import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseBatchPolicy, planBatch, type WaitingRequest } from '../../src/inference/batch-plan.ts';

const request = (lane: string, pictures: number, sinceMs = 0): WaitingRequest => ({ lane, pictures, sinceMs });
const NOW = { nowMs: 100, activeLanes: 0, servedLast: undefined };

describe('planBatch', () => {
  it.each<[string, WaitingRequest[], number, string | undefined, number[], string]>([
    ['takes all where all fits', [request('a', 2), request('b', 1)], 4, undefined, [2, 1], 'a'],
    [
      'gives each lane a place in turn',
      [request('a', 5), request('b', 1), request('c', 5)],
      4,
      undefined,
      [2, 1, 1],
      'a',
    ],
    [
      'goes on after the lane that was last',
      [request('a', 1), request('b', 1), request('c', 1)],
      2,
      'a',
      [0, 1, 1],
      'c',
    ],
    ['begins anew after the last lane', [request('a', 1), request('b', 1), request('c', 1)], 2, 'c', [1, 1, 0], 'b'],
    [
      'serves the older request of a lane first',
      [request('a', 2), request('b', 1), request('a', 2)],
      3,
      undefined,
      [2, 1, 0],
      'a',
    ],
  ])('%s', (_, waiting, maxBatch, servedLast, take, last) => {
    const plan = planBatch(waiting, { maxBatch, maxWaitMs: 0 }, { ...NOW, servedLast });
    expect(plan).toEqual({ kind: 'run', take, servedLast: last });
  });

  it('waits for lanes that may come, no longer than allowed, and not when full', () => {
    const policy = { maxBatch: 4, maxWaitMs: 5 };
    const waiting = [request('a', 1, 98), request('b', 1, 99)];
    expect(planBatch(waiting, policy, { ...NOW, activeLanes: 3 })).toEqual({ kind: 'wait', untilMs: 103 });
    expect(planBatch(waiting, policy, { ...NOW, activeLanes: 2 })).toMatchObject({ kind: 'run' });
    expect(planBatch(waiting, policy, { ...NOW, activeLanes: 3, nowMs: 103 })).toMatchObject({ kind: 'run' });
    expect(planBatch([request('a', 4, 100)], policy, { ...NOW, activeLanes: 3 })).toMatchObject({ kind: 'run' });
    expect(planBatch([], policy, NOW)).toEqual({ kind: 'wait', untilMs: Number.POSITIVE_INFINITY });
  });

  const requests = fc.array(
    fc.record({
      lane: fc.constantFrom('a', 'b', 'c', 'd'),
      pictures: fc.integer({ min: 1, max: 9 }),
      sinceMs: fc.nat(99),
    }),
    { minLength: 1, maxLength: 8 },
  );
  const batch = fc.integer({ min: 1, max: 16 });

  it('fills the batch, takes no more than there is, and shares fairly, older requests first', () => {
    fc.assert(
      fc.property(requests, batch, fc.constantFrom(undefined, 'a', 'b', 'c', 'd'), (waiting, maxBatch, servedLast) => {
        const plan = planBatch(waiting, { maxBatch, maxWaitMs: 0 }, { ...NOW, servedLast });
        if (plan.kind !== 'run') throw new Error('does not run');
        const total = waiting.reduce((sum, { pictures }) => sum + pictures, 0);
        expect(plan.take.reduce((sum, taken) => sum + taken, 0)).toBe(Math.min(total, maxBatch));
        const lanes = new Map<string, { taken: number; left: number }>();
        waiting.forEach(({ lane, pictures }, index) => {
          const taken = plan.take[index] ?? -1;
          expect(taken).toBeGreaterThanOrEqual(0);
          expect(taken).toBeLessThanOrEqual(pictures);
          const sum = lanes.get(lane) ?? { taken: 0, left: 0 };
          // What comes later gets nothing while something is left of what came before.
          if (sum.left > 0) expect(taken).toBe(0);
          lanes.set(lane, { taken: sum.taken + taken, left: sum.left + pictures - taken });
        });
        for (const one of lanes.values()) {
          for (const other of lanes.values()) if (one.left > 0) expect(other.taken - one.taken).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it('lets no lane wait for more batches than it takes to go round', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 9 }), fc.integer({ min: 1, max: 4 }), (count, maxBatch) => {
        // Every lane always has more to do.
        const waiting = Array.from({ length: count }, (_, index) => request(`lane-${index}`, 20));
        const turns = Array<number>(count).fill(0);
        let servedLast: string | undefined;
        const rounds = Math.ceil(count / maxBatch);
        for (let round = 0; round < rounds; round++) {
          const plan = planBatch(waiting, { maxBatch, maxWaitMs: 0 }, { ...NOW, servedLast });
          if (plan.kind !== 'run') throw new Error('does not run');
          plan.take.forEach((taken, index) => {
            turns[index] = (turns[index] ?? 0) + taken;
          });
          servedLast = plan.servedLast;
        }
        expect(Math.min(...turns)).toBeGreaterThanOrEqual(1);
      }),
    );
  });
});

describe('chooseBatchPolicy', () => {
  const timings = (...all: [pictures: number, ms: number][]) => all.map(([pictures, ms]) => ({ pictures, ms }));

  it.each([
    ['a model that gains nothing', timings([1, 10], [2, 20], [4, 40]), { maxBatch: 1, maxWaitMs: 0 }],
    ['one that gains up to two', timings([1, 10], [2, 16], [4, 32]), { maxBatch: 2, maxWaitMs: 4 }],
    ['one that gains a little more at four', timings([1, 10], [2, 16], [4, 31]), { maxBatch: 2, maxWaitMs: 4 }],
    ['one that goes on gaining', timings([1, 2], [2, 2.5], [4, 3], [8, 4]), { maxBatch: 8, maxWaitMs: 1.5 }],
    ['one whose larger runs block the rest', timings([1, 40], [2, 55], [4, 61]), { maxBatch: 2, maxWaitMs: 5 }],
    ['one that blocks the rest alone', timings([1, 400], [2, 500]), { maxBatch: 1, maxWaitMs: 0 }],
  ])('fits %s', (_, measured, policy) => {
    expect(chooseBatchPolicy(measured)).toEqual(policy);
  });

  it('needs timings', () => {
    expect(() => chooseBatchPolicy([])).toThrow(RangeError);
  });
});
