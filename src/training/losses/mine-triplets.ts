/** Row numbers of a batch, one a triplet. */
export interface Triplets {
  readonly anchors: BigInt64Array;
  readonly positives: BigInt64Array;
  readonly negatives: BigInt64Array;
}

/**
 * Draws triplets of a batch by chance: an anchor, another picture of the same person, and one of somebody else.
 *
 * @param people person number of each row
 * @param count how many triplets; anchors are drawn from people with two rows at least
 *
 * Throws a RangeError when no person has two rows, or all rows are of one.
 */
export function drawTriplets(people: ArrayLike<number>, count: number, random: () => number): Triplets {
  const rows = Array.from({ length: people.length }, (_, index) => index);
  const mates = rows.map((row) => rows.filter((other) => other !== row && people[other] === people[row]));
  const strangers = rows.map((row) => rows.filter((other) => people[other] !== people[row]));
  const possible = rows.filter((row) => (mates[row]?.length ?? 0) > 0 && (strangers[row]?.length ?? 0) > 0);
  if (possible.length === 0) throw new RangeError('a triplet needs two pictures of a person and one of another');
  const any = (list: readonly number[]): number => list[Math.floor(random() * list.length)] ?? 0;
  const triplets = {
    anchors: new BigInt64Array(count),
    positives: new BigInt64Array(count),
    negatives: new BigInt64Array(count),
  };
  for (let index = 0; index < count; index++) {
    const anchor = any(possible);
    triplets.anchors[index] = BigInt(anchor);
    triplets.positives[index] = BigInt(any(mates[anchor] ?? []));
    triplets.negatives[index] = BigInt(any(strangers[anchor] ?? []));
  }
  return triplets;
}
