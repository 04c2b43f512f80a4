import { relight } from './relight.ts';
import type { RgbImage } from './warp.ts';

/** What happens to a picture between a face and the encoder: light, lens, sensor, compression. */

const CHANNELS = 3;

/** How strong each kind of change may be; 0 leaves it out. A share is how many of the pictures get it. */
export interface Degradation {
  /** Share in another light. */
  readonly lightShare: number;
  /** Largest change of brightness, as a share of white. */
  readonly brightness: number;
  /** Largest change of contrast, saturation and each channel's gain, as shares. */
  readonly contrast: number;
  readonly saturation: number;
  readonly tint: number;
  readonly blurShare: number;
  /** Largest deviation of a Gaussian blur, pixels. */
  readonly blurPx: number;
  readonly shrinkShare: number;
  /** Least size it is shrunk to and enlarged from again. */
  readonly shrinkTo: number;
  readonly jpegShare: number;
  readonly jpegQuality: number;
  /** Largest deviation of noise, grey levels. */
  readonly noise: number;
}

/**
 * A picture as a camera might have given it instead.
 *
 * @param random numbers in 0..1; the same numbers give the same picture
 */
export function degrade(image: RgbImage, how: Degradation, random: () => number): RgbImage {
  // No number is drawn where there is no other light: recipes without it give what they gave.
  const lit = how.lightShare > 0 && random() < how.lightShare ? relight(image, random) : image;
  let result = recolour(lit, how, random);
  if (random() < how.shrinkShare) result = coarsened(result, how.shrinkTo + (1 - how.shrinkTo) * random());
  if (random() < how.blurShare) result = blurred(result, how.blurPx * random());
  if (how.noise > 0) addNoise(result, how.noise * random() ** 2, random);
  if (random() < how.jpegShare) result = jpegRoundTrip(result, how.jpegQuality + (95 - how.jpegQuality) * random());
  return result;
}

function recolour({ rgb, width, height }: RgbImage, how: Degradation, random: () => number): RgbImage {
  const either = (size: number) => (2 * random() - 1) * size;
  const contrast = 1 + either(how.contrast);
  const offset = 255 * either(how.brightness) + 128 * (1 - contrast);
  const saturation = 1 + either(how.saturation);
  const gains = [1 + either(how.tint), 1 + either(how.tint), 1 + either(how.tint)];
  const out = new Uint8Array(rgb.length);
  for (let at = 0; at < rgb.length; at += CHANNELS) {
    const red = rgb[at] ?? 0;
    const green = rgb[at + 1] ?? 0;
    const blue = rgb[at + 2] ?? 0;
    const grey = 0.299 * red + 0.587 * green + 0.114 * blue;
    out[at] = byte((grey + saturation * (red - grey)) * contrast * (gains[0] ?? 1) + offset);
    out[at + 1] = byte((grey + saturation * (green - grey)) * contrast * (gains[1] ?? 1) + offset);
    out[at + 2] = byte((grey + saturation * (blue - grey)) * contrast * (gains[2] ?? 1) + offset);
  }
  return { rgb: out, width, height };
}

/** Shrunk by averaging areas to `share` of its size and enlarged again by bilinear sampling. */
export function coarsened({ rgb, width, height }: RgbImage, share: number): RgbImage {
  const across = Math.max(2, Math.round(width * share));
  const down = Math.max(2, Math.round(height * share));
  const narrow = resampled(rgb, width, height, across, true);
  const small = resampled(turned(narrow, across, height), height, across, down, true);
  const tall = resampled(small, down, across, height, false);
  const whole = resampled(turned(tall, height, across), across, height, width, false);
  return { rgb: whole, width, height };
}

/** Rows of `width` pixels resampled to `target` pixels: by areas when shrinking, else between pixels. */
function resampled(rgb: Uint8Array, width: number, rows: number, target: number, areas: boolean): Uint8Array {
  const out = new Uint8Array(target * rows * CHANNELS);
  const step = width / target;
  for (let x = 0; x < target; x++) {
    const spans = areas ? areaWeights(x * step, (x + 1) * step, width) : pairWeights((x + 0.5) * step - 0.5, width);
    for (let row = 0; row < rows; row++) {
      for (let channel = 0; channel < CHANNELS; channel++) {
        let sum = 0.5;
        for (const { at, weight } of spans) sum += weight * (rgb[(row * width + at) * CHANNELS + channel] ?? 0);
        out[(row * target + x) * CHANNELS + channel] = sum;
      }
    }
  }
  return out;
}

function areaWeights(from: number, to: number, width: number): { at: number; weight: number }[] {
  const spans: { at: number; weight: number }[] = [];
  for (let at = Math.floor(from); at < Math.min(width, Math.ceil(to)); at++) {
    const weight = (Math.min(to, at + 1) - Math.max(from, at)) / (to - from);
    if (weight > 1e-9) spans.push({ at, weight });
  }
  return spans;
}

function pairWeights(place: number, width: number): { at: number; weight: number }[] {
  const within = Math.min(Math.max(place, 0), width - 1);
  const at = Math.floor(within);
  const share = within - at;
  return share > 0
    ? [
        { at, weight: 1 - share },
        { at: at + 1, weight: share },
      ]
    : [{ at, weight: 1 }];
}

/** Rows made columns. */
function turned(rgb: Uint8Array, width: number, height: number): Uint8Array {
  const out = new Uint8Array(rgb.length);
  let from = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++, from += CHANNELS) {
      const at = (x * height + y) * CHANNELS;
      out[at] = rgb[from] ?? 0;
      out[at + 1] = rgb[from + 1] ?? 0;
      out[at + 2] = rgb[from + 2] ?? 0;
    }
  }
  return out;
}

/** A Gaussian blur; nothing where its deviation is too small to show. Edges are repeated. */
export function blurred(image: RgbImage, deviationPx: number): RgbImage {
  if (deviationPx < 0.2) return image;
  const { width, height } = image;
  const radius = Math.max(1, Math.ceil(2.5 * deviationPx));
  const kernel = Array.from({ length: 2 * radius + 1 }, (_, at) =>
    Math.exp(-((at - radius) ** 2) / 2 / deviationPx ** 2),
  );
  const total = kernel.reduce((sum, value) => sum + value, 0);
  const along = (rgb: Uint8Array, across: number, rows: number) => {
    const out = new Uint8Array(rgb.length);
    for (let row = 0; row < rows; row++) {
      for (let x = 0; x < across; x++) {
        let [red, green, blue] = [0, 0, 0];
        for (let tap = -radius; tap <= radius; tap++) {
          const from = (row * across + Math.min(Math.max(x + tap, 0), across - 1)) * CHANNELS;
          const weight = (kernel[tap + radius] ?? 0) / total;
          red += weight * (rgb[from] ?? 0);
          green += weight * (rgb[from + 1] ?? 0);
          blue += weight * (rgb[from + 2] ?? 0);
        }
        const at = (row * across + x) * CHANNELS;
        out[at] = red + 0.5;
        out[at + 1] = green + 0.5;
        out[at + 2] = blue + 0.5;
      }
    }
    return out;
  };
  const rows = turned(along(image.rgb, width, height), width, height);
  return { rgb: turned(along(rows, height, width), height, width), width, height };
}

function addNoise({ rgb }: RgbImage, deviation: number, random: () => number): void {
  if (deviation < 0.5) return;
  for (let at = 0; at < rgb.length; at++) {
    // A sum of four is near enough to a Gaussian, and cheaper than a logarithm.
    const noise = (random() + random() + random() + random() - 2) * 1.73 * deviation;
    rgb[at] = byte((rgb[at] ?? 0) + noise);
  }
}

/** Quantisation of luminance and chrominance at quality 50: ITU-T T.81, annex K.1. */
const LUMINANCE = [
  16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51,
  87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101,
  72, 92, 95, 98, 112, 100, 103, 99,
];
const CHROMINANCE = [
  17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99,
  99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
  99, 99, 99, 99, 99, 99,
];
const BLOCK = 8;
/** Basis of the discrete cosine transform: row k is the wave of frequency k. */
const COSINES = Float64Array.from({ length: BLOCK * BLOCK }, (_, at) => {
  const frequency = Math.floor(at / BLOCK);
  const place = at % BLOCK;
  const scale = frequency === 0 ? Math.sqrt(1 / BLOCK) : Math.sqrt(2 / BLOCK);
  return scale * Math.cos(((2 * place + 1) * frequency * Math.PI) / (2 * BLOCK));
});

/**
 * What baseline JPEG (ITU-T T.81) of a quality leaves of a picture: 8x8 cosine transforms of Y, Cb and Cr, quantised with the
 * usual tables. Colour is not subsampled.
 */
export function jpegRoundTrip({ rgb, width, height }: RgbImage, quality: number): RgbImage {
  const scale = (quality < 50 ? 5000 / quality : 200 - 2 * quality) / 100;
  const tables = [LUMINANCE, CHROMINANCE, CHROMINANCE].map((table) =>
    table.map((value) => Math.min(Math.max(Math.round(value * scale), 1), 255)),
  );
  const out = new Uint8Array(rgb.length);
  const planes = [new Float64Array(64), new Float64Array(64), new Float64Array(64)] as const;
  const scratch = new Float64Array(64);
  for (let top = 0; top < height; top += BLOCK) {
    for (let left = 0; left < width; left += BLOCK) {
      for (let at = 0; at < 64; at++) {
        const x = Math.min(left + (at % BLOCK), width - 1);
        const y = Math.min(top + (at >> 3), height - 1);
        const from = (y * width + x) * CHANNELS;
        const red = rgb[from] ?? 0;
        const green = rgb[from + 1] ?? 0;
        const blue = rgb[from + 2] ?? 0;
        planes[0][at] = 0.299 * red + 0.587 * green + 0.114 * blue - 128;
        planes[1][at] = -0.168736 * red - 0.331264 * green + 0.5 * blue;
        planes[2][at] = 0.5 * red - 0.418688 * green - 0.081312 * blue;
      }
      for (const [channel, plane] of planes.entries()) quantise(plane, scratch, tables[channel] ?? []);
      for (let at = 0; at < 64; at++) {
        const x = left + (at % BLOCK);
        const y = top + (at >> 3);
        if (x >= width || y >= height) continue;
        const luma = (planes[0][at] ?? 0) + 128;
        const cb = planes[1][at] ?? 0;
        const cr = planes[2][at] ?? 0;
        const to = (y * width + x) * CHANNELS;
        out[to] = byte(luma + 1.402 * cr);
        out[to + 1] = byte(luma - 0.344136 * cb - 0.714136 * cr);
        out[to + 2] = byte(luma + 1.772 * cb);
      }
    }
  }
  return { rgb: out, width, height };
}

/** Transforms a block, rounds it to the table's steps and transforms it back, in place. */
function quantise(block: Float64Array, scratch: Float64Array, table: readonly number[]): void {
  transform(block, scratch, false);
  transform(scratch, block, false);
  for (let at = 0; at < 64; at++) {
    const step = table[at] ?? 1;
    block[at] = Math.round((block[at] ?? 0) / step) * step;
  }
  transform(block, scratch, true);
  transform(scratch, block, true);
}

/** One-dimensional transforms of the rows, written as columns: twice makes the transform of the block. */
function transform(from: Float64Array, to: Float64Array, back: boolean): void {
  for (let row = 0; row < BLOCK; row++) {
    for (let k = 0; k < BLOCK; k++) {
      let sum = 0;
      for (let at = 0; at < BLOCK; at++) {
        sum += (from[row * BLOCK + at] ?? 0) * (COSINES[back ? at * BLOCK + k : k * BLOCK + at] ?? 0);
      }
      to[k * BLOCK + row] = sum;
    }
  }
}

function byte(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : value + 0.5;
}
