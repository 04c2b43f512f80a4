/**
 * Scores of many comparisons of two faces, column by column: a data set of a few thousand pictures makes millions of
 * them. A higher score says "the same person" more surely.
 */
export interface Comparisons {
  readonly length: number;
  readonly scores: Float64Array;
  /** 1 where both faces are of one person. */
  readonly same: Uint8Array;
  /** Number of the person on either side; equal numbers are one person. */
  readonly first: Int32Array;
  readonly second: Int32Array;
}

/** Score of a comparison that could not be made, for want of a face: it counts as different people at any threshold. */
export const NOT_COMPARED = -1;

/** One comparison on its own; `people` where it is known who they are. */
export interface ScoredPair {
  readonly same: boolean;
  readonly score: number;
  readonly people?: readonly [string, string] | null;
}

/** Grows as comparisons are made. */
export class ComparisonTable implements Comparisons {
  #length = 0;
  #scores: Float64Array;
  #same: Uint8Array;
  #first: Int32Array;
  #second: Int32Array;

  constructor(capacity = 1024) {
    this.#scores = new Float64Array(capacity);
    this.#same = new Uint8Array(capacity);
    this.#first = new Int32Array(capacity);
    this.#second = new Int32Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  get scores(): Float64Array {
    return this.#scores.subarray(0, this.#length);
  }

  get same(): Uint8Array {
    return this.#same.subarray(0, this.#length);
  }

  get first(): Int32Array {
    return this.#first.subarray(0, this.#length);
  }

  get second(): Int32Array {
    return this.#second.subarray(0, this.#length);
  }

  add(same: boolean, score: number, first: number, second: number): void {
    if (this.#length === this.#scores.length) this.#grow();
    this.#scores[this.#length] = score;
    this.#same[this.#length] = same ? 1 : 0;
    this.#first[this.#length] = first;
    this.#second[this.#length] = second;
    this.#length++;
  }

  #grow(): void {
    const capacity = Math.max(1024, this.#scores.length * 2);
    const scores = new Float64Array(capacity);
    const same = new Uint8Array(capacity);
    const first = new Int32Array(capacity);
    const second = new Int32Array(capacity);
    scores.set(this.#scores);
    same.set(this.#same);
    first.set(this.#first);
    second.set(this.#second);
    [this.#scores, this.#same, this.#first, this.#second] = [scores, same, first, second];
  }
}

/** Pairs as a table. A pair whose people are unknown is taken for two that appear nowhere else. */
export function comparisonsOf(pairs: readonly ScoredPair[]): Comparisons {
  const numbers = new Map<string, number>();
  let strangers = 0;
  const numberOf = (person: string) => {
    const number = numbers.get(person) ?? numbers.size;
    numbers.set(person, number);
    return number;
  };
  for (const { people } of pairs) people?.forEach(numberOf);
  const table = new ComparisonTable(pairs.length);
  for (const { same, score, people } of pairs) {
    const first = people ? numberOf(people[0]) : numbers.size + strangers++;
    const second = people ? numberOf(people[1]) : same ? first : numbers.size + strangers++;
    table.add(same, score, first, second);
  }
  return table;
}
