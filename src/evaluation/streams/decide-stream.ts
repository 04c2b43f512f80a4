import type { Clock } from '../../core/clock.ts';
import { silentLogger } from '../../core/logger.ts';
import type { Frame } from '../../core/picture.ts';
import type { IdentityDraft } from '../../events/identity-event.ts';
import type { FaceAnalyser } from '../../faces/face-analyser.ts';
import type { StreamLook } from '../../pictures/picture-protocol.ts';
import { CameraPipeline } from '../../pipeline/camera-pipeline.ts';
import type { DecisionParts } from '../../pipeline/decision-parts.ts';
import type { GalleryView } from '../../pipeline/gallery-view.ts';
import type { WalkPlan } from './walk.ts';

/** What was told of somebody who walked by. */
export interface StreamDecision {
  /** What was told last; undecided when nothing was. */
  readonly decision: 'known' | 'unknown' | 'undecided';
  /** Whom it named, at any time: a door opens for the first. */
  readonly named: readonly string[];
  /** From the first frame that shows a face to the decision that stood; null without one. */
  readonly decidedMs: number | null;
}

export interface DecideOptions {
  readonly parts: DecisionParts;
  readonly gallery: GalleryView;
  readonly minQuality: number;
  readonly plan: Pick<WalkPlan, 'fps' | 'frame'>;
}

/** A moment after every frame: recorded frames are as old as they are. */
const LATER_MS = 1e7;
const clock: Clock = { now: () => LATER_MS, monotonic: () => LATER_MS, sleep: () => Promise.resolve() };

/** Runs the daemon's own pipeline (tracker, best shots, mask memory, evidence, decision) over recorded looks. */
export async function decideStream(
  track: readonly (StreamLook | null)[],
  { parts, gallery, minQuality, plan }: DecideOptions,
): Promise<StreamDecision> {
  const drafts: IdentityDraft[] = [];
  const pipeline = new CameraPipeline({
    camera: 'stream',
    analyser: recorded(track),
    tracker: parts.tracker(),
    visits: parts.visits({ cooldownMs: 0 }),
    gallery: () => gallery,
    scores: parts.scores,
    falseAcceptRate: parts.falseAcceptRate,
    minQuality,
    publish: (draft) => drafts.push(draft),
    clock,
    logger: silentLogger,
  });
  await pipeline.run(frames(track.length, plan));
  if (pipeline.failedFrames > 0) throw new Error(`${pipeline.failedFrames} recorded frames failed`);
  const first = track.findIndex((look) => look !== null);
  const last = drafts.at(-1);
  return {
    decision: last?.decision ?? 'undecided',
    named: drafts.flatMap(({ person }) => (person ? [person.id] : [])),
    decidedMs: last ? last.capturedAtMs - (first * 1000) / plan.fps : null,
  };
}

/** A chain that gives what it gave of each frame. */
function recorded(track: readonly (StreamLook | null)[]): FaceAnalyser {
  const at = (picture: object) => track[(picture as Frame).sequence - 1] ?? null;
  const face = (picture: object) => {
    const look = at(picture);
    return look ? [look.face] : [];
  };
  return {
    detect: async (picture) => face(picture),
    describe: async (picture, detections) => (detections.length > 0 ? face(picture) : []),
    embed: async (picture, faces) => faces.map(() => at(picture)?.embedding ?? null),
    embedTemplates: async () => [],
  };
}

async function* frames(count: number, { fps, frame }: Pick<WalkPlan, 'fps' | 'frame'>): AsyncGenerator<Frame> {
  const none = async () => {
    throw new Error('a recorded frame has no pixels');
  };
  for (let index = 0; index < count; index++) {
    yield {
      ...frame,
      camera: 'stream',
      sequence: index + 1,
      capturedAtMs: (index * 1000) / fps,
      captureMs: 0,
      fit: none,
      cut: none,
      pixels: none,
      release() {},
    };
  }
}
