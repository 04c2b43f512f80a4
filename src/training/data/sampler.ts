import type { Size } from '../../core/geometry.ts';
import { seededRandom, seedOf } from '../../core/seeded-random.ts';
import type { InputContract } from '../../inference/manifest.ts';
import type { Batch } from '../engine.ts';
import type { RgbImage } from './warp.ts';

/** Makes the batches of a training, each from its number alone: a run that goes on after a stop sees what it would have seen. */
export interface Sampler {
  batch(number: number): Batch;
}

/** How a model takes pixels: (value - mean) * scale, channels apart and in the order of `colour`. */
export type PixelScale = Pick<InputContract, 'colour' | 'mean' | 'scale'>;

/** Pixels as a picture has them. */
export const RAW_PIXELS: PixelScale = { colour: 'rgb', mean: [0, 0, 0], scale: [1, 1, 1] };

/** Random numbers for one sample of one batch. */
export function sampleRandom(seed: number, batch: number, index: number): () => number {
  return seededRandom(seedOf(seed, `${batch} ${index}`));
}

/** Writes an RGB picture as planes of floats, the way a model takes them, from `offset` on. */
export function writePlanes(image: RgbImage, pixels: PixelScale, into: Float32Array, offset: number): void {
  const { rgb, width, height } = image;
  const { mean, scale } = pixels;
  const plane = width * height;
  for (let channel = 0; channel < 3; channel++) {
    const less = mean[channel] ?? 0;
    const times = scale[channel] ?? 1;
    for (let at = 0, from = inPicture(pixels, channel); at < plane; at++, from += 3) {
      into[offset + channel * plane + at] = ((rgb[from] ?? 0) - less) * times;
    }
  }
}

/** The picture that `writePlanes` wrote from `offset` on. */
export function readPlanes(
  planes: Float32Array,
  pixels: PixelScale,
  { width, height }: Size,
  offset: number,
): RgbImage {
  const { mean, scale } = pixels;
  const plane = width * height;
  const rgb = Uint8Array.from({ length: 3 * plane }, (_, at) => {
    const channel = inPicture(pixels, at % 3);
    const value = planes[offset + channel * plane + Math.floor(at / 3)] ?? 0;
    return Math.round(Math.min(255, Math.max(0, value / (scale[channel] ?? 1) + (mean[channel] ?? 0))));
  });
  return { rgb, width, height };
}

/** Where a model's channel is in a pixel of an RGB picture, and the other way round. */
function inPicture({ colour }: PixelScale, channel: number): number {
  return colour === 'bgr' ? 2 - channel : channel;
}

/** One of a list; throws RangeError when it is empty. */
export function pickOne<T>(list: readonly T[], random: () => number): T {
  const one = list[Math.min(Math.floor(random() * list.length), list.length - 1)];
  if (one === undefined) throw new RangeError('nothing to pick from');
  return one;
}

/** A number from `low` to `high`. */
export function between(low: number, high: number, random: () => number): number {
  return low + (high - low) * random();
}

/** Near a normal distribution: mean 0, deviation 1, never beyond 3.5. */
export function normal(random: () => number): number {
  return (random() + random() + random() + random() - 2) * Math.sqrt(3);
}
