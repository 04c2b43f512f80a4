/** Coefficients of Press et al., "Numerical Recipes" (1992), 6.2: erfc with a relative error below 1.2e-7 everywhere. */
const ERFC = [
  -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223,
  0.17087277,
];

/** Peter Acklam's rational approximation of the normal quantile (2003), relative error below 1.2e-9. */
const CENTRE = {
  over: [
    -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716, 2.506628277459239,
  ],
  under: [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572, 1],
};
const TAIL = {
  over: [
    -0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968,
    2.938163982698783,
  ],
  under: [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1],
};
const TAIL_BEGINS = 0.02425;

/** Chance that a standard normal variable is above `z`. */
export function normalTail(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.5 * x);
  const tail = 0.5 * t * Math.exp(-x * x + polynomial([...ERFC].reverse(), t));
  return z >= 0 ? tail : 1 - tail;
}

/** The value a standard normal variable is above with chance `p`; infinite at 0 and 1. */
export function normalTailQuantile(p: number): number {
  if (!(p > 0)) return Number.POSITIVE_INFINITY;
  if (!(p < 1)) return Number.NEGATIVE_INFINITY;
  if (p > 1 - TAIL_BEGINS) return -normalTailQuantile(1 - p);
  if (p < TAIL_BEGINS) {
    const q = Math.sqrt(-2 * Math.log(p));
    return -polynomial(TAIL.over, q) / polynomial(TAIL.under, q);
  }
  const q = 0.5 - p;
  const r = q * q;
  return (q * polynomial(CENTRE.over, r)) / polynomial(CENTRE.under, r);
}

/** By Horner's rule, highest power first. */
function polynomial(coefficients: readonly number[], x: number): number {
  return coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0);
}
