import type { Box } from '../../src/core/geometry.ts';
import type { FacePart, MaskState } from '../../src/core/person.ts';
import type { Frame, Picture } from '../../src/core/picture.ts';
import { normalise } from '../../src/faces/embedding.ts';
import type { Face, FaceAnalyser, FaceEmbedding, FaceToEmbed } from '../../src/faces/face-analyser.ts';
import { type FaceLandmarks, ibugLandmarks } from '../../src/faces/landmarks.ts';
import { partToEmbed } from '../../src/faces/mask-state.ts';
import type { RunTrace } from '../../src/inference/vision-model.ts';

/** A face as the fake analyser sees it: where it is, who it is (direction in the plane), how good. */
export interface StagedFace {
  readonly box: Box;
  readonly angle: number;
  readonly quality?: number;
  /** Null where it is left out: not assessed. */
  readonly mask?: MaskState;
  /** Taken for a face by the detector, but none. */
  readonly noFace?: boolean;
}

/** A picture that carries its faces instead of pixels. */
export class StagedFrame implements Frame {
  readonly width = 640;
  readonly height = 480;
  readonly camera = 'stage';
  readonly captureMs = 2;
  readonly sequence: number;
  readonly capturedAtMs: number;
  readonly faces: readonly StagedFace[];
  released = 0;

  constructor(sequence: number, capturedAtMs: number, faces: readonly StagedFace[]) {
    this.sequence = sequence;
    this.capturedAtMs = capturedAtMs;
    this.faces = faces;
  }

  async fit(input: { width: number; height: number }): Promise<Uint8Array> {
    return new Uint8Array(input.width * input.height * 3);
  }

  async cut(cuts: readonly { width: number; height: number; colour: 'rgb' | 'grey' }[]): Promise<Uint8Array[]> {
    return cuts.map(({ width, height, colour }) => new Uint8Array(width * height * (colour === 'rgb' ? 3 : 1)));
  }

  async pixels(): Promise<Uint8Array> {
    return new Uint8Array(this.width * this.height * 3);
  }

  release(): void {
    this.released++;
  }
}

interface StagedDescription extends Face {
  readonly staged: StagedFace;
}

/** Fingerprints of the fake's encoders. What one says of a face, the other says of somebody else by this angle. */
export const FULL_ENCODER = 'fake-encoder';
export const UPPER_ENCODER = 'fake-upper-encoder';
const UPPER_TURN = 1;

/** Embedding of somebody by an encoder of the fake. */
export function stagedEmbedding(angle: number, encoder: string): Float32Array {
  const turned = encoder === UPPER_ENCODER ? angle + UPPER_TURN : angle;
  return normalise(Float32Array.from([Math.cos(turned), Math.sin(turned)]));
}

/** Analyses staged frames; counts how many faces it was asked to describe and to embed. */
export class FakeFaceAnalyser implements FaceAnalyser {
  described = 0;
  embedded = 0;

  async detect(picture: Picture, _trace?: RunTrace): Promise<{ box: Box; score: number }[]> {
    return staged(picture).map(({ box }, index) => ({ box, score: 0.99 - index / 100 }));
  }

  async describe(picture: Picture, detections: readonly { box: Box; score: number }[]): Promise<StagedDescription[]> {
    this.described += detections.length;
    return detections.map((detection) => {
      const face = staged(picture).find(({ box }) => box === detection.box);
      if (!face) throw new Error('described a face that was not detected in this picture');
      const score = face.quality ?? 0.9;
      const { x, y, width, height } = detection.box;
      return {
        ...detection,
        staged: face,
        landmarks: landmarksIn({ x, y, width, height }),
        quality: { size: score, sharpness: score, exposure: score, pose: score, completeness: score, score },
        mask: face.mask === undefined ? null : { state: face.mask, confidence: 0.9 },
      };
    });
  }

  async embed(_picture: Picture, faces: readonly FaceToEmbed[], _trace?: RunTrace): Promise<(FaceEmbedding | null)[]> {
    this.embedded += faces.length;
    return faces.map((face) => {
      const { angle, noFace } = (face as StagedDescription).staged;
      return noFace ? null : embeddingOf(angle, partToEmbed(face.mask));
    });
  }

  async embedTemplates(_picture: Picture, faces: readonly FaceToEmbed[]): Promise<FaceEmbedding[][]> {
    return faces.map((face) => {
      const { angle, noFace } = (face as StagedDescription).staged;
      return noFace ? [] : [embeddingOf(angle, 'full'), embeddingOf(angle, 'upper')];
    });
  }
}

/** Looks straight ahead: eyes, nose and mouth where they are in a face, all else in the middle. */
function landmarksIn({ x, y, width, height }: Box): FaceLandmarks {
  const at = (right: number, down: number) => ({ x: x + right * width, y: y + down * height });
  return ibugLandmarks(
    Array.from({ length: 68 }, (_, index) => {
      if (index >= 36 && index <= 41) return at(0.35, 0.4);
      if (index >= 42 && index <= 47) return at(0.65, 0.4);
      if (index === 27) return at(0.5, 0.4);
      if (index === 28) return at(0.5, 0.46);
      if (index === 48) return at(0.38, 0.78);
      if (index === 54) return at(0.62, 0.78);
      return at(0.5, 0.6);
    }),
  );
}

function embeddingOf(angle: number, part: FacePart): FaceEmbedding {
  const encoder = part === 'full' ? FULL_ENCODER : UPPER_ENCODER;
  return { encoder, part, embedding: stagedEmbedding(angle, encoder) };
}

function staged(picture: Picture): readonly StagedFace[] {
  if (!(picture instanceof StagedFrame)) throw new Error('the fake analyser sees staged frames only');
  return picture.faces;
}
