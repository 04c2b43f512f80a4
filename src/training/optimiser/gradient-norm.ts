import type { Values } from '../engine.ts';

/** L2 norm of all gradients together; not finite when one of them is not. */
export function globalNorm(gradients: Values): number {
  let sum = 0;
  for (const values of Object.values(gradients)) {
    // An array of known length is summed apart: a double holds 2 million squares without loss that matters.
    let part = 0;
    for (let index = 0; index < values.length; index++) {
      const value = values[index] ?? 0;
      part += value * value;
    }
    sum += part;
  }
  return Math.sqrt(sum);
}

/** What gradients of this norm are multiplied with so that it is at most `most` (Pascanu et al., ICML 2013). */
export function clipFactor(norm: number, most: number | null): number {
  return most !== null && norm > most ? most / norm : 1;
}
