import { type Box, iou } from '../core/geometry.ts';
import { cosine } from '../faces/embedding.ts';
import { associate } from './associate.ts';
import { claimIdentities, type Told } from './claims.ts';
import {
  type Identity,
  type Likeness,
  type Look,
  learn,
  limitFor,
  newIdentity,
  type Place,
  settle,
  weigh,
} from './identity.ts';
import { boxOf, correct, type Motion, predict, speedOf, startMotion } from './motion.ts';

export interface FaceTrackerOptions extends Likeness {
  /** Least score of a face that begins a track, 0..1; a face of less only continues one. */
  readonly minScore: number;
  /** Least overlap of a face with where its track is expected, both widened by how unsure that is. */
  readonly minIou: number;
  /** A track not seen for this long is lost: being in the right place is not enough to continue it. */
  readonly lostAfterMs: number;
  /** A lost track ends after this time; until then a face that looks the same continues it. */
  readonly endAfterMs: number;
}

/** A face with the track it is of. */
export interface Seen<D> {
  readonly track: number;
  readonly detection: D;
  /** How fast it moves across the picture, in its own heights a second; 0 when just found. */
  readonly speed: number;
  /** It may be somebody else than before: somebody came close, or it was out of sight. A look would tell. */
  readonly doubtful: boolean;
}

export interface TrackUpdate<D> {
  /** Each face that is of a track, in the order the detections came; never two of the same track. */
  readonly seen: readonly Seen<D>[];
  /** Numbers of the tracks that ended. */
  readonly ended: readonly number[];
}

/** A look at a track's face. */
export interface TrackLook extends Look {
  readonly track: number;
}

/** The face that was followed as `from` is `to`, as looks have shown. */
export interface Renaming {
  readonly from: number;
  readonly to: number;
  /** Both are one person, and `from` is no more. Otherwise `from` is somebody who is elsewhere. */
  readonly merged: boolean;
}

interface Track {
  identity: Identity;
  /** As of `last`. */
  motion: Motion;
  last: Place;
  /** Frames since then. */
  missed: number;
  /** To be continued by looks only. */
  lost: boolean;
}

/** A track that is somebody else than it was taken for. */
interface Change {
  readonly track: Track;
  readonly look: Look;
  readonly old: Identity;
  readonly identity: Identity;
  /** Whose identity it was; null for somebody new. */
  readonly other: Track | null;
  readonly merged: boolean;
}

/** A track not found in a single frame is not lost, however long that took: frames are held back of an idle scene. */
const MISSES_OF_LOST = 2;

/**
 * Follows the faces of one camera. Detections are taken in two rounds, sure ones first; unsure ones only continue tracks
 * (Zhang et al., "ByteTrack: Multi-object tracking by associating every detection box", ECCV 2022). What place and motion
 * cannot tell, looks may: {@link tell} finds that a track continues one that was lost, or that faces which came close to
 * each other were taken for one another. Times are those of the frames, monotonic milliseconds, at any distance. Numbers
 * never repeat.
 */
export class FaceTracker {
  readonly #options: FaceTrackerOptions;
  #tracks: Track[] = [];
  #next = 1;
  #nowMs = Number.NEGATIVE_INFINITY;

  constructor(options: FaceTrackerOptions) {
    this.#options = options;
  }

  /** Takes in the detections of one frame seen at `nowMs`. */
  update<D extends { readonly box: Box; readonly score: number }>(faces: readonly D[], nowMs: number): TrackUpdate<D> {
    this.#nowMs = nowMs;
    const ended = this.#age();
    const { minScore, minIou } = this.#options;
    const sure = faces.filter(({ score }) => score >= minScore);
    const unsure = faces.filter(({ score }) => !(score >= minScore));
    const owners = new Map<D, Track>();
    const free = new Set(this.#tracks.filter(({ lost }) => !lost));
    for (const round of [sure, unsure]) {
      const tracks = [...free].map((track) => ({ track, expected: predict(track.motion, nowMs - track.last.ms) }));
      for (const { track: found, face, contested } of associate(tracks, round, minIou)) {
        const { track, expected } = found;
        const regained = track.missed >= MISSES_OF_LOST || iou(boxOf(expected), face.box) < minIou;
        if (contested || regained) track.identity.doubtful = true;
        track.motion = correct(expected, face.box);
        owners.set(face, track);
        free.delete(track);
      }
    }
    for (const track of free) track.missed++;
    for (const face of sure) if (!owners.has(face)) owners.set(face, this.#begin(face.box));

    const seen = faces.flatMap((detection): Seen<D>[] => {
      const track = owners.get(detection);
      if (!track) return [];
      const { identity, motion } = track;
      track.last = { ms: nowMs, box: detection.box };
      track.missed = 0;
      // Before the first look there is nobody yet to take it for.
      const doubtful = identity.doubtful && identity.means.size > 0;
      return [{ track: identity.number, detection, speed: speedOf(motion), doubtful }];
    });
    return { seen, ended };
  }

  /**
   * Takes in looks at faces of the frame at `atMs`, and says which faces turn out to be of other tracks than they were
   * taken for: one continues a track that was out of sight, several were mixed up, or somebody new took a place over (two
   * looks in a row must contradict the track for that). All renamings hold at once, for faces seen before too; what is
   * known of a number stays true of it. Looks at tracks that are no more are passed over.
   */
  tell(looks: readonly TrackLook[], atMs: number): Renaming[] {
    const told = looks.flatMap((look): Told<Track>[] => {
      const track = this.#tracks.find(({ identity }) => identity.number === look.track);
      return track ? [{ track, look, verdict: weigh(track.identity, look, this.#options) }] : [];
    });
    const { sameFace } = this.#options;
    const claims = claimIdentities(told, this.#tracks, { nowMs: this.#nowMs, atMs, sameFace });
    const claimed = new Set(claims.values());
    const changes = told.flatMap(({ track, look, verdict }): Change[] => {
      const old = track.identity;
      const other = claims.get(track) ?? null;
      if (other) return [{ track, look, old, identity: other.identity, other, merged: verdict === 'agrees' }];
      const again =
        old.rival?.encoder === look.encoder &&
        cosine(old.rival.embedding, look.embedding) >= limitFor(sameFace, look.encoder);
      if (!claimed.has(track) && !(verdict === 'contradicts' && again)) {
        if (verdict === 'contradicts') old.rival = look;
        return [];
      }
      const identity = newIdentity(this.#next++, { ms: atMs, box: track.last.box });
      return [{ track, look, old, identity, other, merged: false }];
    });
    const changed = new Set(changes.map(({ track }) => track));
    this.#tracks = this.#tracks.filter((track) => changed.has(track) || !claimed.has(track));
    for (const change of changes) this.#change(change, claimed.has(change.track));
    return changes.map(({ old, identity, merged }) => ({ from: old.number, to: identity.number, merged }));
  }

  /** Ends all tracks: what comes next has nothing to do with what was. Numbers go on. */
  clear(): void {
    this.#tracks = [];
  }

  #begin(box: Box): Track {
    const born = { ms: this.#nowMs, box };
    const track = {
      identity: newIdentity(this.#next++, born),
      motion: startMotion(box),
      last: born,
      missed: 0,
      lost: false,
    };
    this.#tracks.push(track);
    return track;
  }

  /** Gives up tracks that were not seen for long, and gives the numbers of those that ended. */
  #age(): number[] {
    const { lostAfterMs, endAfterMs } = this.#options;
    const ended = this.#tracks.filter((track) => {
      const unseenMs = this.#nowMs - track.last.ms;
      if (unseenMs > lostAfterMs && track.missed >= MISSES_OF_LOST) track.lost = true;
      // Without a look, nobody could tell that it came back.
      return unseenMs > endAfterMs || (track.lost && track.identity.means.size === 0);
    });
    this.#tracks = this.#tracks.filter((track) => !ended.includes(track));
    return ended.map(({ identity }) => identity.number);
  }

  /** @param claimed another track takes the old identity */
  #change({ track, look, old, identity, other, merged }: Change, claimed: boolean): void {
    if (!merged && !claimed) this.#tracks.push({ ...track, identity: old, lost: true });
    track.identity = identity;
    learn(identity, look);
    settle(identity);
    // Whoever was out of sight goes on as they went, not as those for whom they were taken.
    const gapMs = other && !merged ? track.last.ms - other.last.ms : 0;
    if (other && gapMs > 0) track.motion = correct(predict(other.motion, gapMs), track.last.box);
  }
}
