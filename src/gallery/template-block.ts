import { atOnce, type Steps } from '../core/steps.ts';
import { type QuantisedRows, quantising } from './search/quantised-rows.ts';
import { createExactIndex } from './search/usearch-exact-index.ts';
import type { VectorIndex } from './search/vector-index.ts';
import type { TemplateMatrix } from './template.ts';
import { requireUnit } from './vector.ts';

/** Below this many templates comparing all of them costs less than choosing which. */
export const WORTH_AN_INDEX = 256;
/** Templates looked at in a step: about a millisecond. */
const STEP = 1024;

/** Templates that are ready to be searched. Never changes. */
export interface TemplateBlock {
  readonly templates: TemplateMatrix;
  /** Null for few templates. */
  readonly index: VectorIndex | null;
  /** The same in 8-bit numbers, where the exact index searches them. */
  readonly rows: QuantisedRows | null;
  /** Index of each person, by id. */
  readonly owners: ReadonlyMap<string, number>;
  /** Of each person the first row; the last entry is the number of rows. */
  readonly starts: Uint32Array;
}

/**
 * Block over templates, which it keeps and nobody may change any more.
 *
 * @throws RangeError when sizes do not fit, rows are not in the order of their owners or one has no unit norm.
 */
export function* preparing(templates: TemplateMatrix): Steps<TemplateBlock> {
  const { people, owners, vectors, dimension } = templates;
  const size = owners.length;
  if (vectors.length !== size * dimension) {
    throw new RangeError(`${size} templates of ${dimension} numbers expected, found ${vectors.length} numbers`);
  }
  const starts = new Uint32Array(people.length + 1).fill(size);
  let before = -1;
  for (let row = 0; row < size; row++) {
    const owner = owners[row] ?? 0;
    const person = people[owner];
    if (!person) throw new RangeError(`template ${row} belongs to nobody`);
    if (owner < before) throw new RangeError(`template ${row} of person ${person.id} is out of order`);
    starts.fill(row, before + 1, owner + 1);
    before = owner;
    requireUnit(
      vectors.subarray(row * dimension, (row + 1) * dimension),
      dimension,
      `a template of person ${person.id}`,
    );
    if (row % STEP === STEP - 1) yield;
  }
  const rows = size < WORTH_AN_INDEX ? null : yield* quantising(vectors, dimension);
  return Object.freeze({
    templates: { ...templates, people: Object.freeze([...people]) },
    index: rows && createExactIndex(rows, dimension),
    rows,
    owners: new Map(people.map(({ id }, owner) => [id, owner])),
    starts,
  });
}

/** {@link preparing} at once. */
export function createBlock(templates: TemplateMatrix): TemplateBlock {
  return atOnce(preparing(templates));
}

/** The same templates, searched by another index. */
export function withIndex(block: TemplateBlock, index: VectorIndex): TemplateBlock {
  return Object.freeze({ ...block, index, rows: null });
}
