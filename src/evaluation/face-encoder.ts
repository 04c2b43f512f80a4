import type { AlignmentPoints } from '../faces/align.ts';
import { cosine, unitEmbedding } from '../faces/embedding.ts';
import type { FaceCrop } from '../faces/occlusion.ts';
import type { VisionModel } from '../inference/vision-model.ts';
import { type CropsTaken, cropBy, type FaceToEncode } from './face-source.ts';

/** Turns aligned faces into codes, and compares them. A code is an embedding, or several to choose from at a comparison. */
export interface FaceEncoder<Code extends object> extends CropsTaken {
  readonly id: string;
  /** Codes in order; null for what is no face to the encoder. */
  embed(faces: readonly FaceToEncode[]): Promise<(Code | null)[]>;
  /** Codes of faces that are enrolled, where they are others than those of probes. */
  enrol?(faces: readonly FaceToEncode[]): Promise<(Code | null)[]>;
  /** How sure it is that both are of one person, -1 to 1. */
  compare(enrolled: Code, probe: Code): number;
  /**
   * Compares with what is enrolled, by its index, knowing who else is; where it is left out, as `compare` does.
   *
   * @param people whose each is, by number
   */
  among?(enrolled: readonly (Code | null)[], people: readonly number[]): ScoresAmong<Code>;
}

/** Scores with what is enrolled. */
export interface ScoresAmong<Code> {
  /** The score of what is enrolled at an index with a probe. */
  of(enrolled: number, probe: Code): number;
}

/** Codes of faces as they are enrolled. */
export async function enrolBy<Code extends object>(
  encoder: FaceEncoder<Code>,
  faces: readonly FaceToEncode[],
): Promise<(Code | null)[]> {
  return encoder.enrol ? encoder.enrol(faces) : encoder.embed(faces);
}

/** Blanks what a mask would cover; gives a copy of the same size. */
export type HideLowerFace = (face: FaceCrop) => FaceCrop;

export interface ModelEncoderOptions {
  readonly id: string;
  readonly model: VisionModel;
  readonly alignedBy: AlignmentPoints;
  /** What the model gives less length than this is no face. */
  readonly minNorm: number;
  /** Takes away what a mask would cover, before the model sees it; null leaves the face whole. */
  readonly hide: HideLowerFace | null;
}

/** Faces a call of the model gets at once: more would only hold more memory. */
const BATCH = 64;

/** An encoder over a model of the manifest, whose first output is the embedding: of unit length, compared by the cosine. */
export function modelEncoder({ id, model, alignedBy, minNorm, hide }: ModelEncoderOptions): FaceEncoder<Float32Array> {
  const { width: side, height, channels } = model.input;
  // An encoder for the upper part of a face takes the upper rows of the same crop.
  const bytes = side * height * channels;
  return {
    id,
    cropPx: side,
    alignedBy: [alignedBy],
    compare: cosine,
    async embed(faces) {
      const embeddings: (Float32Array | null)[] = [];
      for (let from = 0; from < faces.length; from += BATCH) {
        const batch = faces.slice(from, from + BATCH).map((face) => cropBy(face, alignedBy));
        const shown = hide ? batch.map((crop) => hide(squareCrop(crop, side)).pixels) : batch;
        const outputs = await model.run(shown.map((crop) => crop.subarray(0, bytes)));
        const [output] = Object.values(outputs);
        if (!output) throw new Error(`model ${model.id} gave nothing`);
        for (let row = 0; row < batch.length; row++) embeddings.push(unitEmbedding(output, row, minNorm));
      }
      return embeddings;
    },
  };
}

/** RGB bytes of a square crop, as an aligned face. */
export function squareCrop(pixels: Uint8Array, side: number): FaceCrop {
  return { pixels, width: side, height: side, channels: 3 };
}
