import { crossPersonScores } from '../faces/cross-person-scores.ts';
import { rowsIn } from '../faces/embedding.ts';
import type { CalibrationPoint, ScoreCurve } from '../faces/score-calibration.ts';

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
/** No two people of some millions of pairs are this far from the others; the same person is. */
const OUT_OF_REACH_DEVIATIONS = 6;
/** What a count can be off by: it and two standard deviations more; of nothing seen, three (Hanley and Lippman-Hand 1983). */
const upperCount = (count: number) => count + 2 * Math.sqrt(count) + 3;

/** Faces at least this alike are taken for one photograph. */
const SAME_PICTURE = 0.9;
/** Rates at which strangers of one population are compared with those of a mixed set. */
const COMPARED_RATES = [0.1, 1e-3] as const;

/** Two people who look like one: the same person under two names, or one photograph in two folders. */
export interface Suspects {
  readonly people: readonly [string, string];
  /** Highest similarity of their pictures. */
  readonly score: number;
}

export interface FittedCurve {
  readonly curve: ScoreCurve;
  /** Pairs of people that were left out, the most alike first. */
  readonly suspects: readonly Suspects[];
  /** How much higher the scores of `alike` strangers are. */
  readonly raisedBy: number;
}

/**
 * Fits what scores mean on comparisons of every probe with every template but those of the same picture. Each pair of
 * people counts once, however many pictures there are of them, and rates are upper limits, so that little data claims
 * little. Log-likelihood ratios by isotonic regression over the same points (Zadrozny and Elkan 2002). Public sets hold
 * people under two names: pairs of people more alike than half of the pictures of one person are, and far out of reach of all
 * others, are left out and told.
 * Null without two people and two pictures of one.
 *
 * Strangers of one population, as they come to one door, are more alike than those of a mixed set (Grother et al., *FRVT part 3:
 * demographic effects*, NISTIR 8280, 2019). Where `alike` are given, embeddings of such strangers, the scores that stand for the
 * rates are raised by as much as theirs are higher.
 *
 * @param signal stops the fit, which throws then
 */
export function fitScoreCurve(
  templates: readonly LabelledEmbedding[],
  probes: readonly LabelledEmbedding[],
  { signal, alike = [] }: { readonly signal?: AbortSignal; readonly alike?: readonly Float32Array[] } = {},
): FittedCurve | null {
  const [enrolled, looked] = [blockOf(templates), blockOf(probes)];
  const genuine = new Float64Array(BINS + 1);
  let genuinePairs = 0;
  for (const [person, own] of looked.people) {
    const other = enrolled.people.get(person);
    const scores = other ? compare(looked, own, enrolled, other) : [];
    count(genuine, scores, 1);
    if (scores.length > 0) genuinePairs++;
  }
  const genuineAbove = cumulated(genuine);
  const suspicious = scoreOf(genuineAbove.findIndex((above) => above <= genuinePairs / 2));

  const impostor = new Float64Array(BINS + 1);
  const repeated = new Correlation();
  /** Pairs that may be one person: counted once it is known how far from the others they are. */
  const doubtful: { people: [string, string]; scores: readonly number[]; worth: number; highest: number }[] = [];
  let impostorPairs = 0;
  for (const [person, own] of looked.people) {
    signal?.throwIfAborted();
    for (const [other, theirs] of enrolled.people) {
      if (person === other) continue;
      const scores = compare(looked, own, enrolled, theirs);
      const highest = scores.reduce((most, score) => Math.max(most, score), -1);
      // Two people who are both looked for and enrolled are compared twice, which says hardly more than once.
      const worth = enrolled.people.has(person) && looked.people.has(other) ? 0.5 : 1;
      if (highest >= suspicious) {
        doubtful.push({ people: [person, other], scores, worth, highest });
        continue;
      }
      count(impostor, scores, worth);
      impostorPairs += worth;
      // Scores come by probe: those of the first two against the first template.
      if (own.rows > 1) repeated.add(scores[0] ?? 0, scores[theirs.rows] ?? 0);
    }
  }
  const all = impostor.slice();
  for (const { scores, worth } of doubtful) count(all, scores, worth);
  const limit = beyond(all);
  const suspects = new Map<string, Suspects>();
  for (const { people, scores, worth, highest } of doubtful) {
    if (highest < limit) {
      count(impostor, scores, worth);
      impostorPairs += worth;
      continue;
    }
    const key = [...people].sort().join(' ');
    const before = suspects.get(key);
    if (!before || before.score < highest) suspects.set(key, { people, score: highest });
  }
  if (genuinePairs === 0 || impostorPairs === 0) return null;
  const mixed = scoresAtRates(cumulated(impostor), impostorPairs);
  const raisedBy = alike.length > 1 ? raiseOf(mixed, alike) : 0;
  const points = raised(mixed, raisedBy);
  const llrs = likelihoodRatios(points, genuineAbove, genuinePairs);
  const among = crossPersonScores({
    owners: ownersOf(enrolled),
    vectorOf: rowsIn(enrolled.vectors, enrolled.dimension),
  });
  return {
    curve: {
      impostors: Math.round(impostorPairs),
      genuine: genuinePairs,
      correlation: SAME_VISIT + (1 - SAME_VISIT) * repeated.value,
      // A curve that was raised already is one of people that much more alike.
      ...(among && { reference: { mean: among.mean + raisedBy, deviation: among.deviation } }),
      points: points.map((point, index): CalibrationPoint => ({ ...point, llr: llrs[index] ?? 0 })),
    },
    suspects: [...suspects.values()].sort((a, b) => b.score - a.score),
    raisedBy,
  };
}

interface Rows {
  readonly from: number;
  readonly rows: number;
}

/** Embeddings one after another, each person's together. */
interface Block {
  readonly vectors: Float32Array;
  readonly dimension: number;
  readonly pictures: readonly string[];
  readonly people: ReadonlyMap<string, Rows>;
}

function blockOf(embeddings: readonly LabelledEmbedding[]): Block {
  const byPerson = new Map<string, LabelledEmbedding[]>();
  for (const it of embeddings) {
    const own = byPerson.get(it.person);
    if (own) own.push(it);
    else byPerson.set(it.person, [it]);
  }
  const sorted = [...byPerson.values()].flat();
  const dimension = sorted[0]?.embedding.length ?? 0;
  const vectors = new Float32Array(sorted.length * dimension);
  const people = new Map<string, Rows>();
  sorted.forEach(({ person, embedding }, row) => {
    vectors.set(embedding, row * dimension);
    const before = people.get(person);
    people.set(person, { from: before?.from ?? row, rows: (before?.rows ?? 0) + 1 });
  });
  return { vectors, dimension, pictures: sorted.map(({ picture }) => picture), people };
}

/** Whose each row is, people counted from 0. */
function ownersOf({ people }: Block): number[] {
  return [...people.values()].flatMap(({ rows }, owner) => Array<number>(rows).fill(owner));
}

/** Scores of some probes with some templates, by probe; those of one picture with itself are left out. */
function compare(probes: Block, own: Rows, templates: Block, theirs: Rows): number[] {
  const { dimension } = probes;
  const scores: number[] = [];
  for (let row = own.from; row < own.from + own.rows; row++) {
    const probe = probes.vectors.subarray(row * dimension, (row + 1) * dimension);
    for (let other = theirs.from; other < theirs.from + theirs.rows; other++) {
      if (templates.pictures[other] !== probes.pictures[row])
        scores.push(dotOf(templates.vectors, other * dimension, probe));
    }
  }
  return scores;
}

/** Dot product in single numbers: four sums, so that additions do not wait for each other. */
function dotOf(vectors: Float32Array, start: number, probe: Float32Array): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  const end = probe.length - (probe.length % 4);
  for (let index = 0; index < end; index += 4) {
    a += (vectors[start + index] ?? 0) * (probe[index] ?? 0);
    b += (vectors[start + index + 1] ?? 0) * (probe[index + 1] ?? 0);
    c += (vectors[start + index + 2] ?? 0) * (probe[index + 2] ?? 0);
    d += (vectors[start + index + 3] ?? 0) * (probe[index + 3] ?? 0);
  }
  for (let index = end; index < probe.length; index++) a += (vectors[start + index] ?? 0) * (probe[index] ?? 0);
  return a + b + c + d;
}

/** Scores of one pair of people, which count `worth` together. */
function count(bins: Float64Array, scores: readonly number[], worth: number): void {
  for (const score of scores) {
    const bin = binOf(score);
    bins[bin] = (bins[bin] ?? 0) + worth / scores.length;
  }
}

/** Of two numbers from one distribution, 0..1. */
class Correlation {
  #count = 0;
  #sum = 0;
  #squares = 0;
  #products = 0;

  add(one: number, other: number): void {
    this.#count++;
    this.#sum += one + other;
    this.#squares += one * one + other * other;
    this.#products += one * other;
  }

  /** 1 without any. */
  get value(): number {
    const mean = this.#sum / (2 * this.#count);
    const variance = this.#squares / (2 * this.#count) - mean * mean;
    const together = this.#products / this.#count - mean * mean;
    return variance > 0 ? Math.min(1, Math.max(0, together / variance)) : 1;
  }
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

/**
 * How much higher strangers of one population score at the same rates, at the rate where it is most. Only rates are compared
 * at which a few pictures of one person among them weigh little; what they weigh makes the result stricter.
 */
function raiseOf(points: readonly { score: number; far: number }[], alike: readonly Float32Array[]): number {
  const bins = new Float64Array(BINS + 1);
  let pairs = 0;
  for (const [row, one] of alike.entries()) {
    for (let other = 0; other < row; other++) {
      const score = dotOf(alike[other] ?? one, 0, one);
      // The same photograph twice.
      if (score >= SAME_PICTURE) continue;
      count(bins, [score], 1);
      pairs++;
    }
  }
  if (pairs === 0) return 0;
  const theirs = scoresAtRates(cumulated(bins), pairs);
  const differences = points
    .filter(({ far }) => far <= COMPARED_RATES[0] && far >= COMPARED_RATES[1])
    .flatMap(({ score, far }) => {
      const same = theirs.find((it) => Math.abs(it.far / far - 1) < 1e-6);
      return same ? [same.score - score] : [];
    });
  return Math.max(0, ...differences);
}

/** Points at higher scores; where those would pass 1 the last one below it stays. */
function raised(points: readonly { score: number; far: number }[], by: number): { score: number; far: number }[] {
  return points.map(({ score, far }) => ({ score: score + by, far })).filter(({ score }) => score < 1);
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

/** The score that is so many deviations above the mean. */
function beyond(bins: Float64Array): number {
  const moment = (power: number) => bins.reduce((sum, many, bin) => sum + many * scoreOf(bin) ** power, 0);
  const [total, mean] = [moment(0), moment(1) / Math.max(moment(0), Number.MIN_VALUE)];
  const variance = total > 0 ? moment(2) / total - mean * mean : 0;
  return mean + OUT_OF_REACH_DEVIATIONS * Math.sqrt(Math.max(0, variance));
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
