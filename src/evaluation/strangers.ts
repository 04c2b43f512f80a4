import { EyelineError } from '../core/errors.ts';
import { seededRandom, seedOf } from '../core/seeded-random.ts';
import { shuffled } from '../core/shuffled.ts';
import type { Alikeness } from '../faces/adapt-curve.ts';
import { type Cohort, lessened } from '../faces/cohort.ts';
import type { OwnedTemplates } from '../faces/cross-person-scores.ts';
import { cosine } from '../faces/embedding.ts';
import { type ScoreCalibration, type ScoreCurve, scoreAtRate } from '../faces/score-calibration.ts';

/** An embedding of a picture. */
export interface PictureEmbedding {
  readonly picture: string;
  /** Unit length. */
  readonly embedding: Float32Array;
}

/** Embeddings of one person: what is enrolled, and who comes. */
export interface StrangersPerson {
  readonly person: string;
  readonly templates: readonly PictureEmbedding[];
  readonly probes: readonly PictureEmbedding[];
}

/** At a rate that is claimed of comparisons of different people. */
export interface ClaimedRate {
  readonly claimed: number;
  /** Share of comparisons of strangers with the gallery that reach its score, over all splits; and in the split where most do. */
  readonly strangers: number;
  readonly worst: number;
  /** Share of comparisons of people enrolled with their own templates that do not reach it. */
  readonly missed: number;
}

export interface StrangersFigures {
  readonly people: number;
  readonly gallerySize: number;
  readonly splits: number;
  /** Comparisons of strangers with a gallery, and of people with themselves. */
  readonly comparisons: number;
  readonly genuine: number;
  /** By the curve as it is, and as the daemon adapts it to each gallery. */
  readonly asMeasured: readonly ClaimedRate[];
  readonly adapted: readonly ClaimedRate[];
  /** Mean over the splits. */
  readonly alikeness: Alikeness;
}

export interface StrangersOptions {
  readonly calibration: ScoreCalibration;
  readonly curveOf: (calibration: ScoreCalibration) => ScoreCurve;
  /** What the daemon makes of a gallery. */
  readonly adapt: (
    calibration: ScoreCalibration,
    templates: OwnedTemplates,
  ) => {
    readonly calibration: ScoreCalibration;
    readonly alikeness: Alikeness | null;
    readonly cohort: Pick<Cohort, 'allowance'> | null;
  };
  readonly gallerySize: number;
  readonly splits: number;
  readonly seed: number;
  /** Who comes instead of those of the folder who are not enrolled. */
  readonly strangers?: readonly StrangersPerson[];
  readonly signal?: AbortSignal;
}

export const CLAIMED_RATES = [1e-2, 1e-3, 1e-4, 1e-5] as const;

/**
 * How often strangers reach the scores that stand for a rate: people are enrolled, some at random in each split, and the others come.
 * A picture is not compared with itself. Throws NOTHING_TO_EVALUATE when no stranger comes or nobody is enrolled.
 */
export function strangersFigures(people: readonly StrangersPerson[], options: StrangersOptions): StrangersFigures {
  const { calibration, curveOf, adapt, gallerySize, splits, seed, signal } = options;
  const able = people.filter(({ templates }) => templates.length > 0);
  const tallies = { asMeasured: CLAIMED_RATES.map(() => new Tally()), adapted: CLAIMED_RATES.map(() => new Tally()) };
  let [comparisons, genuine, shift, spread] = [0, 0, 0, 0];
  for (let split = 0; split < splits; split++) {
    signal?.throwIfAborted();
    const order = shuffled(able, seededRandom(seedOf(seed, `split ${split}`)));
    const enrolled = order.slice(0, gallerySize);
    const ids = new Set(enrolled.map(({ person }) => person));
    const others = options.strangers ?? people.filter(({ person }) => !ids.has(person));
    const made = adapt(calibration, block(enrolled));
    shift += made.alikeness?.shift ?? 0;
    spread += made.alikeness?.spread ?? 1;
    const owners = new Map(enrolled.map(({ person }, owner) => [person, owner]));
    const ownerOf = ({ person }: StrangersPerson) => owners.get(person) ?? -1;
    const allowances = (probe: Float32Array) => {
      const ofOwner = made.cohort?.allowance(probe) ?? (() => 0);
      return (other: StrangersPerson) => ofOwner(ownerOf(other));
    };
    const impostors = scoresOf(others, (_) => enrolled, allowances);
    const own = scoresOf(enrolled, (one) => [one], allowances);
    comparisons += impostors.adapted.length;
    genuine += own.adapted.length;
    for (const [of, curve] of [
      ['asMeasured', curveOf(calibration)],
      ['adapted', curveOf(made.calibration)],
    ] as const) {
      CLAIMED_RATES.forEach((rate, index) => {
        tallies[of][index]?.add(scoreAtRate(curve, rate), impostors[of], own[of]);
      });
    }
  }
  if (comparisons === 0) {
    throw new EyelineError(
      'NOTHING_TO_EVALUATE',
      `of ${people.length} people ${Math.min(gallerySize, able.length)} are enrolled, and nobody else has a picture to come with: lower ` +
        '--gallery-size, or give --strangers',
    );
  }
  const ratesOf = (of: readonly Tally[]) => of.map((tally, index) => tally.rate(CLAIMED_RATES[index] ?? 0));
  return {
    people: people.length,
    gallerySize: Math.min(gallerySize, able.length),
    splits,
    comparisons,
    genuine,
    asMeasured: ratesOf(tallies.asMeasured),
    adapted: ratesOf(tallies.adapted),
    alikeness: { shift: shift / splits, spread: spread / splits },
  };
}

/** Counts over the splits. */
class Tally {
  #reached = 0;
  #strangers = 0;
  #worst = 0;
  #missed = 0;
  #genuine = 0;

  add(score: number, strangers: Float64Array, genuine: Float64Array): void {
    const reached = strangers.reduce((sum, it) => sum + (it >= score ? 1 : 0), 0);
    this.#reached += reached;
    this.#strangers += strangers.length;
    this.#worst = Math.max(this.#worst, reached / Math.max(1, strangers.length));
    this.#missed += genuine.reduce((sum, it) => sum + (it < score ? 1 : 0), 0);
    this.#genuine += genuine.length;
  }

  rate(claimed: number): ClaimedRate {
    return {
      claimed,
      strangers: this.#reached / Math.max(1, this.#strangers),
      worst: this.#worst,
      missed: this.#missed / Math.max(1, this.#genuine),
    };
  }
}

function scoresOf(
  probes: readonly StrangersPerson[],
  against: (one: StrangersPerson) => readonly StrangersPerson[],
  allowances: (probe: Float32Array) => (other: StrangersPerson) => number,
): { readonly asMeasured: Float64Array; readonly adapted: Float64Array } {
  const asMeasured: number[] = [];
  const adapted: number[] = [];
  for (const one of probes) {
    for (const probe of one.probes) {
      const allowance = allowances(probe.embedding);
      for (const other of against(one)) {
        const off = allowance(other);
        for (const { picture, embedding } of other.templates) {
          if (picture === probe.picture) continue;
          const score = cosine(embedding, probe.embedding);
          asMeasured.push(score);
          adapted.push(lessened(score, off));
        }
      }
    }
  }
  return { asMeasured: Float64Array.from(asMeasured), adapted: Float64Array.from(adapted) };
}

function block(people: readonly StrangersPerson[]): OwnedTemplates {
  const rows = people.flatMap(({ templates }, owner) => templates.map(({ embedding: vector }) => ({ owner, vector })));
  return {
    owners: rows.map(({ owner }) => owner),
    vectorOf: (row) => rows[row]?.vector ?? new Float32Array(),
  };
}
