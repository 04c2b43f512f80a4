import { type Affine, type Box, boxToCrop, type Size } from '../core/geometry.ts';
import type { Picture } from '../core/picture.ts';
import type { RunTrace, VisionModel } from '../inference/vision-model.ts';
import { onlyOutput } from './model-output.ts';

/** What tells live faces from pictures of faces: one crop a face, one number out of it. */
export interface LivenessModel {
  readonly model: VisionModel;
  /** How much of the surroundings the model sees: side of the crop in sides of the face box. */
  readonly extent: number;
  /** Chance of a live face, 0..1, of one row of the output. */
  readonly live: (row: Float32Array) => number;
}

/**
 * What a model sees of the surroundings, and how its output is read, by its family: MiniFASNet sees 2.7 times the face and gives
 * logits of which the first is live; Human's sees the face alone and gives the chance that it is real.
 */
export const LIVENESS_FAMILIES = {
  minifasnet: { extent: 2.7, live: (row: Float32Array) => softmaxOf(row, 0) },
  'human-antispoof': { extent: 1, live: (row: Float32Array) => row[0] ?? 0.5 },
} as const satisfies Record<string, Pick<LivenessModel, 'extent' | 'live'>>;

/** Judges whether faces are live. */
export interface LivenessAssessor {
  /** 1 is surely live, 0 surely a picture, in the order of the boxes. Adds the time spent to `trace`. */
  assess(picture: Picture, boxes: readonly Box[], trace?: RunTrace): Promise<number[]>;
}

/** What no face is surer than: a model that says 1 has not seen every picture. */
const SUREST = 0.999;

/** Several models as one: the mean of their log-odds, so that each has a say and none a veto. */
export function createLivenessAssessor(models: readonly LivenessModel[]): LivenessAssessor {
  return {
    async assess(picture, boxes, trace) {
      if (boxes.length === 0) return [];
      const judged = await Promise.all(models.map((it) => judge(it, picture, boxes, trace)));
      return boxes.map((_, face) => fuseLiveness(judged.map((lives) => ({ live: lives[face] ?? 0.5, weight: 1 }))));
    },
  };
}

/** One chance of many: the weighted mean of their log-odds, as a chance again. Half without any. */
export function fuseLiveness(judged: readonly { readonly live: number; readonly weight: number }[]): number {
  const total = judged.reduce((sum, { weight }) => sum + weight, 0);
  if (!(total > 0)) return 0.5;
  const odds = judged.reduce((sum, { live, weight }) => sum + weight * logit(live), 0) / total;
  return 1 / (1 + Math.exp(-odds));
}

async function judge(
  { model, extent, live }: LivenessModel,
  picture: Picture,
  boxes: readonly Box[],
  trace?: RunTrace,
) {
  const { width, height, channels } = model.input;
  const crops = await picture.cut(
    boxes.map((box) => ({
      matrix: surroundings(box, extent, picture, model.input),
      width,
      height,
      colour: channels === 1 ? 'grey' : 'rgb',
    })),
  );
  const output = onlyOutput(model, await model.run(crops, trace));
  const size = output.data.length / (output.shape[0] ?? 1);
  return boxes.map((_, row) => live(output.data.subarray(row * size, (row + 1) * size)));
}

/**
 * Picture to crop coordinates of a face and what is around it: the box made larger about its centre, moved into the picture
 * as far as it fits, and smaller where it does not, since black borders are what the models never saw.
 */
export function surroundings(box: Box, extent: number, picture: Size, input: Size): Affine {
  const scale = Math.min(extent, (picture.width - 1) / box.width, (picture.height - 1) / box.height);
  const [width, height] = [box.width * scale, box.height * scale];
  const inside = (start: number, length: number, end: number) =>
    Math.min(Math.max(start, 0), Math.max(0, end - length));
  const x = inside(box.x + (box.width - width) / 2, width, picture.width);
  const y = inside(box.y + (box.height - height) / 2, height, picture.height);
  return boxToCrop({ x, y, width, height }, input);
}

/** Share of one class by softmax. */
export function softmaxOf(row: Float32Array, index: number): number {
  const highest = Math.max(...row);
  const sum = row.reduce((total, value) => total + Math.exp(value - highest), 0);
  return Math.exp((row[index] ?? Number.NEGATIVE_INFINITY) - highest) / sum;
}

function logit(chance: number): number {
  const bounded = Math.min(SUREST, Math.max(1 - SUREST, chance));
  return Math.log(bounded / (1 - bounded));
}
