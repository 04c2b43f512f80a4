import { type Affine, boxToCrop } from '../core/geometry.ts';
import type { Picture } from '../core/picture.ts';
import type { RunTrace, VisionModel } from '../inference/vision-model.ts';
import { alignToTemplate } from './align.ts';
import { type Detection, type DetectionOptions, decodeDetections } from './detect.ts';
import { unitEmbedding } from './embedding.ts';
import type { FaceEmbedder } from './face-embedder.ts';
import { decodeLandmarks, fivePoints, type Landmarks } from './landmarks.ts';
import { namedOutput, onlyOutput } from './model-output.ts';
import { type FaceQuality, faceQuality } from './quality.ts';

/** A face with all that is needed to embed it. Pixels of the picture it was found in. */
export interface Face extends Detection {
  readonly landmarks: Landmarks;
  readonly quality: FaceQuality;
  /** Picture to aligned crop of the encoder's input size. */
  readonly alignment: Affine;
}

export interface FaceModels {
  readonly detector: VisionModel;
  readonly landmarks: VisionModel;
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

export interface FaceAnalyserOptions extends DetectionOptions {
  /** What the encoder gives less length than this is no face. */
  readonly minNorm: number;
}

/** Builds the chain detect, landmarks, align, embed over three models. */
export function createFaceAnalyser(models: FaceModels, options: FaceAnalyserOptions): FaceAnalyser {
  const { detector, landmarks: landmarker, encoder } = models;

  return {
    encoder: encoder.fingerprint,

    async detect(picture, trace) {
      const outputs = await detector.run([await picture.fit(detector.input)], trace);
      const named = {
        scores: namedOutput(detector, outputs, 'scores'),
        boxes: namedOutput(detector, outputs, 'boxes'),
      };
      return decodeDetections(named, 0, picture, detector.input, options);
    },

    async describe(picture, detections, trace) {
      if (detections.length === 0) return [];
      const crops = await picture.cut(
        detections.map(({ box }) => ({
          matrix: boxToCrop(box, landmarker.input),
          width: landmarker.input.width,
          height: landmarker.input.height,
          colour: landmarker.input.channels === 1 ? 'grey' : 'rgb',
        })),
      );
      const points = onlyOutput(landmarker, await landmarker.run(crops, trace));
      return detections.map((detection, row) => {
        const landmarks = decodeLandmarks(points, row, detection.box);
        const grey = crops[row] ?? new Uint8Array();
        return {
          ...detection,
          landmarks,
          quality: faceQuality(detection.box, landmarks, grey, landmarker.input.width, picture),
          alignment: alignToTemplate(fivePoints(landmarks), encoder.input.width),
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
