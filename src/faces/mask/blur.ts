import type { Size } from '../../core/geometry.ts';
import type { Window } from './raster.ts';
import { scratch } from './scratch.ts';

const rowsFor = scratch((length) => new Float64Array(length));

/**
 * Gaussian blur in place of `channels` interleaved values a pixel; what lies outside counts as zero.
 *
 * @param within the part outside of which all is zero; the whole when left out
 */
export function blur(pixels: Float32Array, size: Size, channels: number, sigma: number, within?: Window): void {
  if (!(sigma > 0.05)) return;
  const kernel = gaussian(sigma);
  const radius = kernel.length - 1;
  const { x, y: top, width, height } = within ?? { x: 0, y: 0, ...size };
  const left = Math.max(0, x - radius);
  const row = (Math.min(size.width, x + width + radius) - left) * channels;
  const at = (y: number) => (y * size.width + left) * channels;
  // Of double width, so that each value is converted once and not for each weight.
  const line = new Float64Array(row + 2 * radius * channels);
  // Columns a row at a time: the values of a row and of its neighbours lie together in memory.
  const rows = rowsFor((height + 4 * radius) * row).fill(0);
  // Of each row only what is not zero is blurred, with what it spreads to.
  const starts = new Int32Array(height).fill(row);
  const ends = new Int32Array(height);
  const reach = radius * channels;
  for (let y = 0; y < height; y++) {
    const from = at(top + y);
    let first = 0;
    while (first < row && pixels[from + first] === 0) first++;
    if (first === row) continue;
    let past = row;
    while (pixels[from + past - 1] === 0) past--;
    const start = Math.max(0, first - reach);
    const end = Math.min(row, past + reach);
    starts[y] = start;
    ends[y] = end;
    const taken = Math.max(0, start - reach);
    line.set(pixels.subarray(from + taken, from + Math.min(row, end + reach)), reach + taken);
    weighted(line, reach + start, channels, rows, (y + 2 * radius) * row + start, end - start, kernel);
  }
  const last = Math.min(size.height, top + height + radius);
  for (let y = Math.max(0, top - radius); y < last; y++) {
    let [start, end] = [row, 0];
    for (let near = Math.max(0, y - top - radius); near <= Math.min(height - 1, y - top + radius); near++) {
      start = Math.min(start, starts[near] as number);
      end = Math.max(end, ends[near] as number);
    }
    if (start < end) {
      weighted(rows, (y - top + 2 * radius) * row + start, row, pixels, at(y) + start, end - start, kernel);
    }
  }
}

/** Half a kernel, from its middle outwards. A slight blur takes three pixels (of five), weighted for the same variance. */
function gaussian(sigma: number): Float64Array {
  if (sigma < 0.7) return Float64Array.of(1 - sigma * sigma, (sigma * sigma) / 2, 0);
  const radius = Math.ceil(sigma * 2);
  const kernel = Float64Array.from({ length: radius + 1 }, (_, at) => Math.exp(-(at * at) / (2 * sigma * sigma)));
  const sum = kernel.reduce((total, weight, at) => total + (at === 0 ? weight : 2 * weight), 0);
  return kernel.map((weight) => weight / sum);
}

/**
 * `target[to + i]` from the values around `source[from + i]`, `step` apart, by the weights of half a kernel; each as a float
 * of 32 bits has it, whatever `target` holds.
 */
function weighted(
  source: Float64Array,
  from: number,
  step: number,
  target: Float32Array | Float64Array,
  to: number,
  count: number,
  kernel: Float64Array,
): void {
  const radius = kernel.length - 1;
  const w0 = kernel[0] as number;
  const w1 = kernel[1] as number;
  const w2 = kernel[2] as number;
  const w3 = radius > 2 ? (kernel[3] as number) : 0;
  const w4 = radius > 3 ? (kernel[4] as number) : 0;
  const [two, three, four] = [2 * step, 3 * step, 4 * step];
  const end = from + count;
  // The usual kernels without a loop inside, and integers that need not be watched for becoming too large: this is where
  // drawing a mask takes most of its time.
  if (radius === 2) {
    for (let s = from, t = to; s < end; s++, t++) {
      target[t] = Math.fround(
        w0 * (source[s] as number) +
          w1 * ((source[(s - step) | 0] as number) + (source[(s + step) | 0] as number)) +
          w2 * ((source[(s - two) | 0] as number) + (source[(s + two) | 0] as number)),
      );
    }
  } else if (radius === 3) {
    for (let s = from, t = to; s < end; s++, t++) {
      target[t] = Math.fround(
        w0 * (source[s] as number) +
          w1 * ((source[(s - step) | 0] as number) + (source[(s + step) | 0] as number)) +
          w2 * ((source[(s - two) | 0] as number) + (source[(s + two) | 0] as number)) +
          w3 * ((source[(s - three) | 0] as number) + (source[(s + three) | 0] as number)),
      );
    }
  } else if (radius === 4) {
    for (let s = from, t = to; s < end; s++, t++) {
      target[t] = Math.fround(
        w0 * (source[s] as number) +
          w1 * ((source[(s - step) | 0] as number) + (source[(s + step) | 0] as number)) +
          w2 * ((source[(s - two) | 0] as number) + (source[(s + two) | 0] as number)) +
          w3 * ((source[(s - three) | 0] as number) + (source[(s + three) | 0] as number)) +
          w4 * ((source[(s - four) | 0] as number) + (source[(s + four) | 0] as number)),
      );
    }
  } else {
    for (let s = from, t = to; s < end; s++, t++) {
      let value = w0 * (source[s] as number);
      for (let by = 1; by <= radius; by++) {
        value += (kernel[by] as number) * ((source[s - by * step] as number) + (source[s + by * step] as number));
      }
      target[t] = Math.fround(value);
    }
  }
}

const beforeFor = scratch((length) => new Float32Array(length));

/** Two running means in place, near enough to a Gaussian of deviation `sigma`; what lies outside counts as zero. */
export function smear(plane: Float32Array, { width, height }: Size, sigma: number): void {
  // The variance of a mean over 2r + 1 values is r (r + 1) / 3.
  const radius = Math.max(1, Math.round(Math.sqrt(0.25 + 1.5 * sigma * sigma) - 0.5));
  const across = beforeFor(plane.length);
  const sums = new Float64Array(width);
  for (let pass = 0; pass < 2; pass++) {
    for (let y = 0; y < height; y++) meanAlong(plane, across, y * width, width, radius);
    meanDown(across, plane, { width, height }, radius, sums);
  }
}

/** Running mean over a row. */
function meanAlong(before: Float32Array, plane: Float32Array, start: number, count: number, radius: number): void {
  const share = 1 / (2 * radius + 1);
  const end = start + count;
  let sum = 0;
  let ahead = start;
  while (ahead < Math.min(start + radius, end)) sum += before[ahead++] as number;
  let at = start;
  // Up to where the first value falls out, from there to where no more come in, and the rest.
  for (const grown = Math.min(start + radius + 1, end); at < grown; at++) {
    if (ahead < end) sum += before[ahead++] as number;
    plane[at] = sum * share;
  }
  let behind = start;
  for (; ahead < end; at++) {
    // One sum: the next waits for it.
    sum += (before[ahead++] as number) - (before[behind++] as number);
    plane[at] = sum * share;
  }
  for (; at < end; at++) {
    sum -= before[behind++] as number;
    plane[at] = sum * share;
  }
}

/** Running means over all columns at once, a row at a time: the values of a row lie together in memory. */
function meanDown(
  before: Float32Array,
  plane: Float32Array,
  { width, height }: Size,
  radius: number,
  sums: Float64Array,
): void {
  const share = 1 / (2 * radius + 1);
  sums.fill(0);
  for (let y = 0; y < Math.min(radius, height); y++) {
    const row = y * width;
    for (let x = 0; x < width; x++) sums[x] = (sums[x] as number) + (before[row + x] as number);
  }
  for (let y = 0; y < height; y++) {
    const row = y * width;
    const ahead = row + radius * width;
    const behind = row - (radius + 1) * width;
    const adds = y + radius < height;
    const drops = y - radius > 0;
    if (adds && drops) {
      for (let x = 0; x < width; x++) {
        const sum = (sums[x] as number) + (before[ahead + x] as number) - (before[behind + x] as number);
        sums[x] = sum;
        plane[row + x] = sum * share;
      }
    } else {
      for (let x = 0; x < width; x++) {
        let sum = sums[x] as number;
        if (adds) sum += before[ahead + x] as number;
        if (drops) sum -= before[behind + x] as number;
        sums[x] = sum;
        plane[row + x] = sum * share;
      }
    }
  }
}
