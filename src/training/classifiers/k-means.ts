import { type FeatureMatrix, rowOf, squaredDistance } from './feature-matrix.ts';

export interface KMeans {
  readonly centres: FeatureMatrix;
  /** Centre of each row. */
  readonly assignment: Int32Array;
  /** Sum of squared distances of rows to their centres. */
  readonly inertia: number;
}

const MAX_ROUNDS = 50;

/**
 * Lloyd's algorithm from centres drawn by k-means++ (Arthur and Vassilvitskii 2007), until nothing moves or 50 rounds are
 * done. A centre that loses all its rows moves to the row furthest from its own.
 *
 * @param random gives numbers in 0..1; the same numbers give the same centres
 * Throws RangeError when there are fewer rows than centres.
 */
export function kMeans(points: FeatureMatrix, count: number, random: () => number): KMeans {
  if (count < 1 || points.rows < count) throw new RangeError(`${points.rows} points cannot have ${count} centres`);
  const centres = drawCentres(points, count, random);
  const assignment = new Int32Array(points.rows).fill(-1);
  const distances = new Float64Array(points.rows);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    if (!assign(points, centres, assignment, distances)) break;
    moveCentres(points, centres, assignment, distances);
  }
  assign(points, centres, assignment, distances);
  return { centres, assignment, inertia: distances.reduce((sum, distance) => sum + distance, 0) };
}

function drawCentres(points: FeatureMatrix, count: number, random: () => number): FeatureMatrix {
  const centres = { rows: count, columns: points.columns, data: new Float32Array(count * points.columns) };
  const nearest = new Float64Array(points.rows).fill(Number.POSITIVE_INFINITY);
  let drawn = Math.floor(random() * points.rows);
  for (let centre = 0; centre < count; centre++) {
    rowOf(centres, centre).set(rowOf(points, drawn));
    let total = 0;
    for (let row = 0; row < points.rows; row++) {
      const distance = squaredDistance(rowOf(points, row), rowOf(centres, centre));
      nearest[row] = Math.min(nearest[row] ?? distance, distance);
      total += nearest[row] ?? 0;
    }
    let left = random() * total;
    drawn = nearest.findIndex((distance) => {
      left -= distance;
      return left < 0;
    });
    // Only where every point is a centre already.
    if (drawn === -1) drawn = Math.floor(random() * points.rows);
  }
  return centres;
}

/** Gives whether any row changed its centre. */
function assign(
  points: FeatureMatrix,
  centres: FeatureMatrix,
  assignment: Int32Array,
  distances: Float64Array,
): boolean {
  let changed = false;
  for (let row = 0; row < points.rows; row++) {
    // The centre it had is probably the nearest: the others are given up as soon as they are further away.
    const before = assignment[row] as number;
    let nearest = before === -1 ? 0 : before;
    let least = distanceBelow(points, row, centres, nearest, Number.POSITIVE_INFINITY);
    for (let centre = 0; centre < centres.rows; centre++) {
      if (centre === nearest) continue;
      const distance = distanceBelow(points, row, centres, centre, least);
      if (distance < least) [nearest, least] = [centre, distance];
    }
    if (before !== nearest) changed = true;
    assignment[row] = nearest;
    distances[row] = least;
  }
  return changed;
}

/** Numbers after which a distance is compared with the limit. */
const STRETCH = 32;

/** The squared distance of a point to a centre, or something not below `limit` once that is certain. */
function distanceBelow(
  points: FeatureMatrix,
  row: number,
  centres: FeatureMatrix,
  centre: number,
  limit: number,
): number {
  const { columns, data } = points;
  const [from, to] = [row * columns, centre * columns];
  let sum = 0;
  for (let at = 0; at < columns && sum < limit; ) {
    const end = Math.min(columns, at + STRETCH);
    for (; at < end; at++) {
      const difference = (data[from + at] as number) - (centres.data[to + at] as number);
      sum += difference * difference;
    }
  }
  return sum;
}

function moveCentres(
  points: FeatureMatrix,
  centres: FeatureMatrix,
  assignment: Int32Array,
  distances: Float64Array,
): void {
  const sums = new Float64Array(centres.data.length);
  const counts = new Int32Array(centres.rows);
  for (let row = 0; row < points.rows; row++) {
    const centre = assignment[row] ?? 0;
    counts[centre] = (counts[centre] ?? 0) + 1;
    const point = rowOf(points, row);
    for (let at = 0; at < points.columns; at++) {
      const place = centre * points.columns + at;
      sums[place] = (sums[place] as number) + (point[at] as number);
    }
  }
  for (let centre = 0; centre < centres.rows; centre++) {
    const count = counts[centre] ?? 0;
    const to = rowOf(centres, centre);
    if (count > 0) for (let at = 0; at < to.length; at++) to[at] = (sums[centre * to.length + at] as number) / count;
    else {
      const furthest = distances.indexOf(distances.reduce((most, distance) => Math.max(most, distance), 0));
      to.set(rowOf(points, furthest));
      distances[furthest] = 0;
    }
  }
}
