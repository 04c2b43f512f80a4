import type { Size } from '../../core/geometry.ts';
import { selected } from '../../core/select.ts';
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
const SAMPLES = 1500;
const LEAST_SAMPLES = 16;
const UNKNOWN: Grain = { blur: 0.7, noise: 1 };
/** Noise is read off where there is least structure: this quantile, which of a normal's absolute value is 0.4538. */
const QUIET = 0.35;
const QUIET_QUANTILE = 0.4538;
/** What noise of deviation one becomes through the filter 1 -2 1, -2 4 -2, 1 -2 1. */
const FILTER_NORM = 6;
/** Share of the pixels that count as edges. */
const STEEP = 0.025;

/**
 * Measures blur and noise in the part of a picture around a face. Noise: Immerkaer, "Fast noise variance estimation",
 * 1996, over the pixels where there is least structure. Blur: how much less grey levels differ one pixel apart than three
 * apart where they differ most, which for an edge blurred by a Gaussian tells its deviation.
 */
export function measureGrain(rgb: Uint8Array, size: Size, around: Window): Grain {
  const left = Math.max(2, around.x);
  const top = Math.max(2, around.y);
  const right = Math.min(size.width - 3, around.x + around.width - 1);
  const bottom = Math.min(size.height - 3, around.y + around.height - 1);
  const across = right - left + 1;
  const step = Math.max(1, Math.round(Math.sqrt((Math.max(across, 0) * Math.max(bottom - top + 1, 0)) / SAMPLES)));
  const count = Math.max(0, Math.ceil(across / step)) * Math.max(0, Math.ceil((bottom - top + 1) / step));
  if (count < LEAST_SAMPLES) return UNKNOWN;
  const residuals = new Float32Array(count);
  const near = new Float32Array(count);
  const far = new Float32Array(count);
  const grey = (x: number, y: number) => {
    const at = (y * size.width + x) * 3;
    return 0.299 * (rgb[at] as number) + 0.587 * (rgb[at + 1] as number) + 0.114 * (rgb[at + 2] as number);
  };
  let sample = 0;
  for (let y = top; y <= bottom; y += step) {
    for (let x = left; x <= right; x += step) {
      const centre = grey(x, y);
      const beside = grey(x + 1, y);
      const below = grey(x, y + 1);
      const above = grey(x, y - 1);
      const before = grey(x - 1, y);
      const corners = grey(x - 1, y - 1) + grey(x + 1, y - 1) + grey(x - 1, y + 1) + grey(x + 1, y + 1);
      residuals[sample] = Math.abs(4 * centre - 2 * (above + below + before + beside) + corners);
      near[sample] = (beside - centre) ** 2 + (below - centre) ** 2;
      far[sample] = (grey(x + 2, y) - before) ** 2 + (grey(x, y + 2) - above) ** 2;
      sample++;
    }
  }
  const noise = Math.min(selected(residuals, Math.floor(count * QUIET)) / FILTER_NORM / QUIET_QUANTILE, NOISIEST);

  const steep = selected(far.slice(), Math.floor(count * (1 - STEEP)));
  let [nearSum, farSum] = [1e-6, 1e-6];
  for (let at = 0; at < count; at++) {
    if ((far[at] ?? 0) < steep) continue;
    nearSum += near[at] ?? 0;
    farSum += far[at] ?? 0;
  }
  return { blur: blurOf(Math.sqrt(nearSum / farSum)), noise };
}

/** Greatest slope of a blurred edge over one pixel as a share of that over three, and the deviation of the blur. */
const SLOPES: readonly (readonly [ratio: number, blur: number])[] = [
  0.3, 0.4, 0.5, 0.6, 0.7, 0.85, 1, 1.2, 1.5, 2, 2.6,
].map((blur) => [erf(0.5 / blur / Math.SQRT2) / erf(1.5 / blur / Math.SQRT2), blur]);

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
