import type { MaskState } from '../core/person.ts';
import { normalise } from '../faces/embedding.ts';
import type { FaceEmbedding } from '../faces/face-analyser.ts';
import { fuseLiveness } from '../faces/liveness.ts';
import type { TrackTemplate } from '../gallery/visitor.ts';
import type { Held } from '../tracks/assign.ts';
import type { Cooldown } from '../tracks/cooldown.ts';
import {
  type DecisionPolicy,
  decide,
  ENOUGH_LOOKS,
  type Enrolled,
  type Evidence,
  spokenFor,
  type Verdict,
} from '../tracks/sequential-test.ts';
import { judgeLook, NO_LOOKS, promiseOf, type Shot, type ShotHistory, takeLook, worthLook } from '../tracks/shots.ts';
import type { Renaming } from '../tracks/tracker.ts';

/** A verdict with what belongs to it in an event. */
export type Told = Verdict & {
  /** Chance that the face is live, of all looks; null when it was not assessed. */
  readonly liveness: number | null;
};

/** What is worth telling about a track: someone came (`enter`), or a stranger turned out to be someone (`update`). */
export interface Announcement {
  readonly type: 'enter' | 'update';
  readonly verdict: Told;
  /** What the track looked like to each encoder. */
  readonly portrait: readonly TrackTemplate[];
}

/** A track has ended about which something is to be told: what was decided, or that nothing was. */
export interface Departure {
  readonly track: number;
  /** The number under which it was told of: another one where it turned out to go on as `track`. */
  readonly toldAs: number;
  readonly verdict: Told;
}

/** One face of one frame, looked at closely. */
export interface Sighting extends Evidence {
  readonly face: FaceEmbedding;
  readonly mask: MaskState | null;
  /** 1 is surely live; null when it was not assessed. */
  readonly live: number | null;
}

export interface VisitsPolicy extends DecisionPolicy {
  /** Nobody is named whose face does not look live, where it is required. */
  readonly liveness: 'off' | 'report' | 'require';
  readonly minLiveness: number;
}

interface Visit {
  /** The latest, of one person: all that a decision rests on. */
  looks: readonly Sighting[];
  /** What was decided last; `null` is a stranger, `undefined` nothing yet. */
  decided: Held | null | undefined;
  /** The verdict that named whom was decided on. */
  known: Told | null;
  /** What was announced last, and what the latest looks said. */
  told: Told | null;
  verdict: Told | null;
  /** What was announced of tracks that turned out to be this one: they end with it. */
  toldAs: readonly { readonly toldAs: number; readonly verdict: Told }[];
  /** Looked at only now and then, since nothing new is expected. */
  settled: boolean;
  /** The track was out of sight since: who was decided on has to be seen again before they count as being there. */
  unproven: boolean;
  shots: ShotHistory;
}

/** Evidence and decisions of the tracks of one camera. */
export class Visits {
  readonly #policy: VisitsPolicy;
  readonly #cooldown: Cooldown;
  readonly #recheckMs: number;
  /** Looks a decision rests on at most. */
  readonly #mostLooks: number;
  readonly #visits = new Map<number, Visit>();

  /** @param recheckMs a track that is decided is looked at again after this time */
  constructor(policy: VisitsPolicy, cooldown: Cooldown, recheckMs: number) {
    this.#policy = policy;
    this.#cooldown = cooldown;
    this.#recheckMs = recheckMs;
    this.#mostLooks = Math.max(ENOUGH_LOOKS, policy.minFrames, policy.unknownFrames);
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
    // Looks follow one another until there are as many as a decision rests on at most, so that strangers are told soon.
    const policy = { firstLooks: this.#mostLooks, recheckMs: this.#recheckMs };
    if (!worthLook(visit.shots, promise, interest, nowMs, policy)) return false;
    visit.shots = takeLook(visit.shots, promise, nowMs);
    return true;
  }

  /** True while nothing is decided of the track's face, so that more frames of it are welcome. */
  undecided(track: number): boolean {
    return !this.#visits.get(track)?.settled;
  }

  /** Who the track was found to be, and how like them; null for strangers, undecided tracks, and who has to be seen again. */
  identity(track: number): Held | null {
    const visit = this.#visits.get(track);
    return visit?.decided && !visit.unproven ? visit.decided : null;
  }

  /** What the looks at a track say so far; null before the first. */
  verdict(track: number): Told['decision'] | null {
    const visit = this.#visits.get(track);
    if (!visit?.verdict) return null;
    return visit.decided ? 'known' : visit.decided === null ? 'unknown' : visit.verdict.decision;
  }

  /**
   * The verdict that named the track's person, to be told now, when this look speaks for them too; null for anybody else. It counts as
   * told from then on.
   */
  confirm(track: number, look: Sighting): Told | null {
    const held = this.identity(track);
    const visit = this.#visits.get(track);
    if (!held || !visit?.known || !speaksFor(look, held.personId)) return null;
    visit.told = visit.known;
    return visit.known;
  }

  /** Takes in one sighting of a track; gives what is to be announced, if anything. */
  observe(track: number, sighting: Sighting, enrolled: Enrolled, nowMs: number): Announcement | null {
    const visit = this.#visits.get(track) ?? newVisit();
    this.#visits.set(track, visit);
    visit.shots = judgeLook(visit.shots, sighting.quality, true);
    visit.looks = [...visit.looks, sighting].slice(-this.#mostLooks);
    // What speaks for whom was decided on settles it: what would overturn it has to be gathered anew from here.
    if (visit.decided && !visit.unproven && speaksFor(sighting, visit.decided.personId)) {
      visit.looks = [];
      return null;
    }
    const verdict = this.#judge(visit, enrolled);
    visit.verdict = verdict;
    const type = verdict.decision === 'undecided' ? null : this.#decide(visit, verdict, nowMs);
    const portrait = type ? portraitOf(visit.looks) : [];
    // What is decided is tested anew: a stranger may come nearer, another may take a place.
    if (type !== null || (verdict.decision !== 'undecided' && visit.settled)) visit.looks = [];
    if (!type) return null;
    visit.told = verdict;
    return { type, verdict, portrait };
  }

  #judge({ looks }: Visit, enrolled: Enrolled): Told {
    const verdict = decide(looks, enrolled, this.#policy);
    // The face that is live must be the one that is named: a picture of somebody does not become live by who holds it.
    const named = verdict.decision === 'known' ? verdict.person.id : null;
    const liveness = livenessOf(named === null ? looks : looks.filter((look) => spokenFor(look) === named));
    const dead = this.#policy.liveness === 'require' && !(liveness !== null && liveness >= this.#policy.minLiveness);
    if (verdict.decision !== 'known' || !dead) return { ...verdict, liveness };
    const { score, frames, encoder, threshold } = verdict;
    return { decision: 'undecided', score, frames, encoder, threshold, liveness };
  }

  #decide(visit: Visit, verdict: Told, nowMs: number): Announcement['type'] | null {
    const before = visit.decided;
    if (verdict.decision === 'unknown') {
      visit.settled = true;
      // A known person who turns away stays who they are; a track that was out of sight may be a stranger's, or another's.
      if (before !== undefined && !visit.unproven) return null;
      visit.decided = null;
      visit.unproven = false;
      const [last] = visit.looks.slice(-1);
      return last && this.#cooldown.admitStranger(last.face, nowMs) ? 'enter' : null;
    }
    if (verdict.decision !== 'known') return null;
    visit.settled = true;
    visit.unproven = false;
    visit.decided = { personId: verdict.person.id, normal: verdict.normal };
    visit.known = verdict;
    if (before?.personId === verdict.person.id) return null;
    if (!this.#cooldown.admitPerson(verdict.person, nowMs)) return null;
    return before === null ? 'update' : 'enter';
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
    if (visit.decided === undefined) visit.looks = [];
  }

  /**
   * Looks have shown that faces are of other tracks. What is known of a number stays. Of two that are one, and of one that was out
   * of sight, the looks at the older are left out: should they be two people after all, nobody is named by what another looked like.
   *
   * @param inSight the tracks that faces of this frame were taken for
   */
  rename(renamings: readonly Renaming[], inSight: ReadonlySet<number>): void {
    for (const { from, to, merged } of renamings) {
      if (!merged && !inSight.has(to)) this.#comesBack(to);
      const young = this.#visits.get(from);
      if (!merged || !young) continue;
      this.#visits.delete(from);
      const old = this.#visits.get(to) ?? newVisit();
      this.#visits.set(to, {
        looks: young.looks,
        decided: young.decided === undefined ? old.decided : young.decided,
        known: young.decided === undefined ? old.known : young.known,
        told: old.told,
        verdict: young.verdict,
        toldAs: [...old.toldAs, ...young.toldAs, ...(young.told ? [{ toldAs: from, verdict: young.told }] : [])],
        settled: young.settled,
        unproven: young.decided === undefined && old.decided !== undefined,
        shots: young.shots,
      });
    }
  }

  /** A track that was out of sight is taken up again: who it was has to be seen. */
  #comesBack(track: number): void {
    const visit = this.#visits.get(track);
    if (!visit) return;
    const unproven = visit.decided !== undefined;
    this.#visits.set(track, { ...visit, looks: [], settled: false, unproven, shots: NO_LOOKS });
  }

  /**
   * The gallery is another one from now on: whoever was found to be a person that is no longer in it is looked at as if
   * they had just come, and strangers are compared anew.
   */
  galleryChanged(has: (personId: string) => boolean): void {
    for (const [track, visit] of this.#visits) {
      visit.looks = [];
      if (visit.decided && !has(visit.decided.personId)) this.#visits.delete(track);
      else if (!visit.decided) {
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
   * the detector). What the cool-down kept quiet leaves quietly. Tracks that turned out to be one of these end with it.
   */
  end(tracks: readonly number[]): readonly Departure[] {
    return tracks.flatMap((track): readonly Departure[] => {
      const visit = this.#visits.get(track);
      this.#visits.delete(track);
      if (!visit) return [];
      const others = visit.toldAs.map((told) => ({ track, ...told }));
      if (visit.told) return [{ track, toldAs: track, verdict: visit.told }, ...others];
      if (!visit.verdict || visit.decided !== undefined || others.length > 0) return others;
      const tooFew = visit.looks.length < this.#policy.unknownFrames;
      return tooFew ? [] : [{ track, toldAs: track, verdict: visit.verdict }];
    });
  }
}

function newVisit(): Visit {
  return {
    looks: [],
    decided: undefined,
    known: null,
    told: null,
    verdict: null,
    toldAs: [],
    settled: false,
    unproven: false,
    shots: NO_LOOKS,
  };
}

/** Whether a look is likelier of the person than of a stranger, and of nobody more. */
function speaksFor({ matches, excluded }: Evidence, personId: string): boolean {
  const [best] = matches;
  return best !== undefined && best.person.id === personId && best.llr > 0 && !excluded.has(personId);
}

function livenessOf(looks: readonly Sighting[]): number | null {
  const judged = looks.flatMap(({ live, quality }) => (live === null ? [] : [{ live, weight: quality }]));
  return judged.length > 0 ? fuseLiveness(judged) : null;
}

/** The mean of the looks by each encoder: steadier than any of them. */
function portraitOf(looks: readonly Sighting[]): TrackTemplate[] {
  const encoders = new Set(looks.map(({ face }) => face.encoder));
  return [...encoders].flatMap((encoder): TrackTemplate[] => {
    const own = looks.filter(({ face }) => face.encoder === encoder);
    const best = own.reduce<Sighting | null>((one, look) => (one && one.quality >= look.quality ? one : look), null);
    if (!best) return [];
    const sum = best.face.embedding.map((_, index) =>
      own.reduce((total, { face, quality }) => total + quality * (face.embedding[index] ?? 0), 0),
    );
    return [{ encoder, part: best.face.part, mask: best.mask, embedding: normalise(sum), quality: best.quality }];
  });
}
