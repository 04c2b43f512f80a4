import { EyelineError } from '../../src/core/errors.ts';
import type { FacePart, MaskState } from '../../src/core/person.ts';
import type { Picture } from '../../src/core/picture.ts';
import type { FaceScores, ReadEmbedding, ReadFace } from '../../src/gallery/choose-face.ts';
import type { FaceReader, PictureReader } from '../../src/gallery/enrol.ts';

export const DIMENSION = 8;

/** A face of a made-up picture: who it is (the axis of the embedding), how large, how good. */
export interface MadeFace {
  readonly who: number;
  /** Cosine with the next axis instead of with its own, 0..1: how far it leans to somebody else. */
  readonly lean?: number;
  readonly heightPx?: number;
  readonly widthPx?: number;
  readonly quality?: FaceScores;
  readonly mask?: MaskState;
}

/** The bytes of a made-up picture: JSON of its faces. `salt` makes another file of the same faces. */
export function madePicture(faces: readonly MadeFace[], salt = 0): string {
  return JSON.stringify({ faces, salt });
}

interface MadePicture extends Picture {
  readonly faces: readonly MadeFace[];
  release(): void;
}

/**
 * Stands in for decoder and face chain: reads made-up pictures, and counts how many are open at once and in all, since
 * enrolment must hold one at a time and give each back.
 */
export class FakeFaceChain implements FaceReader {
  open = 0;
  mostOpen = 0;
  readonly decoded: string[] = [];
  failure: Error | null = null;
  encoders: { fingerprint: string; part: FacePart }[] = [{ fingerprint: 'encoder-a', part: 'full' }];
  readonly #pictures = new WeakMap<Picture, MadePicture>();

  readonly decode: PictureReader = async (bytes, name) => {
    this.decoded.push(name);
    const { faces } = JSON.parse(Buffer.from(bytes).toString('utf8')) as { faces?: MadeFace[] };
    if (!faces) throw new EyelineError('PICTURE_REFUSED', `${name}: no picture`);
    this.open++;
    this.mostOpen = Math.max(this.mostOpen, this.open);
    const picture: MadePicture = {
      width: 1000,
      height: 1000,
      faces,
      fit: async () => new Uint8Array(),
      cut: async () => [],
      pixels: async () => new Uint8Array(),
      release: () => {
        this.open--;
      },
    };
    this.#pictures.set(picture, picture);
    return picture;
  };

  async read(picture: Picture): Promise<readonly ReadFace[]> {
    if (this.failure) throw this.failure;
    return (this.#pictures.get(picture)?.faces ?? []).map((face) => {
      const { who, lean = 0, heightPx = 200, widthPx = heightPx * 0.8, quality = { score: 0.9 } } = face;
      const embedding = new Float32Array(DIMENSION);
      embedding[who] = Math.sqrt(1 - lean ** 2);
      embedding[(who + 1) % DIMENSION] = lean;
      const box = { x: 10, y: 10, width: widthPx, height: heightPx };
      const embeddings: ReadEmbedding[] = this.encoders.map(({ fingerprint, part }) => ({
        encoder: fingerprint,
        part,
        // What the encoders make of one face has nothing in common.
        embedding: part === 'full' ? embedding : embedding.toReversed(),
      }));
      return { box, score: 0.99, quality, embeddings, mask: face.mask ? { state: face.mask } : null };
    });
  }
}
