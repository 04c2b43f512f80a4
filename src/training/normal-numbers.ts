import { seededRandom } from '../core/seeded-random.ts';

/** Normal numbers of mean 0 and variance 1 (Box and Muller, 1958). */
export function normalNumbers(seed: number): () => number {
  const random = seededRandom(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
