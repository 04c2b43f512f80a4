import { normalTail, normalTailQuantile } from '../core/normal.ts';
import type { Person } from '../core/person.ts';

/** How well one look matches one person; see faces/score-calibration. */
export interface Match {
  readonly person: Person;
  /** Cosine similarity to their best template. */
  readonly score: number;
  readonly llr: number;
  readonly normal: number;
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
  /** What the look would say of somebody it has nothing to do with. */
  readonly stranger: Pick<Match, 'llr' | 'normal'>;
  /** Correlation of strangers' scores over looks far apart, 0..1; of the curve the matches were read from. */
  readonly correlation: number;
}

export interface DecisionPolicy {
  /** Of tracks of strangers, at most so many may be named: the bound of `known`. */
  readonly falseAcceptRate: number;
  /** Of tracks of people enrolled, about so many may be taken for strangers: the bound of `unknown`. */
  readonly falseRejectRate: number;
  /** Fewest looks anything is decided on, and fewest that make a stranger. */
  readonly minFrames: number;
  readonly unknownFrames: number;
}

/** Whom a track may be: the size of the gallery it was compared with. */
export interface Enrolled {
  readonly people: number;
  readonly templates: number;
}

export type Verdict =
  | { readonly decision: 'known'; readonly person: Person; readonly score: number; readonly frames: number }
  | { readonly decision: 'unknown'; readonly score: number | null; readonly frames: number }
  | { readonly decision: 'undecided'; readonly score: number | null; readonly frames: number };

/** What all looks say together of one person. */
export interface Weighed {
  readonly person: Person;
  /** Mean cosine similarity, weighted by quality, of the looks the person was among the best of. */
  readonly score: number;
  /** Log-likelihood ratio of all looks. */
  readonly llr: number;
  /** Normal score of all looks: strangers have it by a standard normal distribution. */
  readonly normal: number;
}

/** Looks this far apart in time share a third (1/e) of what neighbouring frames share: pose, light, blur. */
const FORGET_MS = 1000;
/** Log-likelihood ratio by which a person must be ahead of the next one: they are then 20 times as likely. */
const LOOKALIKE_MARGIN = Math.log(20);

/**
 * Decides on a track from all looks of a window, as a sequential test (Wald, "Sequential tests of statistical
 * hypotheses", 1945) over normal scores: under the hypothesis of a stranger the weighted mean of the looks has a known
 * distribution once it is allowed for that neighbouring frames say nearly the same.
 *
 * `known`: the chance that a stranger's looks match any template of the gallery so well is below `falseAcceptRate`
 * (Bonferroni over templates), and nobody else is nearly as likely. `unknown`: it is improbable that somebody enrolled
 * looks like this. Else `undecided`. The order of the looks does not matter.
 */
export function decide(looks: readonly Evidence[], enrolled: Enrolled, policy: DecisionPolicy): Verdict {
  const weighed = weigh(looks);
  const [best, second] = weighed;
  const frames = looks.length;
  const score = best?.score ?? null;
  if (frames < policy.minFrames) return { decision: 'undecided', score, frames };
  if (
    best &&
    best.normal >= boundOf(enrolled, policy) &&
    best.llr > 0 &&
    best.llr - (second?.llr ?? Number.NEGATIVE_INFINITY) >= LOOKALIKE_MARGIN
  ) {
    return { decision: 'known', person: best.person, score: best.score, frames };
  }
  if (frames >= policy.unknownFrames && strangerness(weighed, enrolled) >= -Math.log(policy.falseRejectRate)) {
    return { decision: 'unknown', score, frames };
  }
  return { decision: 'undecided', score, frames };
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
export function weigh(looks: readonly Evidence[]): Weighed[] {
  const total = looks.reduce((sum, { quality }) => sum + quality, 0);
  const weights = looks.map(({ quality }) => (total > 0 ? quality / total : 1 / looks.length));
  const independent = independentLooks(looks, weights);
  const people = new Map<string, Person>();
  for (const { matches } of looks) for (const { person } of matches) people.set(person.id, person);
  const weighed = [...people.values()].map((person): Weighed => {
    let [normal, llr, score, share] = [0, 0, 0, 0];
    looks.forEach((look, index) => {
      const weight = weights[index] ?? 0;
      const match = look.excluded.has(person.id) ? null : look.matches.find((it) => it.person.id === person.id);
      const { stranger } = look;
      // Whoever is not among the best of a look is at most as likely as the last of those.
      const last = look.matches.at(-1) ?? stranger;
      normal += weight * (match ?? (last.normal < stranger.normal ? last : stranger)).normal;
      llr += weight * look.quality * (match ?? (last.llr < stranger.llr ? last : stranger)).llr;
      if (match) {
        score += weight * match.score;
        share += weight;
      }
    });
    return {
      person,
      score: share > 0 ? score / share : -1,
      llr: independent * llr,
      normal: Math.sqrt(independent) * normal,
    };
  });
  return weighed.sort((a, b) => b.llr - a.llr || (a.person.id < b.person.id ? -1 : 1));
}

/**
 * How many independent looks these are worth, at least 1: the inverse variance of their weighted mean, where two looks
 * share what the face itself makes alike (`correlation`) and, when close in time, most of the rest.
 */
export function independentLooks(looks: readonly Evidence[], weights: readonly number[]): number {
  let variance = 0;
  looks.forEach((one, i) => {
    looks.forEach((other, j) => {
      const face = Math.max(one.correlation, other.correlation);
      const near = Math.exp(-Math.abs(one.atMs - other.atMs) / FORGET_MS);
      variance += (weights[i] ?? 0) * (weights[j] ?? 0) * (i === j ? 1 : face + (1 - face) * near);
    });
  });
  return variance > 0 ? 1 / variance : 1;
}

/** Log-likelihood ratio of a stranger against somebody enrolled, each of whom is as likely to come. */
function strangerness(weighed: readonly Weighed[], { people }: Enrolled): number {
  if (weighed.length === 0) return Number.POSITIVE_INFINITY;
  const highest = Math.max(...weighed.map(({ llr }) => llr));
  const sum = weighed.reduce((total, { llr }) => total + Math.exp(llr - highest), 0);
  return Math.log(Math.max(1, people)) - highest - Math.log(sum);
}
