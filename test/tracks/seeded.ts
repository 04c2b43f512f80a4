/** Uniform in 0..1, the same sequence for the same seed. */
export type Random = () => number;

/** mulberry32. */
export function seeded(seed: number): Random {
  let state = Math.imul(seed, 0x9e3779b9) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const between = (random: Random, low: number, high: number) => low + (high - low) * random();
export const side = (random: Random) => (random() < 0.5 ? -1 : 1);

/** About normal, variance 1. */
export function spread(random: Random): number {
  let sum = 0;
  for (let count = 0; count < 12; count++) sum += random();
  return sum - 6;
}
