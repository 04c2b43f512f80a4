import type { AlignmentPoints } from '../faces/align.ts';
import type { FaceEncoder } from './face-encoder.ts';
import type { FaceToEncode, ReadPicture } from './face-source.ts';

/** Embeds each face once, however many conditions it takes part in, and knows what a face costs. */
export class CachedEncoder<Code extends object> implements FaceEncoder<Code> {
  readonly id: string;
  readonly cropPx: number;
  readonly alignedBy: readonly AlignmentPoints[];
  readonly #encoder: FaceEncoder<Code>;
  readonly #now: () => number;
  readonly #known = new WeakMap<FaceToEncode, { readonly code: Code | null }>();
  #spentMs = 0;
  #embedded = 0;

  /** @param now monotonic milliseconds */
  constructor(encoder: FaceEncoder<Code>, now: () => number) {
    this.id = encoder.id;
    this.cropPx = encoder.cropPx;
    this.alignedBy = encoder.alignedBy;
    this.#encoder = encoder;
    this.#now = now;
  }

  /** Milliseconds a face took; null before the first. */
  get msPerFace(): number | null {
    return this.#embedded > 0 ? this.#spentMs / this.#embedded : null;
  }

  async embed(faces: readonly FaceToEncode[]): Promise<(Code | null)[]> {
    const missing = [...new Set(faces)].filter((face) => !this.#known.has(face));
    const startMs = this.#now();
    const codes = await this.#encoder.embed(missing);
    this.#spentMs += this.#now() - startMs;
    this.#embedded += missing.length;
    for (const [index, face] of missing.entries()) this.#known.set(face, { code: codes[index] ?? null });
    return faces.map((face) => this.#known.get(face)?.code ?? null);
  }

  compare(enrolled: Code, probe: Code): number {
    return this.#encoder.compare(enrolled, probe);
  }
}

/** Codes of what was read, in order; null where there is no face. */
export async function embedPictures<Code extends object>(
  pictures: readonly ReadPicture[],
  encoder: FaceEncoder<Code>,
): Promise<(Code | null)[]> {
  const codes = await encoder.embed(pictures.flatMap(({ face }) => (face ? [face] : [])));
  let next = 0;
  return pictures.map(({ face }) => (face ? (codes[next++] ?? null) : null));
}
