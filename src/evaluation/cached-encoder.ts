import type { AlignmentPoints } from '../faces/align.ts';
import { enrolBy, type FaceEncoder, type ScoresAmong } from './face-encoder.ts';
import type { FaceToEncode, ReadPicture } from './face-source.ts';
import { NOT_COMPARED } from './metrics/comparisons.ts';

/** Embeds each face once, however many conditions it takes part in, and knows what a face costs. */
export class CachedEncoder<Code extends object> implements FaceEncoder<Code> {
  readonly id: string;
  readonly cropPx: number;
  readonly alignedBy: readonly AlignmentPoints[];
  readonly #encoder: FaceEncoder<Code>;
  readonly #now: () => number;
  readonly #known = new WeakMap<FaceToEncode, { readonly code: Code | null }>();
  readonly #enrolled = new WeakMap<FaceToEncode, { readonly code: Code | null }>();
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
    return this.#each(faces, this.#known, async (missing) => {
      const startMs = this.#now();
      const codes = await this.#encoder.embed(missing);
      this.#spentMs += this.#now() - startMs;
      this.#embedded += missing.length;
      return codes;
    });
  }

  /** What enrolling costs is not counted: a door waits for probes. */
  async enrol(faces: readonly FaceToEncode[]): Promise<(Code | null)[]> {
    if (!this.#encoder.enrol) return this.embed(faces);
    return this.#each(faces, this.#enrolled, (missing) => enrolBy(this.#encoder, missing));
  }

  async #each(
    faces: readonly FaceToEncode[],
    known: WeakMap<FaceToEncode, { readonly code: Code | null }>,
    make: (missing: readonly FaceToEncode[]) => Promise<(Code | null)[]>,
  ): Promise<(Code | null)[]> {
    const missing = [...new Set(faces)].filter((face) => !known.has(face));
    const codes = await make(missing);
    for (const [index, face] of missing.entries()) known.set(face, { code: codes[index] ?? null });
    return faces.map((face) => known.get(face)?.code ?? null);
  }

  compare(enrolled: Code, probe: Code): number {
    return this.#encoder.compare(enrolled, probe);
  }

  among(enrolled: readonly (Code | null)[], people: readonly number[]): ScoresAmong<Code> {
    return scoresAmong(this.#encoder, enrolled, people);
  }
}

/** Scores with what is enrolled, as the encoder has them. */
export function scoresAmong<Code extends object>(
  encoder: FaceEncoder<Code>,
  enrolled: readonly (Code | null)[],
  people: readonly number[],
): ScoresAmong<Code> {
  if (encoder.among) return encoder.among(enrolled, people);
  return {
    of(index, probe) {
      const code = enrolled[index];
      return code ? encoder.compare(code, probe) : NOT_COMPARED;
    },
  };
}

/** Codes of what was read, in order; null where there is no face. */
export async function embedPictures<Code extends object>(
  pictures: readonly ReadPicture[],
  encoder: FaceEncoder<Code>,
  as: 'probes' | 'enrolled' = 'probes',
): Promise<(Code | null)[]> {
  const faces = pictures.flatMap(({ face }) => (face ? [face] : []));
  const codes = as === 'enrolled' ? await enrolBy(encoder, faces) : await encoder.embed(faces);
  let next = 0;
  return pictures.map(({ face }) => (face ? (codes[next++] ?? null) : null));
}
