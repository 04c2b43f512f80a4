import type { FaceEncoder } from './face-encoder.ts';
import type { ReadPicture } from './face-source.ts';

/** Embeds each crop once, however many conditions it takes part in, and knows what a face costs. */
export class CachedEncoder implements FaceEncoder {
  readonly id: string;
  readonly cropPx: number;
  readonly #encoder: FaceEncoder;
  readonly #now: () => number;
  readonly #known = new WeakMap<Uint8Array, Float32Array | 'no face'>();
  #spentMs = 0;
  #embedded = 0;

  /** @param now monotonic milliseconds */
  constructor(encoder: FaceEncoder, now: () => number) {
    this.id = encoder.id;
    this.cropPx = encoder.cropPx;
    this.#encoder = encoder;
    this.#now = now;
  }

  /** Milliseconds a face took; null before the first. */
  get msPerFace(): number | null {
    return this.#embedded > 0 ? this.#spentMs / this.#embedded : null;
  }

  async embed(crops: readonly Uint8Array[]): Promise<(Float32Array | null)[]> {
    const missing = [...new Set(crops)].filter((crop) => !this.#known.has(crop));
    const startMs = this.#now();
    const embeddings = await this.#encoder.embed(missing);
    this.#spentMs += this.#now() - startMs;
    this.#embedded += missing.length;
    for (const [index, crop] of missing.entries()) this.#known.set(crop, embeddings[index] ?? 'no face');
    return crops.map((crop) => {
      const known = this.#known.get(crop);
      return known === undefined || known === 'no face' ? null : known;
    });
  }
}

/** Embeddings of what was read, in order; null where there is no face. */
export async function embedPictures(
  pictures: readonly ReadPicture[],
  encoder: FaceEncoder,
): Promise<(Float32Array | null)[]> {
  const crops = pictures.flatMap(({ face }) => (face ? [face.crop] : []));
  const embeddings = await encoder.embed(crops);
  let next = 0;
  return pictures.map(({ face }) => (face ? (embeddings[next++] ?? null) : null));
}
