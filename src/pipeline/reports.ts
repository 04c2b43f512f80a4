import type { Box, Size } from '../core/geometry.ts';
import type { Person } from '../core/person.ts';
import type { Frame } from '../core/picture.ts';
import { ATTEMPT_MATCHES, type AttemptReport } from '../events/attempt.ts';
import type { IdentityDraft } from '../events/identity-event.ts';
import type { Face } from '../faces/face-analyser.ts';
import type { Passages } from './passages.ts';
import type { Sighting, Told } from './visits.ts';

/** Where the time of a frame went, from the decoder to the decision; the parts make up the whole. */
export type FrameLatency = Omit<IdentityDraft['latencyMs'], 'publish'>;

/** What an event says of the frame it rests on. */
export type FrameFacts = Pick<Frame, 'width' | 'height' | 'capturedAtMs'>;

/** A track as events have it: numbers are of one camera. */
export function trackId(camera: string, track: number): string {
  return `${camera}-${track}`;
}

export interface IdentityFacts {
  readonly type: IdentityDraft['type'];
  readonly camera: string;
  readonly track: number;
  readonly frame: FrameFacts;
  readonly face: Face;
  readonly verdict: Told;
  readonly visitor: string | null;
  readonly passages: Pick<Passages, 'get' | 'whereabouts'>;
  readonly falseAcceptRate: number;
  readonly latencyMs: FrameLatency;
  readonly decidedAtMs: number;
  readonly galleryVersion: number;
}

/** The event that tells of a decision on a track, or of its end. */
export function identityDraft(facts: IdentityFacts): IdentityDraft {
  const { camera, decidedAtMs, face, falseAcceptRate, frame, galleryVersion, latencyMs, track, type, verdict } = facts;
  const person: Person | null = verdict.decision === 'known' ? verdict.person : null;
  const passage = facts.passages.get(track);
  return {
    type,
    camera,
    track: trackId(camera, track),
    firstSeenAtMs: passage?.firstSeenAtMs ?? frame.capturedAtMs,
    lastSeenAtMs: passage?.lastSeenAtMs ?? frame.capturedAtMs,
    capturedAtMs: frame.capturedAtMs,
    decidedAtMs,
    decision: verdict.decision,
    person: person && { id: person.id, name: person.name },
    score: verdict.score,
    threshold: verdict.threshold,
    far: falseAcceptRate,
    mask: face.mask?.state ?? null,
    encoder: verdict.encoder,
    liveness: verdict.liveness,
    visitor: verdict.decision === 'known' ? null : facts.visitor,
    quality: face.quality.score,
    frames: verdict.frames,
    box: relative(face.box, frame),
    ...facts.passages.whereabouts(track),
    latencyMs,
    galleryVersion,
  };
}

/** What one look at a track's face said, and what is found of the track so far. */
export function attemptReport(
  camera: string,
  track: number,
  look: Sighting,
  { capturedAtMs }: FrameFacts,
  soFar: Pick<AttemptReport, 'decision' | 'person'>,
): AttemptReport {
  return {
    schema: 'eyeline.attempt/1',
    camera,
    track: trackId(camera, track),
    capturedAt: new Date(capturedAtMs).toISOString(),
    quality: look.quality,
    mask: look.mask,
    encoder: look.encoder,
    liveness: look.live,
    matches: look.matches.slice(0, ATTEMPT_MATCHES).map(({ person, score, llr }) => ({
      person: person.id,
      score: Math.max(-1, Math.min(1, score)),
      llr,
      excluded: look.excluded.has(person.id),
    })),
    ...soFar,
  };
}

/** The box in 0..1 of the picture. */
function relative(box: Box, picture: Size): Box {
  return {
    x: box.x / picture.width,
    y: box.y / picture.height,
    width: box.width / picture.width,
    height: box.height / picture.height,
  };
}
