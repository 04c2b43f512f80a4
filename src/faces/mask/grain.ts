import type { Size } from '../../core/geometry.ts';
import type { Window } from './raster.ts';

/** How sharp and how noisy a picture is, so that what is drawn into it is neither sharper nor cleaner. */
export interface Grain {
  /** Deviation of the Gaussian that blurs an edge, pixels. */
  readonly blur: number;
  /** Deviation of the noise, grey levels of 255. */
  readonly noise: number;
}

const SHARPEST = 0.45;
const NOISIEST = 12;

/**
 * Measures blur and noise in the part of a picture around a face. Noise: Immerkaer, "Fast noise variance estimation",
 * 1996, over the pixels where there is least structure. Blur: how much less grey levels differ one pixel apart than two
 * (three and six in a blurred one), which for an edge blurred by a Gaussian tells its deviation.
 */
export function measureGrain(rgb: Uint8Array, size: Size, around: Window): Grain {
  const left = Math.max(2, around.x);
  const top = Math.max(2, around.y);
  const right = Math.min(size.width - 3, around.x + around.width - 1);
  const bottom = Math.min(size.height - 3, around.y + around.height - 1);
  const step = Math.max(1, Math.floor(Math.sqrt(((right - left) * (bottom - top)) / 4000)));
  const residuals: number[] = [];
  const steep: [gradient: number, near: number, far: number][] = [];
  const grey = (x: number, y: number) => {
    const at = (y * size.width + x) * 3;
    return 0.299 * (rgb[at] ?? 0) + 0.587 * (rgb[at + 1] ?? 0) + 0.114 * (rgb[at + 2] ?? 0);
  };
  for (let y = top; y <= bottom; y += step) {
    for (let x = left; x <= right; x += step) {
      const corners = grey(x - 1, y - 1) + grey(x + 1, y - 1) + grey(x - 1, y + 1) + grey(x + 1, y + 1);
      const sides = grey(x, y - 1) + grey(x, y + 1) + grey(x - 1, y) + grey(x + 1, y);
      const centre = grey(x, y);
      residuals.push(Math.abs(4 * centre - 2 * sides + corners));
      const near = (grey(x + 1, y) - centre) ** 2 + (grey(x, y + 1) - centre) ** 2;
      const far = (grey(x + 2, y) - grey(x - 1, y)) ** 2 + (grey(x, y + 2) - grey(x, y - 1)) ** 2;
      steep.push([near + far, near, far]);
    }
  }
  if (residuals.length < 16) return { blur: 0.7, noise: 1 };
  residuals.sort((a, b) => a - b);
  // The quieter half; a third of the median of a normal's absolute value is 0.6745 / 6 for this filter.
  const quiet = residuals[Math.floor(residuals.length * 0.35)] ?? 0;
  const noise = Math.min(quiet / 6 / 0.4538, NOISIEST);

  steep.sort((a, b) => b[0] - a[0]);
  let [near, far] = [1e-6, 1e-6];
  for (const [, one, three] of steep.slice(0, Math.ceil(steep.length * 0.08))) {
    near += one;
    far += three;
  }
  return { blur: blurOf(Math.sqrt(near / far)), noise };
}

/** Greatest slope of a blurred edge over one pixel as a share of that over three, and the deviation of the blur. */
const SLOPES: readonly (readonly [ratio: number, blur: number])[] = [0.3, 0.4, 0.5, 0.6, 0.7, 0.85, 1, 1.2, 1.5, 2, 2.6].map(
  (blur) => [erf(0.5 / blur / Math.SQRT2) / erf(1.5 / blur / Math.SQRT2), blur],
);

function blurOf(ratio: number): number {
  let [ratioBefore, blurBefore] = [1, 0];
  for (const [at, blur] of SLOPES) {
    if (ratio >= at) {
      const share = (ratioBefore - ratio) / (ratioBefore - at);
      return Math.max(SHARPEST, blurBefore + share * (blur - blurBefore));
    }
    [ratioBefore, blurBefore] = [at, blur];
  }
  return blurBefore;
}

/** Error function (Abramowitz & Stegun 7.1.26, to within 1.5e-7). */
function erf(x: number): number {
  const t = 1 / (1 + 0.3275911 * x);
  const sum = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return 1 - sum * Math.exp(-x * x);
}
