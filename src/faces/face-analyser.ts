import type { FacePart } from '../core/person.ts';
import type { Picture } from '../core/picture.ts';
import type { RunTrace } from '../inference/vision-model.ts';
import { type AlignmentPoints, alignBy } from './align.ts';
import type { Detection, FaceDetector } from './detect.ts';
import { unitEmbedding } from './embedding.ts';
import type { FaceEmbedder } from './face-embedder.ts';
import { upperTemplate } from './joint-template.ts';
import type { FaceLandmarker } from './landmarkers/face-landmarker.ts';
import type { AlignmentMarks, FaceLandmarks } from './landmarks.ts';
import { type FaceMask, type MaskAssessor, partToEmbed } from './mask-state.ts';
import { type FaceQuality, faceQuality } from './quality.ts';

/** A face with all that is needed to embed it. Pixels of the picture it was found in. */
export interface Face extends Detection {
  readonly landmarks: FaceLandmarks;
  readonly quality: FaceQuality;
  /** Null when it is not assessed. */
  readonly mask: FaceMask | null;
}

/** What an encoder makes of a face. */
export interface FaceEmbedding {
  /** Fingerprint of the encoder: embeddings of different fingerprints are never compared. */
  readonly encoder: string;
  readonly part: FacePart;
  /** Unit length. */
  readonly embedding: Float32Array;
}

/** Where a face is: what it is cut out and aligned by. */
export interface PlacedFace {
  /** Pixels of the picture. */
  readonly landmarks: AlignmentMarks;
}

/** What embedding needs to know of a face. */
export interface FaceToEmbed extends PlacedFace {
  readonly mask: FaceMask | null;
}

/** An encoder with what it is for. */
export interface PartEncoder {
  readonly part: FacePart;
  readonly embedder: FaceEmbedder;
  readonly alignedBy: AlignmentPoints;
  /** What it gives less length than this is no face. */
  readonly minNorm: number;
}

export interface FaceModels {
  readonly detector: FaceDetector;
  readonly landmarker: FaceLandmarker;
  /** Null leaves mask states open. */
  readonly maskAssessor: MaskAssessor | null;
  readonly encoder: PartEncoder;
  /** For faces with a mask; null takes `encoder` for them too. */
  readonly upperEncoder: PartEncoder | null;
  /** Of the full-face embedding in a template of the upper-part encoder, 0..1: `JointTemplates`. */
  readonly jointShare: number;
}

/**
 * The steps from a picture to embeddings. Each takes whatever holds the pixels; what crosses is small. Each adds the time
 * it spent waiting for, and in, its models to `trace`.
 */
export interface FaceAnalyser {
  /** Faces of a picture, best first. */
  detect(picture: Picture, trace?: RunTrace): Promise<Detection[]>;
  /** Landmarks, quality, alignment and mask state of faces found in the same picture, in order. */
  describe(picture: Picture, detections: readonly Detection[], trace?: RunTrace): Promise<Face[]>;
  /**
   * Embeddings of faces found in the same picture, in order, each by the encoder for its mask state; null for what is no
   * face to that encoder.
   */
  embed(picture: Picture, faces: readonly FaceToEmbed[], trace?: RunTrace): Promise<(FaceEmbedding | null)[]>;
  /** Templates by every encoder in use, whatever the mask state, of faces in order; none where it is no face to it. */
  embedTemplates(picture: Picture, faces: readonly FaceToEmbed[]): Promise<FaceEmbedding[][]>;
}

/** Builds the chain detect, landmarks, align, embed of its parts. */
export function createFaceAnalyser({
  detector,
  landmarker,
  maskAssessor,
  encoder,
  upperEncoder,
  jointShare,
}: FaceModels): FaceAnalyser {
  const embedBy = async (
    { embedder, alignedBy, part, minNorm }: PartEncoder,
    picture: Picture,
    faces: readonly PlacedFace[],
    trace?: RunTrace,
  ): Promise<(FaceEmbedding | null)[]> => {
    if (faces.length === 0) return [];
    const { width } = embedder.input;
    const alignments = faces.map(({ landmarks }) => alignBy(alignedBy, landmarks, width));
    const features = await embedder.embed(picture, alignments, trace);
    return faces.map((_, row) => {
      const embedding = unitEmbedding(features, row, minNorm);
      return embedding && { encoder: embedder.fingerprint, part, embedding };
    });
  };

  return {
    detect: (picture, trace) => detector.detect(picture, trace),

    async describe(picture, detections, trace) {
      const located = await landmarker.locate(picture, detections, trace);
      const seen = located.flatMap(({ grey }, index) => {
        const detection = detections[index];
        return detection ? [{ box: detection.box, grey }] : [];
      });
      const masks = await maskAssessor?.assess(picture, seen, trace);
      return detections.map((detection, index) => {
        const face = located[index];
        if (!face) throw new RangeError(`${detections.length} faces were detected and ${located.length} located`);
        const { landmarks, grey } = face;
        const mask = masks?.[index] ?? null;
        return {
          ...detection,
          landmarks,
          quality: faceQuality(detection.box, landmarks, grey, picture),
          mask,
        };
      });
    },

    async embed(picture, faces, trace) {
      const covered = (face: FaceToEmbed) => upperEncoder !== null && partToEmbed(face.mask) === 'upper';
      const bare = faces.filter((face) => !covered(face));
      const byFull = await embedBy(encoder, picture, bare, trace);
      if (!upperEncoder || bare.length === faces.length) return byFull;
      const byUpper = await embedBy(upperEncoder, picture, faces.filter(covered), trace);
      return faces.map((face) => (covered(face) ? byUpper : byFull).shift() ?? null);
    },

    async embedTemplates(picture, faces) {
      const byFull = await embedBy(encoder, picture, faces);
      const byUpper = upperEncoder ? await embedBy(upperEncoder, picture, faces) : [];
      return faces.map(({ mask }, row) => {
        const [full = null, own = null] = [byFull[row], byUpper[row]];
        const face = own && { own: own.embedding, whole: full?.embedding ?? null, mask };
        const upper = face && { ...own, embedding: upperTemplate(face, jointShare) };
        return [full, upper].filter((it) => it !== null);
      });
    },
  };
}
