import { unitEmbedding } from '../faces/embedding.ts';
import type { FaceCrop } from '../faces/occlusion.ts';
import type { VisionModel } from '../inference/vision-model.ts';

/** Turns aligned faces into embeddings that are compared by their cosine. */
export interface FaceEncoder {
  readonly id: string;
  /** Side of the aligned crops it takes, pixels. */
  readonly cropPx: number;
  /** Unit-length embeddings, in order; null for what is no face to the encoder. Crops are RGB, `cropPx` by `cropPx`. */
  embed(crops: readonly Uint8Array[]): Promise<(Float32Array | null)[]>;
}

/** Blanks what a mask would cover; gives a copy of the same size. */
export type HideLowerFace = (face: FaceCrop) => FaceCrop;

export interface ModelEncoderOptions {
  readonly id: string;
  readonly model: VisionModel;
  /** What the model gives less length than this is no face. */
  readonly minNorm: number;
  /** Takes away what a mask would cover, before the model sees it; null leaves the face whole. */
  readonly hide: HideLowerFace | null;
}

/** Faces a call of the model gets at once: more would only hold more memory. */
const BATCH = 64;

/** An encoder over a model of the manifest. The model's first output is the embedding. */
export function modelEncoder({ id, model, minNorm, hide }: ModelEncoderOptions): FaceEncoder {
  const side = model.input.width;
  return {
    id,
    cropPx: side,
    async embed(crops) {
      const embeddings: (Float32Array | null)[] = [];
      for (let from = 0; from < crops.length; from += BATCH) {
        const batch = crops.slice(from, from + BATCH);
        const outputs = await model.run(hide ? batch.map((crop) => hide(squareCrop(crop, side)).pixels) : batch);
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
