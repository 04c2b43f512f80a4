import type { Values } from '../engine.ts';

/**
 * Weights between those a training began with and those it came to, on the straight line: a model that goes on learning keeps what
 * it knew, and is mostly better than both where each is good at something else (WiSE-FT: Wortsman et al., Robust Fine-Tuning of
 * Zero-Shot Models, 2022).
 *
 * @param share of the first ones, 0..1; those trained where 0
 */
export function keepWeights(first: Values, trained: Values, share: number): Values {
  if (share === 0) return trained;
  return Object.fromEntries(
    Object.entries(trained).map(([name, values]) => {
      const before = first[name];
      if (before?.length !== values.length) throw new RangeError(`${name} is not what training began with`);
      return [name, values.map((value, at) => share * (before[at] ?? 0) + (1 - share) * value)];
    }),
  );
}
