import { type Affine, type Box, invert, type Size } from '../../core/geometry.ts';
import type { RgbImage } from './warp.ts';

/** How far a head is turned out of the picture, radians: to the side, and up or down. */
export interface HeadTurn {
  readonly yaw: number;
  readonly pitch: number;
}

const CHANNELS = 3;
/** Half axes of the head, in sizes of the face's box. */
const HEAD = { across: 0.66, down: 0.72 };
/** Share of the head's radius over which the turn fades out: the background stays, and nothing tears. */
const FADE = 0.3;
/** Share of the way the face goes in the box that the box goes with it: a detector centres what it sees. */
const FOLLOWS = 0.5;

/**
 * A crop of a face whose head is turned, as on an ellipsoid that the picture is painted on: what is near goes farther than what
 * is at the rim. Bilinear; black beyond `bounds`.
 *
 * @param box    of the face, pixels of the picture
 * @param matrix picture to crop
 * @param bounds part of the picture that is there
 */
export function turnedHead(
  image: RgbImage,
  {
    box,
    matrix,
    turn,
    bounds,
  }: { readonly box: Box; readonly matrix: Affine; readonly turn: HeadTurn; readonly bounds: Box },
  size: Size,
): RgbImage {
  const { rgb, width, height } = image;
  const [a, b, c, d, e, f] = invert(matrix);
  const [across, down] = [HEAD.across * box.width, HEAD.down * box.height];
  const [centreX, centreY] = [box.x + box.width / 2, box.y + box.height / 2];
  const { yaw, pitch } = turn;
  const [goneU, goneV] = [-FOLLOWS * Math.sin(yaw), -FOLLOWS * Math.sin(pitch)];
  const [sin, cos, sinPitch, cosPitch] = [Math.sin(yaw), Math.cos(yaw), Math.sin(pitch), Math.cos(pitch)];
  const [right, bottom] = [bounds.x + bounds.width, bounds.y + bounds.height];
  const out = new Uint8Array(size.width * size.height * CHANNELS);
  let at = 0;
  for (let row = 0; row < size.height; row++) {
    for (let column = 0; column < size.width; column++, at += CHANNELS) {
      // In radii of the head, from its centre; beside the head the picture stays.
      let u = (a * column + b * row + c - centreX) / across + goneU;
      let v = (d * column + e * row + f - centreY) / down + goneV;
      const squared = u * u + v * v;
      if (squared < 1) {
        const near = Math.sqrt(1 - squared);
        const share = Math.min(1, (1 - Math.sqrt(squared)) / FADE);
        const side = cos * u + sin * near;
        const low = cosPitch * v + sinPitch * (cos * near - sin * u);
        u += share * (side - u);
        v += share * (low - v);
      }
      const x = centreX + u * across;
      const y = centreY + v * down;
      if (x < bounds.x || y < bounds.y || x > right || y > bottom) continue;
      const left = Math.min(Math.max(Math.floor(x), 0), width - 2);
      const top = Math.min(Math.max(Math.floor(y), 0), height - 2);
      const fromLeft = Math.min(Math.max(x - left, 0), 1);
      const fromTop = Math.min(Math.max(y - top, 0), 1);
      const w00 = (1 - fromLeft) * (1 - fromTop);
      const w01 = fromLeft * (1 - fromTop);
      const w10 = (1 - fromLeft) * fromTop;
      const w11 = fromLeft * fromTop;
      let from = (top * width + left) * CHANNELS;
      for (let channel = 0; channel < CHANNELS; channel++, from++) {
        const below = from + width * CHANNELS;
        out[at + channel] =
          w00 * (rgb[from] as number) +
          w01 * (rgb[from + CHANNELS] as number) +
          w10 * (rgb[below] as number) +
          w11 * (rgb[below + CHANNELS] as number) +
          0.5;
      }
    }
  }
  return { rgb: out, ...size };
}
