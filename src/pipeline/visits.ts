import type { Candidate } from '../tracks/assign.ts';
import type { Cooldown } from '../tracks/cooldown.ts';
import { type Observation, type Verdict, type VotePolicy, verdictOf, windowOf } from '../tracks/vote.ts';

/** What is worth telling about a track: someone came (`enter`), or a stranger turned out to be someone (`update`). */
export interface Announcement {
  readonly type: 'enter' | 'update';
  readonly verdict: Exclude<Verdict, { decision: 'undecided' }>;
}

/** One face of one frame, looked at closely. */
export interface Sighting extends Observation {
  readonly embedding: Float32Array;
}

interface Visit {
  observations: Observation[];
  /** What was decided last; `null` is a stranger, `undefined` nothing yet. */
  decided: Candidate | null | undefined;
  /** Looked at only now and then, since nothing new is expected. */
  settled: boolean;
  lastLookedMs: number;
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

  /** True when the track's face is worth landmarks and an embedding now. */
  wants(track: number, nowMs: number): boolean {
    const visit = this.#visits.get(track);
    return !visit?.settled || nowMs - visit.lastLookedMs >= this.#recheckMs;
  }

  /** Who the track was found to be, and how like them; null for strangers and undecided tracks. */
  identity(track: number): Candidate | null {
    return this.#visits.get(track)?.decided ?? null;
  }

  /** Takes in one sighting of a track; gives what is to be announced, if anything. */
  observe(track: number, sighting: Sighting, nowMs: number): Announcement | null {
    const { embedding, ...observation } = sighting;
    const visit = this.#visits.get(track) ?? newVisit();
    this.#visits.set(track, visit);
    visit.lastLookedMs = nowMs;
    visit.observations = [...visit.observations, observation].slice(-windowOf(this.#policy));

    const verdict = verdictOf(visit.observations, this.#policy);
    if (verdict.decision === 'undecided') return null;
    visit.settled = true;
    const before = visit.decided;
    if (verdict.decision === 'unknown') {
      // A known person who turns away stays who they are: only a track without a name becomes a stranger's.
      if (before !== undefined) return null;
      visit.decided = null;
      return this.#cooldown.admitStranger(embedding, nowMs) ? { type: 'enter', verdict } : null;
    }
    visit.decided = { person: verdict.person, score: verdict.score };
    if (before?.person.id === verdict.person.id) return null;
    if (!this.#cooldown.admitPerson(verdict.person, nowMs)) return null;
    return { type: before === null ? 'update' : 'enter', verdict };
  }

  /** What was taken for a face is none in this frame: evidence of an undecided track is gathered anew. */
  dismiss(track: number, nowMs: number): void {
    const visit = this.#visits.get(track);
    if (!visit) return;
    visit.lastLookedMs = nowMs;
    if (visit.decided === undefined) visit.observations = [];
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
      }
    }
  }

  /** Forgets all tracks, but not who was announced a moment ago. */
  clear(): void {
    this.#visits.clear();
  }

  /** Forgets tracks that ended. */
  end(tracks: readonly number[]): void {
    for (const track of tracks) this.#visits.delete(track);
  }
}

function newVisit(): Visit {
  return { observations: [], decided: undefined, settled: false, lastLookedMs: 0 };
}
