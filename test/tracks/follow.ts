import { judgeLook, NO_LOOKS, promiseOf, type ShotHistory, takeLook, worthLook } from '../../src/tracks/shots.ts';
import { FaceTracker } from '../../src/tracks/tracker.ts';
import { embeddingOf, PICTURE, type SceneFrame } from './scenes.ts';
import type { Labelled } from './score.ts';
import { seeded } from './seeded.ts';

export const TRACKING = {
  minScore: 0.7,
  lowScore: 0.4,
  minIou: 0.2,
  lostAfterMs: 1500,
  endAfterMs: 5000,
  sameFace: 0.55,
  differentFace: 0.2,
};
const SHOTS = { firstLooks: 6, recheckMs: 1000 };

export interface Followed {
  readonly frames: Labelled[][];
  readonly looks: number;
  readonly faces: number;
}

/** Follows a scene as the pipeline does: places alone, or with looks at the shots that the policy takes. */
export function followScene(scene: readonly SceneFrame[], { withLooks }: { readonly withLooks: boolean }): Followed {
  const tracker = new FaceTracker(TRACKING);
  const random = seeded(scene.length);
  const histories = new Map<number, ShotHistory>();
  let [looks, faces] = [0, 0];
  const frames = scene.map(({ nowMs, detections }): Labelled[] => {
    const { seen } = tracker.update(
      detections.filter(({ score }) => score >= TRACKING.lowScore),
      nowMs,
    );
    const wanted = seen.filter(({ track, detection: { box, score }, speed, doubtful }) => {
      const history = histories.get(track) ?? NO_LOOKS;
      const promise = promiseOf({ box, picture: PICTURE, score, speed });
      const interest = doubtful ? 'doubtful' : history.looks < SHOTS.firstLooks ? 'undecided' : 'known';
      if (!worthLook(history, promise, interest, nowMs, SHOTS)) return false;
      histories.set(track, judgeLook(takeLook(history, promise, nowMs), promise, true));
      return true;
    });
    looks += wanted.length;
    faces += seen.length;
    const told = wanted.map(({ track, detection }) => ({
      track,
      embedding: embeddingOf(detection, random),
      encoder: 'made',
    }));
    const renamings = withLooks ? tracker.tell(told, nowMs) : [];
    const numbers = new Map(renamings.map(({ from, to }) => [from, to]));
    const tracks = new Map(seen.map(({ track, detection }) => [detection, numbers.get(track) ?? track]));
    return detections.map((detection) => ({ track: tracks.get(detection) ?? null, person: detection.person }));
  });
  return { frames, looks, faces };
}
