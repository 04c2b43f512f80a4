import { type Affine, apply, type Box, boxToCrop, type Point } from '../../core/geometry.ts';
import type { Batch } from '../engine.ts';
import { type Degradation, degrade } from './degrade.ts';
import type { FaceStore } from './face-store.ts';
import { between, normal, type PixelScale, pickOne, type Sampler, sampleRandom } from './sampler.ts';
import { compose, greyOf, warp } from './warp.ts';

export interface LandmarkSampling {
  /** Faces to draw from, numbers of the store. */
  readonly faces: readonly number[];
  readonly batch: number;
  readonly seed: number;
  /** Side of the crop, pixels. */
  readonly side: number;
  readonly pixels: PixelScale;
  /** Share of the samples that wear a mask. */
  readonly masked: number;
  /** Deviations of the box's place and size, as shares of its size, and largest turn, radians. */
  readonly shift: number;
  readonly stretch: number;
  readonly turn: number;
  readonly degradation: Degradation;
}

const POINTS = 68;

/**
 * Batches for landmarks: `input` [n, 1, side, side], grey crops of jittered boxes, with a mask or without; `target`
 * [n, 136], in 0..1 of that box what the teacher said of the plain picture.
 */
export function landmarkSampler(store: FaceStore, options: LandmarkSampling): Sampler {
  const { side, batch: count } = options;
  return {
    batch(number): Batch {
      const input = new Float32Array(count * side * side);
      const target = new Float32Array(count * POINTS * 2);
      for (let index = 0; index < count; index++) {
        const random = sampleRandom(options.seed, number, index);
        const face = pickOne(options.faces, random);
        const plain = store.read(face);
        const masks = store.faces[face]?.masks.length ?? 0;
        const chip =
          masks > 0 && random() < options.masked ? store.withMask(face, plain, Math.floor(random() * masks)) : plain;
        const matrix = jitteredCrop(plain.box, options, random);
        const flip = random() < 0.5;
        const crop = degrade(
          warp(chip, flip ? compose(mirror(side), matrix) : matrix, { width: side, height: side }),
          options.degradation,
          random,
        );
        const { mean, scale } = options.pixels;
        const grey = greyOf(crop);
        for (let at = 0; at < grey.length; at++) {
          input[index * side * side + at] = ((grey[at] ?? 0) - (mean[0] ?? 0)) * (scale[0] ?? 1);
        }
        const points = plain.landmarks.map((point) => apply(matrix, point));
        const wanted = flip ? mirrored(points, side) : points;
        wanted.forEach(({ x, y }, point) => {
          // Centres of pixels are whole numbers; a place in the box is a share of its whole extent.
          target.set([(x + 0.5) / side, (y + 0.5) / side], (index * POINTS + point) * 2);
        });
      }
      return {
        input: { type: 'float32', data: input, shape: [count, 1, side, side] },
        target: { type: 'float32', data: target, shape: [count, POINTS * 2] },
      };
    },
  };
}

/** Box to crop, moved, stretched and turned as a detector might. */
export function jitteredCrop(
  box: Box,
  { side, shift, stretch, turn }: Pick<LandmarkSampling, 'side' | 'shift' | 'stretch' | 'turn'>,
  random: () => number,
): Affine {
  const scale = Math.exp(normal(random) * stretch);
  const width = box.width * scale * Math.exp((normal(random) * stretch) / 2);
  const height = box.height * scale * Math.exp((normal(random) * stretch) / 2);
  const x = box.x + (box.width - width) / 2 + normal(random) * shift * box.width;
  const y = box.y + (box.height - height) / 2 + normal(random) * shift * box.height;
  const upright = boxToCrop({ x, y, width, height }, { width: side, height: side });
  return compose(turned(between(-turn, turn, random), (side - 1) / 2), upright);
}

/** A turn about the centre of a square crop. */
function turned(angle: number, centre: number): Affine {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return [cos, -sin, centre - cos * centre + sin * centre, sin, cos, centre - sin * centre - cos * centre];
}

/** Left and right exchanged in a crop. */
export function mirror(width: number): Affine {
  return [-1, 0, width - 1, 0, 1, 0];
}

/** Points of a mirrored face, each under the number it has there. */
function mirrored(points: readonly Point[], width: number): Point[] {
  return MIRROR.map((other) => {
    const { x, y } = points[other] ?? { x: 0, y: 0 };
    return { x: width - 1 - x, y };
  });
}

/** For each of the 68 points of iBUG the one that is its mirror image. */
export const MIRROR: readonly number[] = (() => {
  const pairs: number[] = [];
  const swap = (first: readonly number[], second: readonly number[]) => {
    first.forEach((point, at) => {
      const other = second[at] ?? point;
      pairs[point] = other;
      pairs[other] = point;
    });
  };
  const range = (from: number, to: number) =>
    Array.from({ length: Math.abs(to - from) + 1 }, (_, at) => (from < to ? from + at : from - at));
  // Jaw, brows, nose, eyes, outer and inner lips.
  swap(range(0, 8), range(16, 8));
  swap(range(17, 21), range(26, 22));
  swap(range(27, 30), range(27, 30));
  swap(range(31, 33), range(35, 33));
  swap([36, 37, 38, 39, 40, 41], [45, 44, 43, 42, 47, 46]);
  swap([48, 49, 50, 51], [54, 53, 52, 51]);
  swap([59, 58, 57], [55, 56, 57]);
  swap([60, 61, 62], [64, 63, 62]);
  swap([67, 66], [65, 66]);
  return pairs;
})();
