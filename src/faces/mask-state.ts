import { EyelineError } from '../core/errors.ts';
import type { FacePart, MaskState } from '../core/person.ts';
import type { Picture } from '../core/picture.ts';
import type { RunTrace, Tensor, VisionModel } from '../inference/vision-model.ts';
import type { Detection } from './detect.ts';
import { greyCut, type LocatedFace } from './landmarkers/face-landmarker.ts';
import { outputOfSize, rowOf } from './model-output.ts';

/** Whether a mask covers mouth and nose. `incorrect`: the nose is free. */
export interface FaceMask {
  readonly state: MaskState;
  /** Probability of the state, 0..1. */
  readonly confidence: number;
}

/** A face that was found, with what the landmark model saw of it. */
export type SeenFace = Pick<Detection, 'box'> & Pick<LocatedFace, 'grey'>;

/** Tells mask states. */
export interface MaskAssessor {
  /** Of faces found in the same picture, in order. Adds the time spent to `trace`. */
  assess(picture: Picture, faces: readonly SeenFace[], trace?: RunTrace): Promise<FaceMask[]>;
}

/** The states in the order of a mask-state model's logits. */
export const MASK_STATES: readonly MaskState[] = ['none', 'worn', 'incorrect'];

/**
 * The part of a face to recognise it by: what no mask covers, where one is worn. A mask that leaves the nose free still
 * covers the mouth, so it counts as worn here; a face nobody has assessed counts as bare.
 */
export function partToEmbed(mask: FaceMask | null): FacePart {
  return mask === null || mask.state === 'none' ? 'full' : 'upper';
}

/**
 * A model that is given the face's box in grey, scaled to its square input, and gives a logit a state in the order of
 * {@link MASK_STATES}. The landmark model's crop serves where it has that size; else one is cut. Throws MODEL_UNSUPPORTED
 * for a model with another input.
 */
export function maskAssessor(model: VisionModel): MaskAssessor {
  const side = sideOf(model.id, model.input);
  return {
    async assess(picture, faces, trace) {
      if (faces.length === 0) return [];
      const fitting = faces.every(({ grey }) => grey.side === side);
      const crops = fitting
        ? faces.map(({ grey }) => grey.pixels)
        : await picture.cut(faces.map((face) => greyCut(face, side)));
      const outputs = await model.run(crops, trace);
      const { tensor } = outputOfSize(model, outputs, MASK_STATES.length);
      return faces.map((_, row) => decodeMask(tensor, row));
    },
  };
}

/** Side of the grey square a mask-state model takes, pixels. Throws MODEL_UNSUPPORTED when it takes something else. */
export function sideOf(id: string, { width, height, channels }: VisionModel['input']): number {
  if (width === height && channels === 1) return width;
  throw new EyelineError(
    'MODEL_UNSUPPORTED',
    `model ${id} takes ${width}x${height}x${channels}: a grey square is needed`,
  );
}

/** The likeliest state of one face of a batch of logits, with its probability (softmax). */
export function decodeMask(logits: Tensor, row: number): FaceMask {
  const values = rowOf(logits, row);
  const largest = Math.max(...values);
  const powers = Array.from(values, (value) => Math.exp(value - largest));
  const best = values.indexOf(largest);
  const total = powers.reduce((sum, power) => sum + power, 0);
  return { state: MASK_STATES[best] ?? 'none', confidence: (powers[best] ?? 0) / total };
}
