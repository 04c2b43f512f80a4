/** Row numbers of a batch, one a triplet. */
export interface Triplets {
  readonly anchors: BigInt64Array;
  readonly positives: BigInt64Array;
  readonly negatives: BigInt64Array;
}

export type Mining = 'random' | 'semi-hard' | 'hard';

/**
 * Chooses triplets of a batch: `random` negatives; `semi-hard` ones, farther than the positive but within the margin, a
 * random one of them (FaceNet, CVPR 2015); or the nearest (`hard`). Where none is semi-hard, a random negative is taken.
 *
 * @param embeddings rows side by side, each of length 1; not looked at when mining is random
 * @param people person number of each row
 * @param count how many triplets; anchors and positives are drawn at random from people with two rows at least
 *
 * Throws a RangeError when no person has two rows, or all rows are of one.
 */
export function mineTriplets(
  embeddings: Float32Array,
  people: ArrayLike<number>,
  {
    mining,
    margin,
    count,
    random,
  }: { readonly mining: Mining; readonly margin: number; readonly count: number; readonly random: () => number },
): Triplets {
  const size = people.length;
  const width = embeddings.length / size;
  const rows = Array.from({ length: size }, (_, index) => index);
  const mates = rows.map((row) => rows.filter((other) => other !== row && people[other] === people[row]));
  const strangers = rows.map((row) => rows.filter((other) => people[other] !== people[row]));
  const possible = rows.filter((row) => (mates[row]?.length ?? 0) > 0 && (strangers[row]?.length ?? 0) > 0);
  const any = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  if (possible.length === 0) throw new RangeError('a triplet needs two pictures of a person and one of another');

  const distance = (one: number, other: number) => {
    let sum = 0;
    for (let at = 0; at < width; at++) {
      sum += ((embeddings[one * width + at] ?? 0) - (embeddings[other * width + at] ?? 0)) ** 2;
    }
    return sum;
  };
  const negativeOf = (anchor: number, positive: number): number => {
    const others = strangers[anchor] ?? [];
    if (mining === 'random') return any(others);
    const far = others.map((row) => ({ row, distance: distance(anchor, row) }));
    if (mining === 'hard') return far.reduce((best, it) => (it.distance < best.distance ? it : best)).row;
    const least = distance(anchor, positive);
    const within = far.filter((it) => it.distance > least && it.distance < least + margin);
    return within.length > 0 ? any(within).row : any(others);
  };

  const triplets = {
    anchors: new BigInt64Array(count),
    positives: new BigInt64Array(count),
    negatives: new BigInt64Array(count),
  };
  for (let index = 0; index < count; index++) {
    const anchor = any(possible);
    const positive = any(mates[anchor] ?? []);
    triplets.anchors[index] = BigInt(anchor);
    triplets.positives[index] = BigInt(positive);
    triplets.negatives[index] = BigInt(negativeOf(anchor, positive));
  }
  return triplets;
}
