import type { FaceEncoder } from '../../src/evaluation/face-encoder.ts';
import { FaceShelf } from '../../src/evaluation/face-shelf.ts';
import {
  type AlignedFace,
  cropBy,
  type FaceSource,
  type ReadOptions,
  type ReadPicture,
} from '../../src/evaluation/face-source.ts';
import { cosine } from '../../src/faces/embedding.ts';
import type { FaceLandmarks } from '../../src/faces/landmarks.ts';

/** A picture that is known by the direction of its embedding in the plane, degrees; or why it has no face. */
export type MadePicture = number | 'unreadable' | 'no face';

/** Reads made-up pictures by file name; a mask turns a face by `maskTurn` degrees. */
export class MadeFaceSource implements FaceSource {
  readonly asked: { readonly file: string; readonly options: ReadOptions }[] = [];
  readonly #pictures: Readonly<Record<string, MadePicture>>;
  readonly #maskTurn: number;

  constructor(pictures: Readonly<Record<string, MadePicture>>, maskTurn = 0) {
    this.#pictures = pictures;
    this.#maskTurn = maskTurn;
  }

  async *read(files: readonly string[], options: ReadOptions): AsyncGenerator<ReadPicture> {
    for (const file of files) {
      this.asked.push({ file, options });
      const made = this.#pictures[file] ?? 'unreadable';
      if (typeof made === 'string') yield { file, face: null, reason: made, message: `${file}: ${made}` };
      else yield { file, face: madeFace(made + (options.mask ? this.#maskTurn : 0)), reason: null };
    }
  }

  shelf(): FaceShelf {
    let ms = 0;
    return new FaceShelf(this, () => ms++);
  }
}

const NOWHERE = { x: 0, y: 0 };
export const NO_LANDMARKS: FaceLandmarks = {
  points: [],
  five: [NOWHERE, NOWHERE, NOWHERE, NOWHERE, NOWHERE],
  bridge: null,
  ibug: null,
};

/** The direction is in the first two bytes of the crop, as a whole number of degrees. */
function madeFace(degrees: number): AlignedFace {
  const turned = (degrees + 720) % 360;
  return {
    crops: { five: Uint8Array.of(turned >> 8, turned & 255) },
    landmarks: NO_LANDMARKS,
    box: { x: 0, y: 0, width: 10, height: 10 },
    score: 1,
    quality: { size: 1, sharpness: 1, exposure: 1, pose: 1, completeness: 1, score: 1 },
    mask: null,
  };
}

/** Reads the direction back. What points at 180 degrees is no face to it. */
export class MadeEncoder implements FaceEncoder<Float32Array> {
  readonly id = 'made';
  readonly cropPx = 2;
  readonly alignedBy = ['five'] as const;
  readonly batches: number[] = [];

  async embed(faces: readonly AlignedFace[]): Promise<(Float32Array | null)[]> {
    this.batches.push(faces.length);
    return faces.map((face) => {
      const [high = 0, low = 0] = cropBy(face, 'five');
      const angle = ((high * 256 + low) * Math.PI) / 180;
      return high * 256 + low === 180 ? null : Float32Array.of(Math.cos(angle), Math.sin(angle));
    });
  }

  compare(enrolled: Float32Array, probe: Float32Array): number {
    return cosine(enrolled, probe);
  }
}
