import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { EyelineError, messageOf } from '../core/errors.ts';
import type { Affine } from '../core/geometry.ts';
import type { Picture } from '../core/picture.ts';
import type { Detection } from '../faces/detect.ts';
import type { Face, FaceAnalyser } from '../faces/face-analyser.ts';
import type { FaceSource, ReadOptions, ReadPicture } from './face-source.ts';
import { PaddedPicture } from './padded-picture.ts';

/** A decoded picture, whose memory must be given back. */
export interface LoadedPicture extends Picture {
  release(): void;
}

/**
 * Draws a mask on a face.
 *
 * @param face found in `picture`
 * @param seed decides which mask and how it is worn
 */
export type SimulateMask = (picture: Picture, face: Face, seed: string) => Promise<LoadedPicture>;

export interface AnalysedFaceSourceParts {
  readonly analyser: Pick<FaceAnalyser, 'detect' | 'describe'>;
  /** Side of the crops the analyser aligns for. */
  readonly alignedPx: number;
  /** Throws PICTURE_REFUSED. */
  decode(bytes: Uint8Array, name: string): Promise<LoadedPicture>;
  readonly simulateMask: SimulateMask | null;
}

/** Reads one picture after the other with the daemon's own chain. */
export class AnalysedFaceSource implements FaceSource {
  readonly #parts: AnalysedFaceSourceParts;

  constructor(parts: AnalysedFaceSourceParts) {
    this.#parts = parts;
  }

  async *read(files: readonly string[], options: ReadOptions): AsyncGenerator<ReadPicture> {
    for (const file of files) {
      options.signal?.throwIfAborted();
      yield await this.#readOne(file, options);
    }
  }

  async #readOne(file: string, options: ReadOptions): Promise<ReadPicture> {
    const loaded = await this.#load(file);
    if (typeof loaded === 'string') return { file, face: null, reason: 'unreadable', message: loaded };
    const { picture, digest } = loaded;
    try {
      const plain = padded(picture, options.pad);
      const face = await this.#findFace(plain, options);
      if (!face) return { file, face: null, reason: 'no face', message: 'no face was found' };
      if (!options.mask) return { file, face: await this.#cut(plain, face, options), reason: null };
      return await this.#readMasked(file, plain, face, options, `${options.mask.seed} ${digest}`);
    } finally {
      picture.release();
    }
  }

  async #readMasked(file: string, plain: Picture, face: Face, options: ReadOptions, seed: string) {
    const { simulateMask } = this.#parts;
    if (!simulateMask) throw new EyelineError('USAGE', 'masks cannot be simulated here');
    const masked = await simulateMask(plain, face, seed);
    try {
      const found = await this.#findFace(masked, options);
      if (!found) {
        const message = 'no face was found with the mask on';
        return { file, face: null, reason: 'no face', message } as const;
      }
      return { file, face: await this.#cut(masked, found, options), reason: null } as const;
    } finally {
      masked.release();
    }
  }

  /** The picture with a digest of its bytes, the same wherever the file lies; or why there is none. */
  async #load(file: string): Promise<{ picture: LoadedPicture; digest: string } | string> {
    try {
      const bytes = await readFile(file);
      const picture = await this.#parts.decode(bytes, file);
      return { picture, digest: createHash('sha256').update(bytes).digest('hex') };
    } catch (error) {
      if (error instanceof EyelineError && error.code !== 'PICTURE_REFUSED') throw error;
      return messageOf(error);
    }
  }

  async #findFace(picture: Picture, { choose }: ReadOptions): Promise<Face | null> {
    const { analyser } = this.#parts;
    const found = await analyser.detect(picture);
    const chosen = chooseFace(found, picture, choose);
    if (!chosen) return null;
    const [face] = await analyser.describe(picture, [chosen]);
    return face ?? null;
  }

  async #cut(picture: Picture, face: Face, { cropPx }: ReadOptions) {
    const scale = cropPx / this.#parts.alignedPx;
    const matrix = face.alignment.map((value) => value * scale) as unknown as Affine;
    const [crop] = await picture.cut([{ matrix, width: cropPx, height: cropPx, colour: 'rgb' }]);
    if (!crop) throw new Error('a picture gave no crop');
    const { landmarks, box, score, quality, mask } = face;
    return { crop, landmarks, box, score, quality, mask };
  }
}

/** The face meant, of those found in a picture; the better one of equals. */
export function chooseFace(
  faces: readonly Detection[],
  picture: { readonly width: number; readonly height: number },
  choose: ReadOptions['choose'],
): Detection | null {
  const cost = ({ box }: Detection) =>
    choose === 'largest'
      ? -box.width * box.height
      : Math.hypot(box.x + (box.width - picture.width) / 2, box.y + (box.height - picture.height) / 2);
  return faces.reduce<Detection | null>((best, face) => (best && cost(best) <= cost(face) ? best : face), null);
}

function padded(picture: Picture, pad: number): Picture {
  return pad > 0 ? new PaddedPicture(picture, pad) : picture;
}
