import type { Affine, Size } from '../core/geometry.ts';
import type { Picture } from '../core/picture.ts';
import type { AligningModel, RunTrace, Tensor, VisionModel } from '../inference/vision-model.ts';
import { onlyOutput } from './model-output.ts';

/** Turns faces of a picture into features, wherever they are aligned. */
export interface FaceEmbedder {
  /** Features of different fingerprints are never compared. */
  readonly fingerprint: string;
  /** Size of an aligned crop: what alignments lead to. */
  readonly input: Size;
  /**
   * One row an alignment, in order; not scaled to unit length. Adds the time spent to `trace`.
   *
   * @param alignments picture to crop coordinates; at least one
   */
  embed(picture: Picture, alignments: readonly Affine[], trace?: RunTrace): Promise<Tensor>;
}

/** Faces are cut and aligned where the picture is; small crops go to the encoder, several cameras' in one batch. */
export function cropEmbedder(encoder: VisionModel): FaceEmbedder {
  const { width, height } = encoder.input;
  return {
    fingerprint: encoder.fingerprint,
    input: { width, height },
    async embed(picture, alignments, trace) {
      const crops = await picture.cut(alignments.map((matrix) => ({ matrix, width, height, colour: 'rgb' })));
      return onlyOutput(encoder, await encoder.run(crops, trace));
    },
  };
}

/** The whole picture goes to the encoder, whose graph cuts and aligns the faces. */
export function frameEmbedder(encoder: AligningModel): FaceEmbedder {
  return {
    fingerprint: encoder.fingerprint,
    input: encoder.input,
    async embed(picture, alignments, trace) {
      const { width, height } = picture;
      const bgr = await picture.pixels();
      const started = performance.now();
      const { outputs, runMs } = await encoder.runAligned({ width, height, bgr }, alignments);
      if (trace) {
        trace.runMs += runMs;
        trace.queuedMs += Math.max(0, performance.now() - started - runMs);
      }
      return onlyOutput(encoder, outputs);
    },
  };
}
