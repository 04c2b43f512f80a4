import type { ScoredPair as ComparedPair } from '../../src/evaluation/metrics/comparisons.ts';
import { foldedAccuracy } from '../../src/evaluation/metrics/folded-accuracy.ts';
import type { Pair, PictureChoice } from './pictures.ts';
import type { FoundFace } from './system.ts';

type ScoredPair = Pick<ComparedPair, 'same' | 'score'>;

/** How alike two embeddings are; more is more alike. */
type Measure = (first: Float32Array, second: Float32Array) => number;

/** Euclidean distance is what both peers document; cosine what most encoders are trained for. */
export const MEASURES: Readonly<Record<'cosine' | 'euclidean', Measure>> = {
  cosine: (first, second) => dot(first, second) / Math.sqrt(dot(first, first) * dot(second, second)),
  euclidean: (first, second) =>
    -Math.sqrt(first.reduce((sum, value, index) => sum + (value - (second[index] ?? 0)) ** 2, 0)),
};

export type MeasureName = keyof typeof MEASURES;

export interface Accuracy {
  /** The better of the two for this system. */
  readonly measure: MeasureName;
  /** Share of pairs told right, 10-fold; null without pairs. */
  readonly verification: number | null;
  /** Share of pictures whose most similar other picture is of the same person; null without people. */
  readonly rank1: number | null;
  /** Chance that a pair of the same person is more alike than one of different people. */
  readonly auc: number;
  readonly pairs: number;
}

/** Embedding of the face a picture is about, by its path; null where none was found. */
export type Embeddings = ReadonlyMap<string, Float32Array | null>;

const FOLDS = 10;
/** Below whatever two embeddings give: a face that is not found can be told from nobody. */
const NOT_FOUND = Number.NEGATIVE_INFINITY;

/** Accuracy by the measure that suits the system better; null where nothing tells who is in the pictures. */
export function accuracyOf(embeddings: Embeddings, { pairs, people }: PictureChoice): Accuracy | null {
  if (pairs.length === 0 && people.size === 0) return null;
  const results = (['cosine', 'euclidean'] as const).map((measure): Accuracy => {
    const similarity = (first: string, second: string) => {
      const [a, b] = [embeddings.get(first), embeddings.get(second)];
      return a && b ? MEASURES[measure](a, b) : NOT_FOUND;
    };
    const scored = (pairs.length > 0 ? pairs : allPairs(people)).map(({ same, first, second }) => ({
      same,
      score: similarity(first, second),
    }));
    return {
      measure,
      verification: pairs.length > 0 ? foldedAccuracy(scored, FOLDS).accuracy : null,
      rank1: people.size > 0 ? rank1(people, similarity) : null,
      auc: areaUnderCurve(scored),
      pairs: scored.length,
    };
  });
  const merit = (it: Accuracy) => it.verification ?? it.rank1 ?? it.auc;
  return results.reduce((best, it) => (merit(it) > merit(best) ? it : best));
}

/** Area under the ROC curve by ranks (Mann and Whitney), equal scores counting half. */
export function areaUnderCurve(pairs: readonly ScoredPair[]): number {
  const sorted = [...pairs].sort((a, b) => (a.score === b.score ? 0 : a.score - b.score));
  let ranks = 0;
  let same = 0;
  for (let from = 0; from < sorted.length; ) {
    let to = from;
    while (to < sorted.length && sorted[to]?.score === sorted[from]?.score) to++;
    const tied = sorted.slice(from, to).filter((pair) => pair.same).length;
    ranks += (tied * (from + 1 + to)) / 2;
    same += tied;
    from = to;
  }
  return (ranks - (same * (same + 1)) / 2) / (same * (sorted.length - same));
}

/** The face nearest the picture's centre: whom pictures of LFW and portraits are about. */
export function centralFace(
  faces: readonly FoundFace[],
  picture: { readonly width: number; readonly height: number },
): FoundFace | null {
  const offCentre = ({ box }: FoundFace) =>
    Math.hypot(box.x + (box.width - picture.width) / 2, box.y + (box.height - picture.height) / 2);
  return faces.reduce<FoundFace | null>(
    (best, face) => (best && offCentre(best) <= offCentre(face) ? best : face),
    null,
  );
}

function allPairs(people: ReadonlyMap<string, string>): Pair[] {
  const pictures = [...people];
  return pictures.flatMap(([first, person], index) =>
    pictures.slice(index + 1).map(([second, other]) => ({ same: person === other, first, second })),
  );
}

function rank1(people: ReadonlyMap<string, string>, similarity: (first: string, second: string) => number): number {
  let right = 0;
  for (const [probe, person] of people) {
    let best: { score: number; person: string | null } = { score: NOT_FOUND, person: null };
    for (const [other, owner] of people) {
      if (other === probe) continue;
      const score = similarity(probe, other);
      if (score > best.score) best = { score, person: owner };
    }
    if (best.person === person) right++;
  }
  return right / people.size;
}

function dot(first: Float32Array, second: Float32Array): number {
  return first.reduce((sum, value, index) => sum + value * (second[index] ?? 0), 0);
}
