import type { Person } from '../core/person.ts';

/** Strangers remembered at a time by one camera; more than a crowd within one cool-down. */
const MAX_STRANGERS = 64;

export interface CooldownOptions {
  /** The same person, or a stranger who looks the same, is not announced again within this time. */
  readonly cooldownMs: number;
  /** Least cosine similarity by an encoder, given by its fingerprint, for two strangers to be taken for the same. */
  readonly sameStranger: (encoder: string) => number;
}

/** A stranger's face: only those by the same encoder are compared. */
export interface Stranger {
  readonly embedding: Float32Array;
  readonly encoder: string;
}

/** Keeps one camera from announcing the same visitor again and again. Times are monotonic milliseconds. */
export class Cooldown {
  readonly #options: CooldownOptions;
  readonly #similarity: (first: Float32Array, second: Float32Array) => number;
  readonly #people = new Map<string, number>();
  #strangers: (Stranger & { readonly atMs: number })[] = [];

  constructor(options: CooldownOptions, similarity: (first: Float32Array, second: Float32Array) => number) {
    this.#options = options;
    this.#similarity = similarity;
  }

  /** True when `person` is to be announced now; then the cool-down starts anew. */
  admitPerson(person: Person, nowMs: number): boolean {
    const last = this.#people.get(person.id);
    if (last !== undefined && nowMs - last < this.#options.cooldownMs) return false;
    this.#people.set(person.id, nowMs);
    return true;
  }

  /** True when the stranger with this face is to be announced now; then their cool-down starts anew. */
  admitStranger({ embedding, encoder }: Stranger, nowMs: number): boolean {
    this.#strangers = this.#strangers.filter(({ atMs }) => nowMs - atMs < this.#options.cooldownMs);
    const known = this.#strangers.some(
      (stranger) =>
        stranger.encoder === encoder &&
        this.#similarity(stranger.embedding, embedding) >= this.#options.sameStranger(encoder),
    );
    if (known) return false;
    this.#strangers.push({ embedding, encoder, atMs: nowMs });
    if (this.#strangers.length > MAX_STRANGERS) this.#strangers.shift();
    return true;
  }
}
