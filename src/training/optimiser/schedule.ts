import type { Schedule } from '../engine.ts';

/**
 * Learning rate of a step, the first being 0: a line up to `peak` that is reached after `warmUpSteps`, then half a cosine
 * down to `final` at the last step (Loshchilov and Hutter, SGDR, ICLR 2017, without restarts).
 */
export function learningRate({ peak, final = 0, warmUpSteps = 0, steps }: Schedule, step: number): number {
  if (step < warmUpSteps) return (peak * (step + 1)) / warmUpSteps;
  const length = Math.max(1, steps - 1 - warmUpSteps);
  const done = Math.min(1, (step - warmUpSteps) / length);
  return final + ((peak - final) * (1 + Math.cos(Math.PI * done))) / 2;
}
