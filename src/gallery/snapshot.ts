import type { Person } from '../core/person.ts';
import type { TemplateMatrix } from './template.ts';
import { dotRow, requireUnit } from './vector.ts';

/** How well a probe matches one person. */
export interface Match {
  readonly person: Person;
  /** Cosine with the person's best template, -1..1. */
  readonly score: number;
}

/** The gallery of one encoder at one version, in memory. Never changes: a new version is a new snapshot. */
export interface GallerySnapshot {
  readonly version: number;
  /** Fingerprint of the encoder. */
  readonly encoder: string;
  readonly dimension: number;
  /** Those with at least one template of this encoder, by id. */
  readonly people: readonly Person[];
  readonly templateCount: number;
  /** Whether the person has a template here. */
  has(personId: string): boolean;
  /**
   * The `k` people that match best (fewer when there are fewer), best first; of several templates of a person the best
   * counts, equal scores are ordered by id. Exact: every template is compared.
   *
   * @throws RangeError when the probe has another dimension or no unit norm, or `k` is not a positive whole number.
   */
  search(probe: Float32Array, k: number): Match[];
}

/**
 * Snapshot over a block of templates, which it keeps and nobody may change any more.
 *
 * @throws RangeError when sizes do not fit, an owner is out of range or a row has no unit norm.
 */
export function createSnapshot(templates: TemplateMatrix): GallerySnapshot {
  const { version, encoder, dimension, owners, vectors } = templates;
  const people = Object.freeze([...templates.people]);
  if (vectors.length !== owners.length * dimension) {
    throw new RangeError(
      `${owners.length} templates of ${dimension} numbers expected, found ${vectors.length} numbers`,
    );
  }
  owners.forEach((owner, row) => {
    const person = people[owner];
    if (!person) throw new RangeError(`template ${row} belongs to nobody`);
    const vector = vectors.subarray(row * dimension, (row + 1) * dimension);
    requireUnit(vector, dimension, `a template of person ${person.id}`);
  });
  const ids = new Set(people.map(({ id }) => id));
  return Object.freeze({
    version,
    encoder,
    dimension,
    people,
    templateCount: owners.length,
    has: (personId: string) => ids.has(personId),
    search: (probe: Float32Array, k: number) => {
      requireUnit(probe, dimension, 'probe');
      if (!Number.isInteger(k) || k < 1) throw new RangeError(`k is ${k}, expected a positive whole number`);
      return best(people, bestScores(templates, people.length, probe), k);
    },
  });
}

/** Best score of each person. */
function bestScores({ owners, vectors }: TemplateMatrix, people: number, probe: Float32Array): Float64Array {
  const scores = new Float64Array(people).fill(Number.NEGATIVE_INFINITY);
  const wide = Float64Array.from(probe);
  for (let row = 0; row < owners.length; row++) {
    const owner = owners[row] ?? 0;
    const score = dotRow(vectors, row, wide);
    if (score > (scores[owner] ?? 0)) scores[owner] = score;
  }
  return scores;
}

/** The `k` best by insertion: `k` is small, and sorting everybody would cost more than comparing them. */
function best(people: readonly Person[], scores: Float64Array, k: number): Match[] {
  const matches: Match[] = [];
  people.forEach((person, index) => {
    // Rounding can lift the cosine of equal vectors just over 1.
    const score = Math.max(-1, Math.min(1, scores[index] ?? -1));
    const last = matches[matches.length - 1];
    if (matches.length === k && last && score <= last.score) return;
    // After all of the same score: people come by id.
    let at = matches.length;
    while (at > 0 && score > (matches[at - 1]?.score ?? 1)) at--;
    matches.splice(at, 0, { person, score });
    if (matches.length > k) matches.pop();
  });
  return matches;
}
