import type { Affine } from '../core/geometry.ts';
import type { Picture } from '../core/picture.ts';
import type { RunTrace } from '../inference/vision-model.ts';
import { alignToTemplate } from './align.ts';
import type { Detection, FaceDetector } from './detect.ts';
import { unitEmbedding } from './embedding.ts';
import type { FaceEmbedder } from './face-embedder.ts';
import type { FaceLandmarker } from './landmarkers/face-landmarker.ts';
import type { FaceLandmarks } from './landmarks.ts';
import { type FaceQuality, faceQuality } from './quality.ts';

/** A face with all that is needed to embed it. Pixels of the picture it was found in. */
export interface Face extends Detection {
  readonly landmarks: FaceLandmarks;
  readonly quality: FaceQuality;
  /** Picture to aligned crop of the encoder's input size. */
  readonly alignment: Affine;
}

export interface FaceModels {
  readonly detector: FaceDetector;
  readonly landmarker: FaceLandmarker;
  readonly encoder: FaceEmbedder;
}

/**
 * The steps from a picture to embeddings. Each takes whatever holds the pixels; what crosses is small. Each adds the time
 * it spent waiting for, and in, its models to `trace`.
 */
export interface FaceAnalyser {
  /** Fingerprint of the encoder: embeddings of different fingerprints are never compared. */
  readonly encoder: string;
  /** Faces of a picture, best first. */
  detect(picture: Picture, trace?: RunTrace): Promise<Detection[]>;
  /** Landmarks, quality and alignment of faces found in the same picture, in order. */
  describe(picture: Picture, detections: readonly Detection[], trace?: RunTrace): Promise<Face[]>;
  /** Unit-length embeddings of faces found in the same picture, in order; null for what is no face to the encoder. */
  embed(
    picture: Picture,
    faces: readonly Pick<Face, 'alignment'>[],
    trace?: RunTrace,
  ): Promise<(Float32Array | null)[]>;
}

export interface FaceAnalyserOptions {
  /** What the encoder gives less length than this is no face. */
  readonly minNorm: number;
}

/** Builds the chain detect, landmarks, align, embed of its three parts. */
export function createFaceAnalyser(
  { detector, landmarker, encoder }: FaceModels,
  options: FaceAnalyserOptions,
): FaceAnalyser {
  return {
    encoder: encoder.fingerprint,

    detect: (picture, trace) => detector.detect(picture, trace),

    async describe(picture, detections, trace) {
      const located = await landmarker.locate(picture, detections, trace);
      return detections.map((detection, index) => {
        const face = located[index];
        if (!face) throw new RangeError(`${detections.length} faces were detected and ${located.length} located`);
        const { landmarks, grey } = face;
        return {
          ...detection,
          landmarks,
          quality: faceQuality(detection.box, landmarks, grey, picture),
          alignment: alignToTemplate(landmarks.five, encoder.input.width),
        };
      });
    },

    async embed(picture, faces, trace) {
      if (faces.length === 0) return [];
      const alignments = faces.map(({ alignment }) => alignment);
      const embeddings = await encoder.embed(picture, alignments, trace);
      return faces.map((_, row) => unitEmbedding(embeddings, row, options.minNorm));
    },
  };
}
