import { type Affine, apply, type Box, type Size } from '../../core/geometry.ts';
import type { Batch } from '../engine.ts';
import { withoutFace } from './cover-face.ts';
import { type Degradation, degrade } from './degrade.ts';
import { cutSmoothly } from './encoder-sampler.ts';
import type { FaceChip, FaceStore } from './face-store.ts';
import { between, type PixelScale, pickOne, type Sampler, sampleRandom, writePlanes } from './sampler.ts';
import type { RgbImage } from './warp.ts';

export interface DetectorSampling {
  /** Faces to draw from, numbers of the store. */
  readonly faces: readonly number[];
  readonly batch: number;
  readonly seed: number;
  readonly input: Size;
  readonly pixels: PixelScale;
  /** Share of the faces that wear a mask. */
  readonly masked: number;
  /** Shares of scenes: one face cut tightly in a black border; several faces; none. The rest are pictures as they are. */
  readonly tight: number;
  readonly several: number;
  readonly empty: number;
  /** Share of the scenes, of whichever kind, in which every face is covered: heads that are no face. */
  readonly faceless: number;
  readonly degradation: Degradation;
}

/** Faces of a scene that its making knows of: at most so many are told. */
export const KNOWN_FACES = 6;
/** Longer side of the smallest face laid into a scene, pixels: the 40 that count in a frame of 1280 are 10 of an input of 320. */
const FAR_PX = 11;
/** Narrower than this a face is not told: where it is would be chance. */
const TOLD_PX = 9;

/** A picture laid into a scene. */
interface Placed {
  readonly face: number;
  readonly chip: FaceChip;
  /** Number of the mask, or -1. */
  readonly mask: number;
  /** Whether its face is covered. */
  readonly covered: boolean;
  /** Chip to scene. */
  readonly matrix: Affine;
  /** Part of the scene it covers. */
  readonly clip: Box;
}

/**
 * Batches for a detector: `plain` [n, 3, height, width], scenes with plain faces, for the teacher; `input`, the same scenes with
 * masks on, in other light and sharpness, for the student; `known` [n, KNOWN_FACES, 4], corners in 0..1 of the faces laid into
 * each, zeros where there are fewer; `covered`, the same of heads whose face is covered.
 */
export function detectorSampler(store: FaceStore, options: DetectorSampling): Sampler {
  const { batch: count, input: size } = options;
  const sampleSize = 3 * size.width * size.height;
  return {
    batch(number): Batch {
      const plain = new Float32Array(count * sampleSize);
      const input = new Float32Array(count * sampleSize);
      const known = new Float32Array(count * KNOWN_FACES * 4);
      const covered = new Float32Array(count * KNOWN_FACES * 4);
      for (let index = 0; index < count; index++) {
        const random = sampleRandom(options.seed, number, index);
        const placed = composeScene(store, options, random);
        const ground = groundOf(placed[0], size, random);
        const plainScene = paint(ground, placed, (it) => it.chip);
        const maskedScene = paint(ground, placed, (it) =>
          it.mask >= 0 ? store.withMask(it.face, it.chip, it.mask) : it.chip,
        );
        writePlanes(plainScene, options.pixels, plain, index * sampleSize);
        writePlanes(degrade(maskedScene, options.degradation, random), options.pixels, input, index * sampleSize);
        placed.slice(0, KNOWN_FACES).forEach((it, place) => {
          const at = (index * KNOWN_FACES + place) * 4;
          if (it.covered) covered.set(cornersOf(it, size), at);
          else known.set(visibleCorners(it, size), at);
        });
      }
      const shape = [count, 3, size.height, size.width];
      return {
        input: { type: 'float32', data: input, shape },
        plain: { type: 'float32', data: plain, shape },
        known: { type: 'float32', data: known, shape: [count, KNOWN_FACES, 4] },
        covered: { type: 'float32', data: covered, shape: [count, KNOWN_FACES, 4] },
      };
    },
  };
}

function composeScene(store: FaceStore, options: DetectorSampling, random: () => number): Placed[] {
  const { input: size, faces } = options;
  const covered = random() < options.faceless;
  const take = () => {
    const face = pickOne(faces, random);
    if (covered) {
      const chip = store.read(face);
      return { face, chip: { ...chip, ...withoutFace(chip, chip.box, random) }, mask: -1, covered };
    }
    const masks = store.faces[face]?.masks.length ?? 0;
    const mask = masks > 0 && random() < options.masked ? Math.floor(random() * masks) : -1;
    return { face, chip: store.read(face), mask, covered };
  };
  const kind = random();
  if (kind < options.empty) return [backgroundOnly(take(), size, random)];
  if (kind < options.empty + options.tight) return [tightly(take(), size, random)];
  if (kind < options.empty + options.tight + options.several) {
    const count = 1 + Math.floor(random() * 4);
    return Array.from({ length: count }, (_, place) => inColumn(take(), place, count, size, random));
  }
  return [asItIs(take(), size, random)];
}

type Taken = Pick<Placed, 'face' | 'chip' | 'mask' | 'covered'>;

/** The face fills a tight crop, with a black border of any width around it. */
function tightly(taken: Taken, size: Size, random: () => number): Placed {
  const { box } = taken.chip;
  const side = Math.max(box.width, box.height) * between(0.95, 1.7, random);
  const border = between(0, 1, random);
  const scale = (size.height / (side * (1 + 2 * border))) * between(0.9, 1, random);
  const centre = {
    x: box.x + box.width / 2 + between(-0.12, 0.12, random) * side,
    y: box.y + box.height / 2 + between(-0.12, 0.12, random) * side,
  };
  const at = {
    x: size.width / 2 + (between(-0.5, 0.5, random) * (size.width - side * scale)) / 2,
    y: size.height / 2 + (between(-0.5, 0.5, random) * (size.height - side * scale)) / 2,
  };
  const matrix = mirrorAtRandom(scale, centre.x, centre.y, at, random);
  const half = (side * scale) / 2;
  return { ...taken, matrix, clip: { x: at.x - half, y: at.y - half, width: 2 * half, height: 2 * half } };
}

/** One of several faces side by side, each in a column of its own, at any size from far to near. */
function inColumn(taken: Taken, place: number, count: number, size: Size, random: () => number): Placed {
  const { box } = taken.chip;
  const width = size.width / count;
  const most = Math.min(width, size.height) * 0.8;
  const px = Math.exp(between(Math.log(FAR_PX), Math.log(Math.max(20, most)), random));
  const scale = px / Math.max(box.width, box.height);
  const at = { x: (place + between(0.35, 0.65, random)) * width, y: between(0.3, 0.65, random) * size.height };
  const matrix = mirrorAtRandom(scale, box.x + box.width / 2, box.y + box.height / 2, at, random);
  return { ...taken, matrix, clip: { x: place * width, y: 0, width, height: size.height } };
}

/** The whole picture, letterboxed, a little larger or smaller. */
function asItIs(taken: Taken, size: Size, random: () => number): Placed {
  const { width, height } = taken.chip;
  const scale = Math.min(size.width / width, size.height / height) * between(0.5, 1.25, random);
  const at = { x: size.width * between(0.4, 0.6, random), y: size.height * between(0.4, 0.6, random) };
  const matrix = mirrorAtRandom(scale, width / 2, height / 2, at, random);
  return { ...taken, matrix, clip: { x: 0, y: 0, ...size } };
}

/** What is beside the face, enlarged: a corner of the picture that the face does not reach into. */
function backgroundOnly(taken: Taken, size: Size, random: () => number): Placed {
  const { box, width, height } = taken.chip;
  const left = box.x > width - box.x - box.width;
  const room = Math.max(8, (left ? box.x : width - box.x - box.width) * 0.9);
  const scale = size.width / room;
  const x = left ? room / 2 : width - room / 2;
  const y = between(0.2, 0.9, random) * height;
  const matrix = mirrorAtRandom(scale, x, y, { x: size.width / 2, y: size.height / 2 }, random);
  return { ...taken, mask: -1, matrix, clip: { x: 0, y: 0, ...size } };
}

/** Puts a point of the chip at a point of the scene, scaled, every other time mirrored. */
function mirrorAtRandom(
  scale: number,
  x: number,
  y: number,
  at: { x: number; y: number },
  random: () => number,
): Affine {
  const across = random() < 0.5 ? -scale : scale;
  return [across, 0, at.x - across * x, 0, scale, at.y - scale * y];
}

/** What shows where no picture lies: black as of a border, a shade, or a picture's own surroundings. */
function groundOf(first: Placed | undefined, size: Size, random: () => number): RgbImage {
  const rgb = new Uint8Array(size.width * size.height * 3);
  const kind = random();
  if (kind < 0.5 || !first) return { rgb, ...size };
  if (kind < 0.7) {
    const [red, green, blue] = [255 * random(), 255 * random(), 255 * random()];
    for (let at = 0; at < rgb.length; at += 3) rgb.set([red, green, blue], at);
    return { rgb, ...size };
  }
  const beside = backgroundOnly(first, size, random);
  return cutSmoothly(beside.chip, beside.matrix, size);
}

function paint(ground: RgbImage, placed: readonly Placed[], chipOf: (placed: Placed) => RgbImage): RgbImage {
  const { width, height } = ground;
  const rgb = new Uint8Array(ground.rgb);
  for (const it of placed) {
    const chip = chipOf(it);
    const corners = [
      apply(it.matrix, { x: -0.5, y: -0.5 }),
      apply(it.matrix, { x: chip.width - 0.5, y: chip.height - 0.5 }),
    ];
    const [first, last] = corners as [{ x: number; y: number }, { x: number; y: number }];
    const left = Math.max(0, Math.ceil(Math.max(it.clip.x, Math.min(first.x, last.x))));
    const right = Math.min(width, Math.floor(Math.min(it.clip.x + it.clip.width, Math.max(first.x, last.x))));
    const top = Math.max(0, Math.ceil(Math.max(it.clip.y, Math.min(first.y, last.y))));
    const bottom = Math.min(height, Math.floor(Math.min(it.clip.y + it.clip.height, Math.max(first.y, last.y))));
    if (right <= left || bottom <= top) continue;
    const [a, b, c, d, e, f] = it.matrix;
    const size = { width: right - left, height: bottom - top };
    const part = cutSmoothly(chip, [a, b, c - left, d, e, f - top], size);
    for (let row = 0; row < size.height; row++) {
      const from = row * size.width * 3;
      rgb.set(part.rgb.subarray(from, from + size.width * 3), ((top + row) * width + left) * 3);
    }
  }
  return { rgb, width, height };
}

/** Corners in 0..1 of a head laid into a scene, wherever it is. */
function cornersOf({ chip, matrix }: Placed, size: Size): number[] {
  const { box } = chip;
  const one = apply(matrix, { x: box.x, y: box.y });
  const two = apply(matrix, { x: box.x + box.width, y: box.y + box.height });
  return [
    Math.min(one.x, two.x) / size.width,
    Math.min(one.y, two.y) / size.height,
    Math.max(one.x, two.x) / size.width,
    Math.max(one.y, two.y) / size.height,
  ];
}

/** Corners in 0..1 of a face laid into a scene; zeros when too little of it shows. */
function visibleCorners({ chip, matrix, clip }: Placed, size: Size): number[] {
  const { box } = chip;
  const one = apply(matrix, { x: box.x, y: box.y });
  const two = apply(matrix, { x: box.x + box.width, y: box.y + box.height });
  const [left, right] = [Math.min(one.x, two.x), Math.max(one.x, two.x)];
  const [top, bottom] = [Math.min(one.y, two.y), Math.max(one.y, two.y)];
  const shown = {
    left: Math.max(left, clip.x, 0),
    top: Math.max(top, clip.y, 0),
    right: Math.min(right, clip.x + clip.width, size.width),
    bottom: Math.min(bottom, clip.y + clip.height, size.height),
  };
  const area = Math.max(0, shown.right - shown.left) * Math.max(0, shown.bottom - shown.top);
  if (area < 0.75 * (right - left) * (bottom - top) || right - left < TOLD_PX) return [0, 0, 0, 0];
  return [left / size.width, top / size.height, right / size.width, bottom / size.height];
}
