import { type Affine, invert, type Size } from '../../core/geometry.ts';

/** Pixels in rows, channels interleaved: 3 bytes a pixel (RGB). */
export interface RgbImage extends Size {
  readonly rgb: Uint8Array;
}

const CHANNELS = 3;

/**
 * An affine warp by bilinear sampling; black outside of the picture. What OpenCV's `warpAffine` does in the daemon, without
 * OpenCV: its add-on cannot be loaded in a thread.
 *
 * @param matrix picture to crop coordinates, pixel centres at whole numbers
 * Throws RangeError when the matrix cannot be inverted.
 */
export function warp(image: RgbImage, matrix: Affine, size: Size): RgbImage {
  const { rgb, width, height } = image;
  const [a, b, c, d, e, f] = invert(matrix);
  const out = new Uint8Array(size.width * size.height * CHANNELS);
  let at = 0;
  for (let y = 0; y < size.height; y++) {
    for (let x = 0; x < size.width; x++, at += CHANNELS) {
      const u = a * x + b * y + c;
      const v = d * x + e * y + f;
      const left = Math.floor(u);
      const top = Math.floor(v);
      if (left < -1 || top < -1 || left >= width || top >= height) continue;
      const right = u - left;
      const low = v - top;
      const hasLeft = left >= 0;
      const hasRight = left + 1 < width;
      const from = (top * width + left) * CHANNELS;
      const below = from + width * CHANNELS;
      const w00 = top >= 0 && hasLeft ? (1 - right) * (1 - low) : 0;
      const w01 = top >= 0 && hasRight ? right * (1 - low) : 0;
      const w10 = top + 1 < height && hasLeft ? (1 - right) * low : 0;
      const w11 = top + 1 < height && hasRight ? right * low : 0;
      for (let channel = 0; channel < CHANNELS; channel++) {
        let value = 0.5;
        if (w00 > 0) value += w00 * (rgb[from + channel] ?? 0);
        if (w01 > 0) value += w01 * (rgb[from + CHANNELS + channel] ?? 0);
        if (w10 > 0) value += w10 * (rgb[below + channel] ?? 0);
        if (w11 > 0) value += w11 * (rgb[below + CHANNELS + channel] ?? 0);
        out[at + channel] = value;
      }
    }
  }
  return { rgb: out, ...size };
}

/** The picture at half its size: averages of 2 x 2 pixels; a last odd row or column is left out. */
export function halved({ rgb, width, height }: RgbImage): RgbImage {
  const size = { width: width >> 1, height: height >> 1 };
  const out = new Uint8Array(size.width * size.height * CHANNELS);
  const row = width * CHANNELS;
  let at = 0;
  for (let y = 0; y < size.height; y++) {
    for (let x = 0; x < size.width; x++) {
      let from = 2 * y * row + 2 * x * CHANNELS;
      for (let channel = 0; channel < CHANNELS; channel++, from++, at++) {
        const sum =
          (rgb[from] ?? 0) + (rgb[from + CHANNELS] ?? 0) + (rgb[from + row] ?? 0) + (rgb[from + row + CHANNELS] ?? 0);
        out[at] = (sum + 2) >> 2;
      }
    }
  }
  return { rgb: out, ...size };
}

/** A similarity or affine matrix after a scaling of the source by one half, as {@link halved} does it. */
export function afterHalving([a, b, c, d, e, f]: Affine): Affine {
  // x = 2 x' + 0.5: the centre of a pixel of the half lies between two of the whole.
  return [2 * a, 2 * b, c + 0.5 * (a + b), 2 * d, 2 * e, f + 0.5 * (d + e)];
}

/** First `matrix`, then `then`. */
export function compose(then: Affine, matrix: Affine): Affine {
  const [a, b, c, d, e, f] = then;
  const [g, h, i, j, k, l] = matrix;
  return [a * g + b * j, a * h + b * k, a * i + b * l + c, d * g + e * j, d * h + e * k, d * i + e * l + f];
}

/** Grey values as OpenCV's conversion has them (ITU-R BT.601). */
export function greyOf({ rgb, width, height }: RgbImage): Uint8Array {
  const grey = new Uint8Array(width * height);
  for (let at = 0, from = 0; at < grey.length; at++, from += CHANNELS) {
    grey[at] = 0.299 * (rgb[from] ?? 0) + 0.587 * (rgb[from + 1] ?? 0) + 0.114 * (rgb[from + 2] ?? 0) + 0.5;
  }
  return grey;
}
