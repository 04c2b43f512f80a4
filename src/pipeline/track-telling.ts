import type { Clock } from '../core/clock.ts';
import type { IdentityDraft } from '../events/identity-event.ts';
import type { Face } from '../faces/face-analyser.ts';
import type { TrackSighting } from '../gallery/visitor.ts';
import type { Renaming } from '../tracks/tracker.ts';
import type { Passages } from './passages.ts';
import { type FrameFacts, type FrameLatency, identityDraft, trackId } from './reports.ts';
import type { Announcement, Departure } from './visits.ts';

/** Remembers what decided tracks looked like. Never throws. */
export interface VisitorLog {
  /** A stranger's track: gives the id of the visitor; null when it cannot be told. */
  admit(sighting: TrackSighting): string | null;
  /** The track of somebody known. */
  remember(sighting: TrackSighting, personId: string): void;
}

export interface TrackTellingOptions {
  readonly camera: string;
  /** Of tracks of strangers, how many may be named: events tell it. */
  readonly falseAcceptRate: number;
  readonly visitors?: VisitorLog | null;
  readonly publish: (draft: IdentityDraft) => void;
  readonly clock: Pick<Clock, 'now'>;
}

/** What is told of the tracks of one camera, and as which visitors they are told unknown. */
export class TrackTelling {
  readonly #options: TrackTellingOptions;
  readonly #passages: Passages;
  /** Of tracks that were told unknown. */
  readonly #visitors = new Map<number, string | null>();

  constructor(options: TrackTellingOptions, passages: Passages) {
    this.#options = options;
    this.#passages = passages;
  }

  /** Keeps what a track looked like that is about to be announced: under the id of a visitor, or of whom it was found to be. */
  remember(track: number, { verdict, portrait }: Announcement, { capturedAtMs }: FrameFacts): void {
    const { camera, visitors } = this.#options;
    if (!visitors || portrait.length === 0) return;
    const sighting = { track: trackId(camera, track), camera, seenAtMs: capturedAtMs, templates: portrait };
    if (verdict.decision === 'known') {
      this.#visitors.delete(track);
      visitors.remember(sighting, verdict.person.id);
    } else this.#visitors.set(track, visitors.admit(sighting));
  }

  /** Publishes the event that announces a track's face; gives it. */
  announce(
    track: number,
    face: Face,
    announcement: Announcement,
    frame: FrameFacts,
    latencyMs: FrameLatency,
    galleryVersion: number,
  ): IdentityDraft {
    const draft = this.#draft(track, face, announcement, frame, latencyMs, galleryVersion);
    this.#options.publish(draft);
    return draft;
  }

  /** Publishes that tracks have ended, as of this frame. */
  depart(departures: readonly Departure[], frame: FrameFacts, latencyMs: FrameLatency, galleryVersion: number): void {
    for (const { toldAs, track, verdict } of departures) {
      const passage = this.#passages.get(track);
      if (!passage?.face) continue;
      const face = { ...passage.face, box: passage.box };
      const draft = this.#draft(track, face, { type: 'exit', verdict }, frame, latencyMs, galleryVersion);
      this.#options.publish({ ...draft, track: trackId(this.#options.camera, toldAs) });
    }
  }

  /** Looks have shown that two tracks are one: it is the visitor that the younger of them was. */
  rename(renamings: readonly Renaming[]): void {
    for (const { from, to, merged } of renamings) {
      const visitor = this.#visitors.get(from);
      if (!merged) continue;
      this.#visitors.delete(from);
      if (visitor) this.#visitors.set(to, visitor);
    }
  }

  forget(track: number): void {
    this.#visitors.delete(track);
  }

  clear(): void {
    this.#visitors.clear();
  }

  #draft(
    track: number,
    face: Face,
    { type, verdict }: Pick<Announcement | (Departure & { readonly type: 'exit' }), 'type' | 'verdict'>,
    frame: FrameFacts,
    latencyMs: FrameLatency,
    galleryVersion: number,
  ): IdentityDraft {
    const { camera, clock, falseAcceptRate } = this.#options;
    this.#passages.tell(track, verdict.frames);
    return identityDraft({
      type,
      camera,
      track,
      frame,
      face,
      verdict,
      visitor: this.#visitors.get(track) ?? null,
      passages: this.#passages,
      falseAcceptRate,
      latencyMs,
      decidedAtMs: clock.now(),
      galleryVersion,
    });
  }
}
