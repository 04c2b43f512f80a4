import type { Candidate } from '../tracks/assign.ts';
import type { Cooldown, Stranger } from '../tracks/cooldown.ts';
import { judgeLook, NO_LOOKS, promiseOf, type Shot, type ShotHistory, takeLook, worthLook } from '../tracks/shots.ts';
import type { Renaming } from '../tracks/tracker.ts';
import { latestScores, type Observation, type Verdict, type VotePolicy, verdictOf, windowOf } from '../tracks/vote.ts';

/** What is worth telling about a track: someone came (`enter`), or a stranger turned out to be someone (`update`). */
export interface Announcement {
  readonly type: 'enter' | 'update';
  readonly verdict: Exclude<Verdict, { decision: 'undecided' }>;
}

/** A track has ended about which something is to be told: what was decided, or that nothing was. */
export interface Departure {
  readonly track: number;
  readonly verdict:
    | Announcement['verdict']
    | {
        readonly decision: 'undecided';
        readonly score: number | null;
        readonly frames: number;
        readonly encoder: string;
      };
}

/** One face of one frame, looked at closely. */
export interface Sighting extends Observation {
  readonly embedding: Float32Array;
}

interface Visit {
  observations: Observation[];
  /** What was decided last; `null` is a stranger, `undefined` nothing yet. */
  decided: (Candidate & { readonly encoder: string }) | null | undefined;
  /** What was announced last. */
  told: Announcement['verdict'] | null;
  /** Looked at only now and then, since nothing new is expected. */
  settled: boolean;
  shots: ShotHistory;
}

/** Evidence and decisions of the tracks of one camera. */
export class Visits {
  readonly #policy: VotePolicy;
  readonly #cooldown: Cooldown;
  readonly #recheckMs: number;
  readonly #visits = new Map<number, Visit>();

  /** @param recheckMs a track that is decided is looked at again after this time */
  constructor(policy: VotePolicy, cooldown: Cooldown, recheckMs: number) {
    this.#policy = policy;
    this.#cooldown = cooldown;
    this.#recheckMs = recheckMs;
  }

  /**
   * True when the track's face is worth landmarks and an embedding now; then the look counts as taken, and `observe`,
   * `dismiss` or `disregard` is to tell what came of it.
   *
   * @param doubtful it may be somebody else than before
   */
  wants(track: number, shot: Shot, doubtful: boolean, nowMs: number): boolean {
    const visit = this.#visits.get(track) ?? newVisit();
    this.#visits.set(track, visit);
    const promise = promiseOf(shot);
    const decided = visit.decided ? 'known' : 'stranger';
    const interest = doubtful ? 'doubtful' : visit.settled ? decided : 'undecided';
    const policy = { firstLooks: windowOf(this.#policy), recheckMs: this.#recheckMs };
    if (!worthLook(visit.shots, promise, interest, nowMs, policy)) return false;
    visit.shots = takeLook(visit.shots, promise, nowMs);
    return true;
  }

  /** True while nothing is decided of the track's face, so that more frames of it are welcome. */
  undecided(track: number): boolean {
    return !this.#visits.get(track)?.settled;
  }

  /** Who the track was found to be, and how like them by which encoder; null for strangers and undecided tracks. */
  identity(track: number): (Candidate & { readonly encoder: string }) | null {
    return this.#visits.get(track)?.decided ?? null;
  }

  /** Takes in one sighting of a track; gives what is to be announced, if anything. */
  observe(track: number, sighting: Sighting, nowMs: number): Announcement | null {
    const { embedding, ...observation } = sighting;
    const visit = this.#visits.get(track) ?? newVisit();
    this.#visits.set(track, visit);
    visit.shots = judgeLook(visit.shots, sighting.quality, true);
    visit.observations = [...visit.observations, observation].slice(-windowOf(this.#policy));

    const announcement = this.#decide(visit, { embedding, encoder: sighting.encoder }, nowMs);
    if (announcement) visit.told = announcement.verdict;
    return announcement;
  }

  #decide(visit: Visit, face: Stranger, nowMs: number): Announcement | null {
    const verdict = verdictOf(visit.observations, this.#policy);
    if (verdict.decision === 'undecided') return null;
    visit.settled = true;
    const before = visit.decided;
    if (verdict.decision === 'unknown') {
      // A known person who turns away stays who they are: only a track without a name becomes a stranger's.
      if (before !== undefined) return null;
      visit.decided = null;
      return this.#cooldown.admitStranger(face, nowMs) ? { type: 'enter', verdict } : null;
    }
    visit.decided = { person: verdict.person, score: verdict.score, encoder: verdict.encoder };
    if (before?.person.id === verdict.person.id) return null;
    if (!this.#cooldown.admitPerson(verdict.person, nowMs)) return null;
    return { type: before === null ? 'update' : 'enter', verdict };
  }

  /** The face looked at was too poor to be matched. */
  disregard(track: number, quality: number): void {
    const visit = this.#visits.get(track);
    if (visit) visit.shots = judgeLook(visit.shots, quality, false);
  }

  /** What was taken for a face is none in this frame: evidence of an undecided track is gathered anew. */
  dismiss(track: number): void {
    const visit = this.#visits.get(track);
    if (!visit) return;
    visit.shots = judgeLook(visit.shots, 0, false);
    if (visit.decided === undefined) visit.observations = [];
  }

  /** Looks have shown that faces are of other tracks. What is known of a number stays; of two that are one it is joined. */
  rename(renamings: readonly Renaming[]): void {
    for (const { from, to, merged } of renamings) {
      const young = this.#visits.get(from);
      if (!merged || !young) continue;
      this.#visits.delete(from);
      const old = this.#visits.get(to) ?? newVisit();
      this.#visits.set(to, {
        observations: [...old.observations, ...young.observations].slice(-windowOf(this.#policy)),
        // Somebody rather than a stranger, a stranger rather than nobody yet.
        decided: old.decided ?? young.decided ?? old.decided,
        told: old.told ?? young.told,
        settled: old.settled || young.settled,
        shots: young.shots,
      });
    }
  }

  /**
   * The gallery is another one from now on: whoever was found to be a person that is no longer in it is looked at as if
   * they had just come, and strangers are compared anew.
   */
  galleryChanged(has: (personId: string) => boolean): void {
    for (const [track, visit] of this.#visits) {
      if (visit.decided && !has(visit.decided.person.id)) this.#visits.delete(track);
      else if (!visit.decided) {
        visit.observations = [];
        visit.settled = false;
        visit.shots = NO_LOOKS;
      }
    }
  }

  /** Forgets all tracks, but not who was announced a moment ago; gives what is to be told of them as {@link end} does. */
  clear(): readonly Departure[] {
    return this.end([...this.#visits.keys()]);
  }

  /**
   * Forgets tracks that ended. Gives what is to be told: of a track that was announced what was said last; of one that
   * was not decided, though it was looked at as often as makes a stranger, that it was there (fewer looks may be slips of
   * the detector). What the cool-down kept quiet leaves quietly.
   */
  end(tracks: readonly number[]): readonly Departure[] {
    return tracks.flatMap((track): readonly Departure[] => {
      const visit = this.#visits.get(track);
      this.#visits.delete(track);
      if (visit?.told) return [{ track, verdict: visit.told }];
      if (!visit || visit.decided !== undefined || visit.observations.length < this.#policy.unknownFrames) return [];
      const { encoder, scores } = latestScores(visit.observations);
      const score = scores.length > 0 ? Math.max(...scores) : null;
      return [{ track, verdict: { decision: 'undecided', score, frames: visit.observations.length, encoder } }];
    });
  }
}

function newVisit(): Visit {
  return { observations: [], decided: undefined, told: null, settled: false, shots: NO_LOOKS };
}
