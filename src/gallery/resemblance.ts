import type { Person } from '../core/person.ts';
import type { Match } from './snapshot.ts';
import type { TemplateMatrix } from './template.ts';
import { dotRow } from './vector.ts';

/** How a new embedding compares with what is enrolled. */
export interface Resemblance {
  /** Best cosine with the person's own templates; null when there are none. */
  readonly own: number | null;
  /** The other person that is most alike; null when there is nobody else. */
  readonly other: Match | null;
}

/**
 * Compares new embeddings with the templates enrolled before and those added since: enrolling many pictures does not
 * have to load the gallery again for each.
 */
export class ResemblanceIndex {
  readonly #before: TemplateMatrix;
  readonly #added: { readonly person: Person; readonly embedding: Float32Array }[] = [];

  constructor(before: TemplateMatrix) {
    this.#before = before;
  }

  add(person: Person, embedding: Float32Array): void {
    this.#added.push({ person, embedding });
  }

  /** Where an embedding (unit norm) said to be of the person of that id stands; null for someone new. */
  compare(personId: string | null, embedding: Float32Array): Resemblance {
    const probe = Float64Array.from(embedding);
    let own: number | null = null;
    let other: Match | null = null;
    for (const { person, score } of this.#scores(probe)) {
      if (person.id === personId) own = Math.max(own ?? -1, score);
      else if (!other || score > other.score) other = { person, score };
    }
    return { own, other };
  }

  *#scores(probe: Float64Array): Generator<Match> {
    const { people, owners, vectors } = this.#before;
    for (let row = 0; row < owners.length; row++) {
      const person = people[owners[row] ?? -1];
      if (person) yield { person, score: dotRow(vectors, row, probe) };
    }
    for (const { person, embedding } of this.#added) yield { person, score: dotRow(embedding, 0, probe) };
  }
}
