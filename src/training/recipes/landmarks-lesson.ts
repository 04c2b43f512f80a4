import type { RecipeOf } from '../../config/training-recipe.ts';
import { type Affine, boxToCrop, type Point } from '../../core/geometry.ts';
import { quantile } from '../../core/statistics.ts';
import type { ModelEntry } from '../../inference/manifest.ts';
import type { FaceStore } from '../data/face-store.ts';
import { normal, sampleRandom } from '../data/sampler.ts';
import { greyOf, type RgbImage, warp } from '../data/warp.ts';
import type { Values } from '../engine.ts';
import { average } from '../losses/building-blocks.ts';
import type { Judgement } from '../run/run-folder.ts';
import type { Lesson } from './lesson.ts';
import type { Student } from './student.ts';

const POINTS = 68;
const LEFT_EYE = [36, 41] as const;
const RIGHT_EYE = [42, 47] as const;
/** Nose tip and corners of the mouth: with the eyes, what a face is aligned by. */
const ANCHORS = [30, 48, 54] as const;
/** Boxes that faces are judged in are off by so much, as shares of their size: no detector gives the same box twice. */
const JUDGED_SHIFT = 0.03;

/** Faces in a report, how much they are enlarged there, and what a point is drawn as. */
const SHOWN = 12;
const ENLARGED = 3;
const DOT = [
  [0, 0],
  [1, 0],
  [0, 1],
  [1, 1],
] as const;

export interface LessonParts {
  readonly store: FaceStore;
  /** Numbers of faces to train on, and to judge by. */
  readonly train: readonly number[];
  readonly validation: readonly number[];
}

/**
 * Landmarks that do not move when a mask is put on: the points the model in use gave for the plain picture are the target for
 * the same picture with a mask, in other boxes, light and sharpness.
 */
export function landmarksLesson(
  recipe: RecipeOf<'landmarks'>,
  { store, train, validation }: LessonParts,
  { entry, onnx }: { entry: ModelEntry; onnx: Uint8Array },
): Lesson {
  const { batch, seed, masked, shift, stretch, turn, degradation } = recipe;
  const side = entry.input.width;
  const output = entry.outputs[0]?.name ?? '';
  const pixels = entry.input;
  const judged = validation.filter((face) => (store.faces[face]?.masks.length ?? 0) > 0);
  let crops: JudgedCrops | null = null;
  const judge = async (student: Student, values: Values) => {
    crops ??= judgedCrops(store, judged, side, pixels.mean[0] ?? 0, pixels.scale[0] ?? 1);
    return judgeLandmarks(student, values, output, crops);
  };
  return {
    onnx,
    input: [1, side, side],
    cut: recipe.cut,
    batch,
    sampleThreads: 1,
    sampling: {
      kind: 'landmarks',
      options: { faces: train, batch, seed, side, pixels, masked, shift, stretch, turn, degradation },
    },
    complete: async (given) => given,
    loss(graph, outputs) {
      const given = outputs[output] ?? '';
      const target = graph.input('target', [batch, POINTS * 2]);
      const distance = graph.op('Abs', [graph.op('Sub', [given, target])]);
      const weighted = graph.op('Mul', [distance, graph.floats(weightsOf(recipe), [1, POINTS * 2])]);
      return { loss: average(graph, weighted), metrics: { error: average(graph, distance) } };
    },
    judge,
    async examples(student, before, after) {
      crops ??= judgedCrops(store, judged, side, pixels.mean[0] ?? 0, pixels.scale[0] ?? 1);
      const { masked: shown, count } = crops;
      const some = Math.min(SHOWN, count);
      const [was = new Float32Array(), is = new Float32Array()] = [
        (await student.run(shown, some, before))[output],
        (await student.run(shown, some, after))[output],
      ];
      const grey = (face: number, at: number) =>
        (shown[face * side * side + at] ?? 0) / (pixels.scale[0] ?? 1) + (pixels.mean[0] ?? 0);
      return Array.from({ length: some }, (_, face) => ({
        title: 'points under a mask',
        pictures: [
          { caption: 'before', image: withPoints(side, (at) => grey(face, at), was.subarray(face * POINTS * 2)) },
          { caption: 'after', image: withPoints(side, (at) => grey(face, at), is.subarray(face * POINTS * 2)) },
        ],
      }));
    },
    judgeInUse: (student) => judge(student, student.initial),
    close: async () => {},
  };
}

function weightsOf({ eyes, anchors }: Pick<RecipeOf<'landmarks'>, 'eyes' | 'anchors'>): Float32Array {
  const weights = new Float32Array(POINTS * 2).fill(1);
  for (let point = LEFT_EYE[0]; point <= RIGHT_EYE[1]; point++) weights.fill(eyes, 2 * point, 2 * point + 2);
  for (const point of ANCHORS) weights.fill(anchors, 2 * point, 2 * point + 2);
  const mean = weights.reduce((sum, weight) => sum + weight, 0) / weights.length;
  return weights.map((weight) => weight / mean);
}

interface JudgedCrops {
  readonly count: number;
  readonly plain: Float32Array;
  readonly masked: Float32Array;
  /** Chip to crop, of each. */
  readonly plainMatrices: readonly Affine[];
  readonly maskedMatrices: readonly Affine[];
  /** Eye centres as the teacher has them in the plain picture. */
  readonly eyes: readonly (readonly [Point, Point])[];
}

function judgedCrops(
  store: FaceStore,
  faces: readonly number[],
  side: number,
  mean: number,
  scale: number,
): JudgedCrops {
  const plain = new Float32Array(faces.length * side * side);
  const masked = new Float32Array(faces.length * side * side);
  const plainMatrices: Affine[] = [];
  const maskedMatrices: Affine[] = [];
  const eyes: [Point, Point][] = [];
  faces.forEach((face, place) => {
    const chip = store.read(face);
    const random = sampleRandom(0, 0, face);
    const cut = (image: RgbImage, into: Float32Array, matrices: Affine[]) => {
      const { x, y, width, height } = chip.box;
      const box = {
        x: x + normal(random) * JUDGED_SHIFT * width,
        y: y + normal(random) * JUDGED_SHIFT * height,
        width: width * (1 + normal(random) * JUDGED_SHIFT),
        height: height * (1 + normal(random) * JUDGED_SHIFT),
      };
      const matrix = boxToCrop(box, { width: side, height: side });
      const grey = greyOf(warp(image, matrix, { width: side, height: side }));
      grey.forEach((value, at) => {
        into[place * side * side + at] = (value - mean) * scale;
      });
      matrices.push(matrix);
    };
    cut(chip, plain, plainMatrices);
    cut(store.withMask(face, chip, 0), masked, maskedMatrices);
    eyes.push([centre(chip.landmarks, LEFT_EYE), centre(chip.landmarks, RIGHT_EYE)]);
  });
  return { count: faces.length, plain, masked, plainMatrices, maskedMatrices, eyes };
}

/**
 * In shares of the distance between the eyes, medians over faces: how far a mask moves the eye centres (`moved`), how far they
 * are under it from where the teacher has them without it (`maskedError`), and the same without a mask (`plainError`).
 */
async function judgeLandmarks(
  student: Student,
  values: Values,
  output: string,
  crops: JudgedCrops,
): Promise<Judgement> {
  const { count, plain, masked, plainMatrices, maskedMatrices, eyes } = crops;
  const size = student.inputShape[1] ?? 1;
  const onPlain = (await student.run(plain, count, values))[output] ?? new Float32Array();
  const onMasked = (await student.run(masked, count, values))[output] ?? new Float32Array();
  const moved: number[] = [];
  const maskedError: number[] = [];
  const plainError: number[] = [];
  for (let face = 0; face < count; face++) {
    const [left, right] = eyes[face] ?? [];
    const p = plainMatrices[face];
    const m = maskedMatrices[face];
    if (!left || !right || !p || !m) continue;
    const apart = Math.hypot(right.x - left.x, right.y - left.y);
    const seen = (numbers: Float32Array, matrix: Affine, eye: readonly [number, number]) =>
      inChip(eyeOf(numbers, face, eye), matrix, size);
    const gap = (one: Point, two: Point) => Math.hypot(one.x - two.x, one.y - two.y) / apart;
    for (const [eye, truth] of [
      [LEFT_EYE, left],
      [RIGHT_EYE, right],
    ] as const) {
      const without = seen(onPlain, p, eye);
      const under = seen(onMasked, m, eye);
      moved.push(gap(without, under));
      maskedError.push(gap(under, truth));
      plainError.push(gap(without, truth));
    }
  }
  const figures = {
    maskedError: quantile(maskedError, 0.5) ?? 0,
    moved: quantile(moved, 0.5) ?? 0,
    plainError: quantile(plainError, 0.5) ?? 0,
    maskedError90: quantile(maskedError, 0.9) ?? 0,
  };
  return { score: -figures.maskedError - 0.5 * figures.plainError, figures };
}

/** A grey crop, three times as large, with a face's 68 points in it. */
function withPoints(side: number, grey: (at: number) => number, points: Float32Array): RgbImage {
  const width = side * ENLARGED;
  const rgb = new Uint8Array(width * width * 3);
  for (let at = 0; at < width * width; at++) {
    const [x, y] = [Math.floor((at % width) / ENLARGED), Math.floor(at / width / ENLARGED)];
    rgb.fill(grey(y * side + x), at * 3, at * 3 + 3);
  }
  for (let point = 0; point < POINTS; point++) {
    const [x, y] = [points[2 * point] ?? 0, points[2 * point + 1] ?? 0].map((share) => Math.round(share * width));
    for (const [dx, dy] of DOT) {
      const [left, top] = [(x ?? 0) + dx, (y ?? 0) + dy];
      if (left >= 0 && top >= 0 && left < width && top < width) rgb.set([60, 255, 90], (top * width + left) * 3);
    }
  }
  return { rgb, width, height: width };
}

/** Mean of an eye's points in 0..1 of the crop. */
function eyeOf(numbers: Float32Array, face: number, [first, last]: readonly [number, number]): Point {
  let [x, y] = [0, 0];
  for (let point = first; point <= last; point++) {
    x += (numbers[(face * POINTS + point) * 2] ?? 0) / (last - first + 1);
    y += (numbers[(face * POINTS + point) * 2 + 1] ?? 0) / (last - first + 1);
  }
  return { x, y };
}

function inChip({ x, y }: Point, [sx, , cx, , sy, cy]: Affine, size: number): Point {
  return { x: (x * size - 0.5 - cx) / sx, y: (y * size - 0.5 - cy) / sy };
}

function centre(points: readonly Point[], [first, last]: readonly [number, number]): Point {
  const eye = points.slice(first, last + 1);
  return {
    x: eye.reduce((sum, { x }) => sum + x, 0) / eye.length,
    y: eye.reduce((sum, { y }) => sum + y, 0) / eye.length,
  };
}
