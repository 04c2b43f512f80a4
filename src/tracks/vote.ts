import type { Person } from '../core/person.ts';

/** What one frame says of a track: the person it matches above the threshold, or nobody. */
export interface Observation {
  readonly person: Person | null;
  /** Cosine similarity to the best template of the gallery; null when the gallery is empty. */
  readonly score: number | null;
  /** 0..1; see faces/quality. */
  readonly quality: number;
}

export interface VotePolicy {
  /** So many of the latest frames must name one person, and none of them another. */
  readonly agreeingFrames: number;
  /** So many frames in a row that name nobody make a stranger. */
  readonly unknownFrames: number;
}

export type Verdict =
  | { readonly decision: 'known'; readonly person: Person; readonly score: number; readonly frames: number }
  | { readonly decision: 'unknown'; readonly score: number | null; readonly frames: number }
  | { readonly decision: 'undecided' };

/** Number of latest observations a verdict looks at. */
export function windowOf(policy: VotePolicy): number {
  return Math.max(policy.agreeingFrames * 2 - 1, policy.unknownFrames);
}

/**
 * Verdict over the latest observations of one track, oldest first.
 *
 * `known` when, within the last `2 * agreeingFrames - 1` of them, at least `agreeingFrames` name one person and none
 * names another; the score is the mean of those that agree. `unknown` when the last `unknownFrames` all name nobody;
 * the score is the best of them. Anything else is `undecided`.
 */
export function verdictOf(observations: readonly Observation[], policy: VotePolicy): Verdict {
  const recent = observations.slice(-(policy.agreeingFrames * 2 - 1));
  const naming = recent.filter((observation) => observation.person !== null);
  const person = naming[0]?.person;
  if (person && naming.length >= policy.agreeingFrames && naming.every((other) => other.person?.id === person.id)) {
    const score = naming.reduce((sum, observation) => sum + (observation.score ?? 0), 0) / naming.length;
    return { decision: 'known', person, score, frames: naming.length };
  }
  const latest = observations.slice(-policy.unknownFrames);
  if (latest.length >= policy.unknownFrames && latest.every((observation) => observation.person === null)) {
    const scores = latest.flatMap(({ score }) => (score === null ? [] : [score]));
    return { decision: 'unknown', score: scores.length > 0 ? Math.max(...scores) : null, frames: latest.length };
  }
  return { decision: 'undecided' };
}
