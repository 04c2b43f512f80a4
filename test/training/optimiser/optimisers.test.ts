import { expect, it } from 'vitest';
import type { OptimiserSettings } from '../../../src/training/engine.ts';
import { clipFactor, globalNorm } from '../../../src/training/optimiser/gradient-norm.ts';
import { createOptimiser } from '../../../src/training/optimiser/optimiser.ts';
import { learningRate } from '../../../src/training/optimiser/schedule.ts';

/** Three steps of f(x) = x^2 / 2 from x = 1 at a rate of 0.1, worked out by hand from the papers' formulas. */
it.each<[string, OptimiserSettings, number[]]>([
  // Bias correction makes the first step the rate itself, and the decay comes on top: 1 (1 - 0.1 0.5) - 0.1 = 0.85. Then mean
  // (0.25 + 0.425) / 0.75 = 0.9, square (0.25 + 0.36125) / 0.75 = 0.815.
  [
    'adamw',
    { kind: 'adamw', beta1: 0.5, beta2: 0.5, epsilon: 0, weightDecay: 0.5 },
    [0.85, 0.85 * 0.95 - 0.09 / Math.sqrt(0.815)],
  ],
  // v1 = 1, x1 = 0.9; v2 = 0.9 + 0.9 = 1.8, x2 = 0.72; v3 = 1.62 + 0.72 = 2.34, x3 = 0.486.
  ['sgd', { kind: 'sgd', momentum: 0.9 }, [0.9, 0.72, 0.486]],
  // v1 = 1, x1 = 1 - 0.1 (1 + 0.9) = 0.81; v2 = 0.9 + 0.81 = 1.71, x2 = 0.81 - 0.1 (0.81 + 1.539) = 0.5751.
  ['sgd', { kind: 'sgd', momentum: 0.9, nesterov: true }, [0.81, 0.5751]],
  // The decay is part of the gradient: x1 = 1 - 0.1 (1 + 0.5).
  ['sgd', { kind: 'sgd', momentum: 0, weightDecay: 0.5 }, [0.85, 0.7225]],
])('%s moves as its paper says', (_, settings, wanted) => {
  const optimiser = createOptimiser(settings);
  const values = new Float32Array([1]);
  const slots = optimiser.slots.map(() => new Float32Array(1));
  for (const [index, expected] of wanted.entries()) {
    const gradient = values.slice();
    optimiser.update(values, gradient, slots, { step: index + 1, rate: 0.1, factor: 1, decays: true });
    expect(values[0]).toBeCloseTo(expected, 6);
  }
});

it('leaves biases out of the decay', () => {
  for (const settings of [
    { kind: 'adamw', weightDecay: 1 },
    { kind: 'sgd', weightDecay: 1 },
  ] as const) {
    const optimiser = createOptimiser(settings);
    const values = new Float32Array([1]);
    optimiser.update(
      values,
      new Float32Array(1),
      optimiser.slots.map(() => new Float32Array(1)),
      { step: 1, rate: 0.1, factor: 1, decays: false },
    );
    expect(values[0]).toBe(1);
  }
});

it('warms up, then follows half a cosine down', () => {
  const schedule = { peak: 1, final: 0.1, warmUpSteps: 4, steps: 15 };
  const rates = Array.from({ length: 17 }, (_, step) => learningRate(schedule, step));
  expect(rates.slice(0, 5)).toEqual([0.25, 0.5, 0.75, 1, 1]);
  expect(rates[9]).toBeCloseTo(0.55, 12);
  expect(rates[14]).toBeCloseTo(0.1, 12);
  expect(rates[16]).toBeCloseTo(0.1, 12);
  expect(learningRate({ peak: 1, steps: 1 }, 0)).toBe(1);
});

it('clips by the length of all gradients together', () => {
  const norm = globalNorm({ a: new Float32Array([3]), b: new Float32Array([0, 4]) });
  expect(norm).toBe(5);
  expect([clipFactor(5, 1), clipFactor(5, 10), clipFactor(5, null)]).toEqual([0.2, 1, 1]);
  expect(globalNorm({ a: new Float32Array([Number.NaN]) })).toBeNaN();
});
