import type { Person } from '../core/person.ts';

/** What one frame says of a track: the person it matches above the threshold, or nobody. */
export interface Observation {
  readonly person: Person | null;
  /** Cosine similarity to the best template of the gallery; null when the gallery is empty. */
  readonly score: number | null;
  /** Fingerprint of the encoder the score is by. */
  readonly encoder: string;
  /** 0..1; see faces/quality. */
  readonly quality: number;
}

export interface VotePolicy {
  /** So many of the latest frames must name one person, and none of them another. */
  readonly agreeingFrames: number;
  /** So many frames in a row that name nobody make a stranger. */
  readonly unknownFrames: number;
}

interface Evidence {
  /** Frames that agree. */
  readonly frames: number;
  /** Of the latest of them: the score is over those by the same encoder, since others cannot be compared with it. */
  readonly encoder: string;
}

export type Verdict =
  | (Evidence & { readonly decision: 'known'; readonly person: Person; readonly score: number })
  | (Evidence & { readonly decision: 'unknown'; readonly score: number | null })
  | { readonly decision: 'undecided' };

/** Number of latest observations a verdict looks at. */
export function windowOf(policy: VotePolicy): number {
  return Math.max(policy.agreeingFrames * 2 - 1, policy.unknownFrames);
}

/**
 * Verdict over the latest observations of one track, oldest first.
 *
 * `known` when, within the last `2 * agreeingFrames - 1` of them, at least `agreeingFrames` name one person and none
 * names another; the score is the mean of those that agree and are by the encoder of the latest of them. `unknown` when
 * the last `unknownFrames` all name nobody; the score is the best of them, by one encoder again. Anything else is
 * `undecided`.
 */
export function verdictOf(observations: readonly Observation[], policy: VotePolicy): Verdict {
  const recent = observations.slice(-(policy.agreeingFrames * 2 - 1));
  const naming = recent.filter((observation) => observation.person !== null);
  const person = naming[0]?.person;
  if (person && naming.length >= policy.agreeingFrames && naming.every((other) => other.person?.id === person.id)) {
    const { encoder, scores } = latestScores(naming);
    const score = scores.reduce((sum, value) => sum + value, 0) / Math.max(scores.length, 1);
    return { decision: 'known', person, score, frames: naming.length, encoder };
  }
  const latest = observations.slice(-policy.unknownFrames);
  if (latest.length >= policy.unknownFrames && latest.every((observation) => observation.person === null)) {
    const { encoder, scores } = latestScores(latest);
    const score = scores.length > 0 ? Math.max(...scores) : null;
    return { decision: 'unknown', score, frames: latest.length, encoder };
  }
  return { decision: 'undecided' };
}

/** The encoder of the last of the observations, and the scores that are by it: those of others cannot be compared. */
export function latestScores(observations: readonly Observation[]): { encoder: string; scores: number[] } {
  const encoder = observations.at(-1)?.encoder ?? '';
  return {
    encoder,
    scores: observations.flatMap((it) => (it.encoder === encoder && it.score !== null ? [it.score] : [])),
  };
}
