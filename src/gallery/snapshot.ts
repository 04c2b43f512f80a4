import type { Person } from '../core/person.ts';
import { createExactIndex } from './search/usearch-exact-index.ts';
import type { VectorIndex } from './search/vector-index.ts';
import type { TemplateMatrix } from './template.ts';
import { dotRow, requireUnit } from './vector.ts';

/** Templates compared in full precision at first; more where these cannot settle who is most alike. */
const FIRST_CANDIDATES = 64;
const MORE_CANDIDATES = 8;
/** Below this many templates comparing all of them costs less than choosing which. */
const WORTH_AN_INDEX = 256;

/** How scores of several templates of a person become one. */
interface Pool {
  readonly bestOf: number;
  /** Rows of each person. */
  readonly rows: readonly (readonly number[])[];
}

/** How well a probe matches one person. */
export interface Match {
  readonly person: Person;
  /** Cosine with the person's best template, -1..1; with pooling the mean of their best ones. */
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
  /** What it is over: for reading only. */
  readonly templates: Pick<TemplateMatrix, 'dimension' | 'owners' | 'vectors'>;
  /** Whether the person has a template here. */
  has(personId: string): boolean;
  /**
   * The `k` people that match best (fewer when there are fewer), best first; of several templates of a person the best
   * counts, or the mean of the best ones; equal scores are ordered by id. Exact: every template is compared.
   *
   * @throws RangeError when the probe has another dimension or no unit norm, or `k` is not a positive whole number.
   */
  search(probe: Float32Array, k: number): Match[];
}

export interface SnapshotOptions {
  /** A person's score is the mean of so many of their templates most alike to the probe, or of all when there are fewer; 1 when left out. */
  readonly bestOf?: number;
}

/**
 * Snapshot over a block of templates, which it keeps and nobody may change any more.
 *
 * @throws RangeError when sizes do not fit, an owner is out of range or a row has no unit norm.
 */
export function createSnapshot(templates: TemplateMatrix, { bestOf = 1 }: SnapshotOptions = {}): GallerySnapshot {
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
  const index = owners.length < WORTH_AN_INDEX ? null : createExactIndex(vectors, dimension);
  const pool = bestOf > 1 ? { bestOf, rows: rowsByOwner(owners, people.length) } : null;
  const ids = new Set(people.map(({ id }) => id));
  return Object.freeze({
    version,
    encoder,
    dimension,
    people,
    templateCount: owners.length,
    templates,
    has: (personId: string) => ids.has(personId),
    search: (probe: Float32Array, k: number) => {
      requireUnit(probe, dimension, 'probe');
      if (!Number.isInteger(k) || k < 1) throw new RangeError(`k is ${k}, expected a positive whole number`);
      return search(templates, index, pool, probe, k);
    },
  });
}

/**
 * The `k` people most alike. The index names candidates, which are compared in full precision: more and more of them,
 * until nobody left out can be among the best.
 */
function search(
  templates: TemplateMatrix,
  index: VectorIndex | null,
  pool: Pool | null,
  probe: Float32Array,
  k: number,
): Match[] {
  const { people } = templates;
  const wide = Float64Array.from(probe);
  if (!index) return best(people, pool ? pooled(templates, pool, people.keys(), wide) : allScores(templates, wide), k);
  for (let count = Math.max(FIRST_CANDIDATES, 4 * k); ; count *= MORE_CANDIDATES) {
    const { rows, bound } = index.nearest(probe, count);
    // Whoever has no row among these has no better one, and so no better mean.
    const scores = pool
      ? pooled(templates, pool, new Set(Array.from(rows, (row) => templates.owners[row] ?? 0)), wide)
      : scoresOf(templates, rows, wide);
    const matches = best(people, scores, k);
    const worst = matches[Math.min(k, people.length) - 1];
    // Equal scores are ordered by id, so one that is only as good as the bound may still have to make room.
    if (bound <= -1 || (worst && worst.score > bound)) return matches;
  }
}

/** Best score of each person, by index. */
function allScores({ owners, vectors }: TemplateMatrix, probe: Float64Array): Map<number, number> {
  const scores = new Map<number, number>();
  for (let row = 0; row < owners.length; row++) raise(scores, owners[row] ?? 0, dotRow(vectors, row, probe));
  return scores;
}

/** The same of some rows only; people without any of them are not there. */
function scoresOf(templates: TemplateMatrix, rows: Uint32Array, probe: Float64Array): Map<number, number> {
  const { owners, vectors } = templates;
  const scores = new Map<number, number>();
  for (const row of rows) raise(scores, owners[row] ?? 0, dotRow(vectors, row, probe));
  return scores;
}

/** Means of the best scores of those people, by index; all their rows are compared. */
function pooled(
  { vectors }: TemplateMatrix,
  { bestOf, rows }: Pool,
  owners: Iterable<number>,
  probe: Float64Array,
): Map<number, number> {
  const scores = new Map<number, number>();
  for (const owner of owners) {
    const all = (rows[owner] ?? []).map((row) => dotRow(vectors, row, probe)).sort((a, b) => b - a);
    const counted = all.slice(0, bestOf);
    if (counted.length > 0) scores.set(owner, counted.reduce((sum, score) => sum + score, 0) / counted.length);
  }
  return scores;
}

function rowsByOwner(owners: Uint32Array, people: number): number[][] {
  const rows: number[][] = Array.from({ length: people }, () => []);
  owners.forEach((owner, row) => {
    rows[owner]?.push(row);
  });
  return rows;
}

function raise(scores: Map<number, number>, owner: number, score: number): void {
  if (score > (scores.get(owner) ?? Number.NEGATIVE_INFINITY)) scores.set(owner, score);
}

/** The `k` best; equal scores by id, as `people` are. */
function best(people: readonly Person[], scores: ReadonlyMap<number, number>, k: number): Match[] {
  return [...scores]
    .sort(([a, first], [b, second]) => second - first || a - b)
    .slice(0, k)
    .flatMap(([owner, score]) => {
      const person = people[owner];
      // Rounding can lift the cosine of equal vectors just over 1.
      return person ? [{ person, score: Math.max(-1, Math.min(1, score)) }] : [];
    });
}
