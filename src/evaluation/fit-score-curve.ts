import type { CalibrationPoint, ScoreCurve } from '../faces/score-calibration.ts';
import { dotRow } from '../gallery/vector.ts';

/** One embedding of a picture of a person. */
export interface LabelledEmbedding {
  readonly person: string;
  readonly picture: string;
  /** Unit length. */
  readonly embedding: Float32Array;
}

/** Cosines are counted in bins this wide. */
const BINS = 2000;
/** Rates the curve has points at, as far down as the sample goes: five a decade. */
const RATES_A_DECADE = 5;
/** Rates above a half, for scores that speak against a person. */
const HIGH_RATES = [0.999, 0.99, 0.95, 0.8];
/** Share of what is left to independence that pictures of different days have and the looks of one track do not. */
const SAME_VISIT = 0.5;
/** What a count can be off by: it and two standard deviations more; of nothing seen, three (Hanley and Lippman-Hand 1983). */
const upperCount = (count: number) => count + 2 * Math.sqrt(count) + 3;

/**
 * Fits what scores mean on comparisons of every probe with every template but those of the same picture. Each pair of
 * people counts once, however many pictures there are of them, and rates are upper limits, so that little data claims
 * little. Log-likelihood ratios by isotonic regression over the same points (Zadrozny and Elkan 2002). Null without
 * two people and two pictures of one.
 *
 * @param signal stops the fit, which throws then
 */
export function fitScoreCurve(
  templates: readonly LabelledEmbedding[],
  probes: readonly LabelledEmbedding[],
  signal?: AbortSignal,
): ScoreCurve | null {
  const counts = compare(templates, probes, signal);
  if (counts.genuinePairs === 0 || counts.impostorPairs === 0) return null;
  const above = cumulated(counts.impostor);
  const points = scoresAtRates(above, counts.impostorPairs);
  const genuineAbove = cumulated(counts.genuine);
  const llrs = likelihoodRatios(points, genuineAbove, counts.genuinePairs);
  const curve = {
    impostors: counts.impostorPairs,
    genuine: counts.genuinePairs,
    correlation: 0,
    points: points.map((point, index): CalibrationPoint => ({ ...point, llr: llrs[index] ?? 0 })),
  };
  return { ...curve, correlation: SAME_VISIT + (1 - SAME_VISIT) * likeness(counts.repeated) };
}

interface Counts {
  /** By bin of the score; weights of one pair of people sum to 1. */
  readonly impostor: Float64Array;
  readonly genuine: Float64Array;
  impostorPairs: number;
  genuinePairs: number;
  /** Scores of two pictures of one stranger against one template. */
  readonly repeated: [number, number][];
}

function compare(
  templates: readonly LabelledEmbedding[],
  probes: readonly LabelledEmbedding[],
  signal?: AbortSignal,
): Counts {
  const counts: Counts = {
    impostor: new Float64Array(BINS + 1),
    genuine: new Float64Array(BINS + 1),
    impostorPairs: 0,
    genuinePairs: 0,
    repeated: [],
  };
  const dimension = templates[0]?.embedding.length ?? 0;
  const enrolled = byPerson(templates);
  const blocks = [...enrolled].map(([person, owned]) => {
    const vectors = new Float32Array(owned.length * dimension);
    owned.forEach(({ embedding }, row) => {
      vectors.set(embedding, row * dimension);
    });
    return { person, owned, vectors };
  });
  const looked = byPerson(probes);
  for (const [person, pictures] of looked) {
    signal?.throwIfAborted();
    const wide = pictures.map(({ embedding }) => Float64Array.from(embedding));
    for (const { person: other, owned, vectors } of blocks) {
      const scores: number[] = [];
      owned.forEach((template, row) => {
        wide.forEach((probe, index) => {
          if (template.picture !== pictures[index]?.picture) scores.push(dotRow(vectors, row, probe));
        });
      });
      if (scores.length === 0) continue;
      const same = person === other;
      // Two people who are both looked for and enrolled are compared twice, which says hardly more than once.
      const worth = !same && enrolled.has(person) && looked.has(other) ? 0.5 : 1;
      const bins = same ? counts.genuine : counts.impostor;
      for (const score of scores) {
        const bin = binOf(score);
        bins[bin] = (bins[bin] ?? 0) + worth / scores.length;
      }
      if (same) counts.genuinePairs++;
      else {
        counts.impostorPairs += worth;
        const [first, second] = scores;
        if (wide.length > 1 && first !== undefined && second !== undefined) counts.repeated.push([first, second]);
      }
    }
  }
  return counts;
}

/** Scores at which the upper limit of the rate falls to each of the rates the sample supports, by rising score. */
function scoresAtRates(above: Float64Array, pairs: number): { score: number; far: number }[] {
  const least = upperCount(0) / pairs;
  const rates = [...HIGH_RATES];
  for (let rate = 0.5; rate > least * 1.2; rate /= 10 ** (1 / RATES_A_DECADE)) rates.push(rate);
  rates.push(least);
  const points: { score: number; far: number }[] = [];
  for (const rate of rates) {
    const bin = above.findIndex((count) => Math.min(1, upperCount(count) / pairs) <= rate * (1 + 1e-9));
    if (bin === -1) continue;
    const score = scoreOf(bin);
    const last = points.at(-1);
    // Of rates that fall to one score the lowest is true, as the others are.
    if (last && score <= last.score) points.pop();
    points.push({ score, far: rate });
  }
  return points;
}

/** At each point: how much likelier the scores around it are of one person; pooled where they would fall. */
function likelihoodRatios(
  points: readonly { score: number; far: number }[],
  genuineAbove: Float64Array,
  pairs: number,
): number[] {
  const share = (index: number) => {
    const point = points[index];
    if (!point) return { genuine: index < 0 ? 1 : 0, impostor: index < 0 ? 1 : 0 };
    return { genuine: (genuineAbove[binOf(point.score)] ?? 0) / pairs, impostor: point.far };
  };
  // Between the middles of neighbouring points; above the last one everything.
  const blocks = points.map((_, index) => {
    const [low, mid, high] = [share(index - 1), share(index), share(index + 1)];
    const last = index === points.length - 1;
    const genuine = (low.genuine + mid.genuine) / 2 - (last ? 0 : (mid.genuine + high.genuine) / 2);
    const impostor = (low.impostor + mid.impostor) / 2 - (last ? 0 : (mid.impostor + high.impostor) / 2);
    return { genuine, impostor, points: 1 };
  });
  const pooled: typeof blocks = [];
  const ratio = (block: (typeof blocks)[number]) =>
    Math.log((block.genuine * pairs + 0.5) / (pairs + 1)) - Math.log(Math.max(block.impostor, Number.MIN_VALUE));
  for (const block of blocks) {
    let merged = block;
    for (let before = pooled.at(-1); before && ratio(before) >= ratio(merged); before = pooled.at(-1)) {
      pooled.pop();
      merged = {
        genuine: before.genuine + merged.genuine,
        impostor: before.impostor + merged.impostor,
        points: before.points + merged.points,
      };
    }
    pooled.push(merged);
  }
  return pooled.flatMap((block) => Array<number>(block.points).fill(ratio(block)));
}

/** Correlation of pairs of numbers from the same distribution, 0..1. */
function likeness(pairs: readonly (readonly [number, number])[]): number {
  const all = pairs.flat();
  const mean = all.reduce((sum, value) => sum + value, 0) / Math.max(1, all.length);
  const variance = all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, all.length);
  const together = pairs.reduce((sum, [a, b]) => sum + (a - mean) * (b - mean), 0) / Math.max(1, pairs.length);
  return variance > 0 ? Math.min(1, Math.max(0, together / variance)) : 1;
}

function byPerson(embeddings: readonly LabelledEmbedding[]): Map<string, LabelledEmbedding[]> {
  const people = new Map<string, LabelledEmbedding[]>();
  for (const it of embeddings) people.set(it.person, [...(people.get(it.person) ?? []), it]);
  return people;
}

/** How much lies in each bin and above it. */
function cumulated(bins: Float64Array): Float64Array {
  const above = bins.slice();
  for (let bin = above.length - 2; bin >= 0; bin--) above[bin] = (above[bin] ?? 0) + (above[bin + 1] ?? 0);
  return above;
}

function binOf(score: number): number {
  return Math.min(BINS, Math.max(0, Math.floor(((score + 1) / 2) * BINS + 1e-9)));
}

function scoreOf(bin: number): number {
  return (bin / BINS) * 2 - 1;
}
