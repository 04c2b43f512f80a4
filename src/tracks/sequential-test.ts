import { normalTail, normalTailQuantile } from '../core/normal.ts';
import type { Person } from '../core/person.ts';
import { type ScoreCurve, type ScoreMeaning, scoreAtNormal, strangerOf } from '../faces/score-calibration.ts';

/** How well one look matches one person: cosine similarity to their best template, and what it means. */
export interface Match extends ScoreMeaning {
  readonly person: Person;
}

/** What one look at a track's face says. */
export interface Evidence {
  readonly atMs: number;
  /** 0..1; see faces/quality. */
  readonly quality: number;
  /** The people it matches best, best first; none when the gallery is empty. */
  readonly matches: readonly Match[];
  /** People it cannot be, however alike: another face of the frame is them, or somebody said so. */
  readonly excluded: ReadonlySet<string>;
  /** Fingerprint of the encoder that made the scores, and what they mean. */
  readonly encoder: string;
  readonly curve: ScoreCurve;
}

export interface DecisionPolicy {
  /** Of tracks of strangers, at most so many may be named: the bound of `known`. */
  readonly falseAcceptRate: number;
  /** Of tracks of people enrolled, about so many may be taken for strangers: the bound of `unknown`. */
  readonly falseRejectRate: number;
  /** How many times as likely as the next person somebody must be to be named. */
  readonly lookalikeMargin: number;
  /** Fewest looks anything is decided on, and fewest that make a stranger. */
  readonly minFrames: number;
  readonly unknownFrames: number;
}

/** Whom a track may be: the size of the gallery it was compared with. */
export interface Enrolled {
  readonly people: number;
  readonly templates: number;
}

/** What a verdict rests on. */
interface Grounds {
  /** Looks. */
  readonly frames: number;
  /** Fingerprint of the encoder of the latest look: score and threshold are by it, since others cannot be compared. */
  readonly encoder: string;
  /** The mean score from which a person would be named on as many looks. */
  readonly threshold: number;
}

export type Verdict =
  | (Grounds & { readonly decision: 'known'; readonly person: Person; readonly score: number; readonly normal: number })
  | (Grounds & { readonly decision: 'unknown' | 'undecided'; readonly score: number | null });

/** What all looks say together of one person. */
export interface Weighed {
  readonly person: Person;
  /** Mean cosine similarity, weighted by quality, of the looks by the latest look's encoder; null without any. */
  readonly score: number | null;
  /** Log-likelihood ratio of all looks. */
  readonly llr: number;
  /** Normal score of all looks: strangers have it by a standard normal distribution. */
  readonly normal: number;
  /** Normal score of one look, in the mean. */
  readonly oneLook: number;
}

/** Looks this far apart in time share a third (1/e) of what neighbouring frames share: pose, light, blur. */
const FORGET_MS = 1000;
/**
 * Looks a decision rests on at most, the latest ones: those of a few seconds, so that somebody else who takes a track over
 * is noticed. More would add little, since all of them are at one face.
 */
export const ENOUGH_LOOKS = 10;

/**
 * Decides on a track from all looks of a window, as a sequential test (Wald, "Sequential tests of statistical
 * hypotheses", 1945) over normal scores: under the hypothesis of a stranger the weighted mean of the looks has a known
 * distribution once it is allowed for that neighbouring frames say nearly the same.
 *
 * `known`: the chance that a stranger's looks match any template of the gallery so well is below `falseAcceptRate`
 * (Bonferroni over templates), nobody else is nearly as likely, and the looks agree. `unknown`: it is improbable that somebody enrolled
 * looks like this, or the looks are as many as there will be and do not suffice to name anybody. Else `undecided`. The order of the looks does not matter.
 */
export function decide(looks: readonly Evidence[], enrolled: Enrolled, policy: DecisionPolicy): Verdict {
  const { weighed, independent, latest } = weigh(looks);
  const [best, second] = weighed;
  const bound = boundOf(enrolled, policy);
  const grounds = {
    frames: looks.length,
    encoder: latest?.encoder ?? '',
    threshold: latest ? scoreAtNormal(latest.curve, bound / Math.sqrt(independent)) : 1,
  };
  const score = best?.score ?? null;
  if (looks.length < policy.minFrames) return { decision: 'undecided', score, ...grounds };
  if (
    best &&
    score !== null &&
    best.normal >= bound &&
    best.llr > 0 &&
    best.llr - (second?.llr ?? Number.NEGATIVE_INFINITY) >= Math.log(policy.lookalikeMargin) &&
    agreed(looks, best.person.id, policy.minFrames)
  ) {
    return { decision: 'known', person: best.person, score, normal: best.oneLook, ...grounds };
  }
  const strange = strangerness(weighed, enrolled) >= -Math.log(policy.falseRejectRate);
  // The test is truncated: who could not be named on as many looks as there will be is not known.
  const enough = looks.length >= ENOUGH_LOOKS && !(best && best.normal >= bound);
  const unknown = looks.length >= policy.unknownFrames && (strange || enough);
  return { decision: unknown ? 'unknown' : 'undecided', score, ...grounds };
}

/**
 * Whether enough looks, each on its own, speak for the person more than for anybody else, and twice as many as for others: a
 * mean alone would let one look that is very like somebody outweigh those that are not.
 */
function agreed(looks: readonly Evidence[], personId: string, least: number): boolean {
  const spoken = looks.map(spokenFor).filter((id) => id !== null);
  const agreeing = spoken.filter((id) => id === personId).length;
  const others = spoken.length - agreeing;
  return agreeing >= least && agreeing >= 2 * others;
}

/** Id of whom a look on its own speaks for, more than for a stranger or anybody else it can be; null for nobody. */
export function spokenFor({ matches, excluded }: Pick<Evidence, 'matches' | 'excluded'>): string | null {
  const best = matches.find(({ person }) => !excluded.has(person.id));
  return best && best.llr > 0 ? best.person.id : null;
}

/** Least normal score of `known`. */
export function boundOf({ templates }: Enrolled, { falseAcceptRate }: Pick<DecisionPolicy, 'falseAcceptRate'>): number {
  return normalTailQuantile(falseAcceptRate / Math.max(1, templates));
}

/** Share of strangers' tracks that would be named with evidence as strong as this. */
export function claimedRate({ templates }: Enrolled, normal: number): number {
  return Math.min(1, Math.max(1, templates) * normalTail(normal));
}

/** What the looks say of everybody who is among the best of any, the likeliest first. */
export function weigh(looks: readonly Evidence[]): {
  readonly weighed: readonly Weighed[];
  /** How many independent looks they are worth. */
  readonly independent: number;
  readonly latest: Evidence | null;
} {
  const total = sumOf(looks.map(({ quality }) => quality));
  const weights = looks.map(({ quality }) => (total > 0 ? quality / total : 1 / looks.length));
  const independent = independentLooks(looks, weights);
  const latest = looks.reduce<Evidence | null>((last, look) => (last && last.atMs >= look.atMs ? last : look), null);
  const people = new Map(looks.flatMap(({ matches }) => matches.map(({ person }) => [person.id, person] as const)));
  const weighed = [...people.values()].map((person): Weighed => {
    const matched = looks.map((look, index) => ({
      look,
      weight: weights[index] ?? 0,
      match: matchOf(look, person.id),
    }));
    const scored = matched.filter(({ look, match }) => 'person' in match && look.encoder === latest?.encoder);
    const share = sumOf(scored.map(({ weight }) => weight));
    const normal = sumOf(matched.map(({ weight, match }) => weight * match.normal));
    return {
      person,
      score: share > 0 ? sumOf(scored.map(({ weight, match }) => weight * match.score)) / share : null,
      llr: independent * sumOf(matched.map(({ weight, look, match }) => weight * look.quality * match.llr)),
      normal: Math.sqrt(independent) * normal,
      oneLook: normal,
    };
  });
  weighed.sort((a, b) => b.llr - a.llr || (a.person.id < b.person.id ? -1 : 1));
  return { weighed, independent, latest };
}

/** What a look says of a person. Who is not among the best of it is at most as likely as the last of those. */
function matchOf({ matches, excluded, curve }: Evidence, personId: string): Match | ScoreMeaning {
  const match = excluded.has(personId) ? null : matches.find(({ person }) => person.id === personId);
  if (match) return match;
  const stranger = strangerOf(curve);
  const { score, llr, normal } = matches.at(-1) ?? stranger;
  return normal < stranger.normal ? { score, llr, normal } : stranger;
}

/**
 * How many independent looks these are worth, at least 1: the inverse variance of their weighted mean, where two looks
 * share what the face itself makes alike (`correlation`) and, when close in time, most of the rest.
 */
export function independentLooks(looks: readonly Evidence[], weights: readonly number[]): number {
  const variance = sumOf(
    looks.flatMap((one, i) =>
      looks.map((other, j) => {
        const face = Math.max(one.curve.correlation, other.curve.correlation);
        const near = Math.exp(-Math.abs(one.atMs - other.atMs) / FORGET_MS);
        return (weights[i] ?? 0) * (weights[j] ?? 0) * (i === j ? 1 : face + (1 - face) * near);
      }),
    ),
  );
  return variance > 0 ? 1 / variance : 1;
}

/** The smallest first, so that rounding is the same in whatever order they come: of two as likely, always the same is the best. */
function sumOf(values: readonly number[]): number {
  return Float64Array.from(values)
    .sort()
    .reduce((sum, value) => sum + value, 0);
}

/** Log-likelihood ratio of a stranger against somebody enrolled, each of whom is as likely to come. */
function strangerness(weighed: readonly Weighed[], { people }: Enrolled): number {
  if (weighed.length === 0) return Number.POSITIVE_INFINITY;
  const highest = Math.max(...weighed.map(({ llr }) => llr));
  const sum = weighed.reduce((total, { llr }) => total + Math.exp(llr - highest), 0);
  return Math.log(Math.max(1, people)) - highest - Math.log(sum);
}
