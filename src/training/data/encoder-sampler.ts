import type { Affine, Point, Size } from '../../core/geometry.ts';
import { type AlignmentPoints, alignBy, TEMPLATE_SIZE, templateOf } from '../../faces/align.ts';
import { normalise } from '../../faces/embedding.ts';
import type { AlignmentMarks } from '../../faces/landmarks.ts';
import type { Batch } from '../engine.ts';
import { type Degradation, degrade } from './degrade.ts';
import type { FaceStore } from './face-store.ts';
import { mirror } from './landmark-sampler.ts';
import { normal, type PixelScale, pickOne, type Sampler, sampleRandom, writePlanes } from './sampler.ts';
import { afterHalving, compose, halved, type RgbImage, warp } from './warp.ts';

export interface EncoderSampling {
  /** Faces to draw from, numbers of the store. */
  readonly faces: readonly number[];
  /** People a batch; each gives two samples. */
  readonly people: number;
  readonly seed: number;
  /** What the encoder takes: rows of the aligned crop from the top. */
  readonly input: Size;
  readonly pixels: PixelScale;
  /** Share of the second samples that wear a mask; the first are plain. */
  readonly masked: number;
  /** What the encoder's faces are aligned by. */
  readonly alignedBy: AlignmentPoints;
  /** Deviations of those points from where the landmarks put them, pixels of the aligned crop. */
  readonly jitterPx: number;
  readonly degradation: Degradation;
  /** Marks of each face and mask, as the landmarks in use see them: `alignmentsOf`. */
  readonly alignments: FaceAlignments;
  /** What the frozen encoder says of each plain face, `dimension` numbers a face. */
  readonly targets: Float32Array;
  readonly dimension: number;
  /** Faces of other people whose targets come with each batch, to be told from. */
  readonly others: number;
  /** Rows from this one on are blank, chosen anew for each sample between both; none where null. */
  readonly blankFrom: readonly [number, number] | null;
}

/** What faces are aligned by: of the plain one, then of each mask. Pixels of the chip. */
export interface FaceAlignments {
  /** Number of each face's first variant. */
  readonly starts: Uint32Array;
  /** {@link MARK_VALUES} numbers a variant: the five points, then the bridge of the nose. */
  readonly points: Float32Array;
}

/** Numbers a face and mask have in {@link FaceAlignments}. */
export const MARK_VALUES = 14;

/**
 * Batches for an encoder, two samples of each person: the first `people` plain, then as many of the same people in the same
 * order, most with a mask, from another picture where there is one. `input` [2 people, 3, height, width]; `target`
 * [2 people, dimension]: the frozen encoder's unit embedding of the plain picture each was made of; `others` [others, dimension]:
 * the same of faces of other people.
 */
export function encoderSampler(store: FaceStore, options: EncoderSampling): Sampler {
  const { people, input: size, targets, dimension } = options;
  const groups = [...groupByPerson(store, options.faces).values()];
  const sampleSize = 3 * size.width * size.height;
  return {
    batch(number): Batch {
      const input = new Float32Array(2 * people * sampleSize);
      const target = new Float32Array(2 * people * dimension);
      const chosen = choosePeople(groups, people, sampleRandom(options.seed, number, -1));
      chosen.forEach((faces, place) => {
        const random = sampleRandom(options.seed, number, place);
        const first = pickOne(faces, random);
        const others = faces.filter((face) => face !== first);
        const second = others.length > 0 ? pickOne(others, random) : first;
        for (const [row, face, masked] of [
          [place, first, false],
          [place + people, second, random() < options.masked],
        ] as const) {
          const crop = encoderCrop(store, face, masked, options, random);
          writePlanes(crop, options.pixels, input, row * sampleSize);
          target.set(targets.subarray(face * dimension, (face + 1) * dimension), row * dimension);
        }
      });
      const others = otherTargets(store, chosen, options, sampleRandom(options.seed, number, -2));
      return {
        input: { type: 'float32', data: input, shape: [2 * people, 3, size.height, size.width] },
        others: { type: 'float32', data: others, shape: [options.others, dimension] },
        target: { type: 'float32', data: target, shape: [2 * people, dimension] },
      };
    },
  };
}

/** Targets of faces of people who are not in the batch. */
function otherTargets(
  store: FaceStore,
  chosen: readonly (readonly number[])[],
  { faces, others: count, targets, dimension }: EncoderSampling,
  random: () => number,
): Float32Array {
  const personOf = (face: number) => store.faces[face]?.person;
  const inBatch = new Set(chosen.map(([face = -1]) => personOf(face)));
  const others = new Float32Array(count * dimension);
  const free = faces.filter((face) => !inBatch.has(personOf(face)));
  // Where nobody else is there, zeros: as unlike everybody as can be.
  for (let row = 0; row < count && free.length > 0; row++) {
    const face = pickOne(free, random);
    others.set(targets.subarray(face * dimension, (face + 1) * dimension), row * dimension);
  }
  return others;
}

/** One aligned, jittered, degraded crop. */
function encoderCrop(
  store: FaceStore,
  face: number,
  masked: boolean,
  options: EncoderSampling,
  random: () => number,
): RgbImage {
  const plain = store.read(face);
  const masks = store.faces[face]?.masks.length ?? 0;
  const which = masked && masks > 0 ? Math.floor(random() * masks) : -1;
  const chip = which >= 0 ? store.withMask(face, plain, which) : plain;
  const { width, height } = options.input;
  const aligned = alignBy(options.alignedBy, marksOf(options.alignments, face, which + 1));
  const matrix = random() < 0.5 ? compose(mirror(TEMPLATE_SIZE), aligned) : aligned;
  const crop = degrade(
    cutSmoothly(chip, jittered(matrix, options, random), { width, height }),
    options.degradation,
    random,
  );
  if (options.blankFrom) {
    const [low, high] = options.blankFrom;
    const row = Math.round(low + (high - low) * random());
    crop.rgb.fill(0, Math.min(row, height) * width * 3);
  }
  return crop;
}

/** A crop of a chip; one that is much larger is halved first, so that none of its pixels goes unseen. */
export function cutSmoothly(chip: RgbImage, matrix: Affine, size: Size): RgbImage {
  let image = chip;
  let map = matrix;
  while (Math.hypot(map[0], map[3]) < 0.5 && image.width > 2 && image.height > 2) {
    image = halved(image);
    map = afterHalving(map);
  }
  return warp(image, map, size);
}

/** An alignment as landmarks that err by `jitterPx` would have made it: moved, turned and scaled. */
export function jittered(
  matrix: Affine,
  { alignedBy, jitterPx }: { readonly alignedBy: AlignmentPoints; readonly jitterPx: number },
  random: () => number,
): Affine {
  // A similarity fitted to n points that each err by d is off by d / sqrt(n) in place, and in turn and scale by d over the
  // root of the sum of their squared distances from their centre.
  const points = templateOf(alignedBy);
  const centre: Point = {
    x: points.reduce((sum, { x }) => sum + x, 0) / points.length,
    y: points.reduce((sum, { y }) => sum + y, 0) / points.length,
  };
  const spread = Math.hypot(...points.map(({ x, y }) => Math.hypot(x - centre.x, y - centre.y)));
  const place = jitterPx / Math.sqrt(points.length);
  const angle = (normal(random) * jitterPx) / spread;
  const scale = 1 + (normal(random) * jitterPx) / spread;
  const [cos, sin] = [Math.cos(angle) * scale, Math.sin(angle) * scale];
  const dx = normal(random) * place;
  const dy = normal(random) * place;
  return compose(
    [
      cos,
      -sin,
      centre.x - cos * centre.x + sin * centre.y + dx,
      sin,
      cos,
      centre.y - sin * centre.x - cos * centre.y + dy,
    ],
    matrix,
  );
}

/** The marks of a face; `variant` 0 is the plain one, then its masks. */
export function marksOf({ starts, points }: FaceAlignments, face: number, variant: number): AlignmentMarks {
  const from = ((starts[face] ?? 0) + variant) * MARK_VALUES;
  const at = (point: number): Point => ({ x: points[from + 2 * point] ?? 0, y: points[from + 2 * point + 1] ?? 0 });
  return { five: [at(0), at(1), at(2), at(3), at(4)], bridge: [at(5), at(6)] };
}

export function groupByPerson(store: FaceStore, faces: readonly number[]): Map<number, number[]> {
  const groups = new Map<number, number[]>();
  for (const face of faces) {
    const person = store.faces[face]?.person ?? -1;
    const group = groups.get(person);
    if (group) group.push(face);
    else groups.set(person, [face]);
  }
  return groups;
}

/**
 * Targets of faces, each moved towards the mean of its person's: unit length again. A single picture's embedding is of the
 * person and of the moment; the mean of several is more of the person (template-level distillation).
 *
 * @param faces whose pictures make the means; the targets of all others stay
 * @param share of the mean, 0 for none
 */
export function towardsPersonMean(
  store: FaceStore,
  faces: readonly number[],
  { targets, dimension, share }: { readonly targets: Float32Array; readonly dimension: number; readonly share: number },
): Float32Array {
  if (share === 0) return targets;
  const moved = targets.slice();
  for (const group of groupByPerson(store, faces).values()) {
    const rows = group.map((face) => targets.subarray(face * dimension, (face + 1) * dimension));
    const mean = normalise(
      Float32Array.from({ length: dimension }, (_, at) => rows.reduce((sum, row) => sum + (row[at] ?? 0), 0)),
    );
    group.forEach((face, place) => {
      const own = rows[place] ?? mean;
      moved.set(normalise(own.map((value, at) => (1 - share) * value + share * (mean[at] ?? 0))), face * dimension);
    });
  }
  return moved;
}

/** Different people, those with more pictures a little more often. */
function choosePeople(groups: readonly number[][], count: number, random: () => number): number[][] {
  if (groups.length < count) throw new RangeError(`${groups.length} people are fewer than ${count} a batch`);
  const chosen = new Set<number[]>();
  while (chosen.size < count) {
    const group = pickOne(groups, random);
    if (group.length > 1 || random() < 0.5) chosen.add(group);
  }
  return [...chosen];
}
