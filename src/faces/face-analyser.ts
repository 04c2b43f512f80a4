import { EyelineError } from '../core/errors.ts';
import { type Affine, boxToCrop } from '../core/geometry.ts';
import type { Picture } from '../core/picture.ts';
import type { RunTrace, Tensor, VisionModel } from '../inference/vision-model.ts';
import { alignToTemplate } from './align.ts';
import { type Detection, type DetectionOptions, decodeDetections } from './detect.ts';
import { unitEmbedding } from './embedding.ts';
import { decodeLandmarks, fivePoints, type Landmarks } from './landmarks.ts';
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
  readonly encoder: VisionModel;
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
      const named = { scores: output(detector, outputs, 'scores'), boxes: output(detector, outputs, 'boxes') };
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
      const points = only(landmarker, await landmarker.run(crops, trace));
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
      const { width, height } = encoder.input;
      const crops = await picture.cut(
        faces.map(({ alignment }) => ({ matrix: alignment, width, height, colour: 'rgb' })),
      );
      const embeddings = only(encoder, await encoder.run(crops, trace));
      return faces.map((_, row) => unitEmbedding(embeddings, row, options.minNorm));
    },
  };
}

function output(model: VisionModel, outputs: Readonly<Record<string, Tensor>>, name: string): Tensor {
  const tensor = outputs[name];
  if (!tensor) {
    throw new EyelineError(
      'MODEL_UNSUPPORTED',
      `model ${model.id} gives no output "${name}" but ${Object.keys(outputs)}`,
    );
  }
  return tensor;
}

function only(model: VisionModel, outputs: Readonly<Record<string, Tensor>>): Tensor {
  const [name, ...others] = Object.keys(outputs);
  if (name === undefined || others.length > 0) {
    throw new EyelineError(
      'MODEL_UNSUPPORTED',
      `model ${model.id} must give one output, gives ${Object.keys(outputs)}`,
    );
  }
  return output(model, outputs, name);
}
