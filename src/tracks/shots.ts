import type { Box, Size } from '../core/geometry.ts';

/** What is known of a face in a frame before anything is computed of it. */
export interface Shot {
  /** Pixels of the picture. */
  readonly box: Box;
  readonly picture: Size;
  /** Of the detector, 0..1. */
  readonly score: number;
  /** Across the picture, in heights of the face a second. */
  readonly speed: number;
}

/** The looks at a face so far. */
export interface ShotHistory {
  /** Those that were good enough to be matched, or of which nothing is known yet. */
  readonly looks: number;
  /** How many in a row, up to now, were too poor. */
  readonly poor: number;
  readonly lastMs: number;
  /** The most that a shot looked at promised, and the best quality had. */
  readonly promise: number;
  readonly quality: number;
}

/** How much is at stake: nobody is named yet; somebody is; it is a stranger; or it may be somebody else than before. */
export type Interest = 'undecided' | 'known' | 'stranger' | 'doubtful';

export interface ShotPolicy {
  /** So many looks are taken of an undecided face as fast as they come. */
  readonly firstLooks: number;
  /** A decided face is looked at again after this time. */
  readonly recheckMs: number;
}

export const NO_LOOKS: ShotHistory = { looks: 0, poor: 0, lastMs: Number.NEGATIVE_INFINITY, promise: 0, quality: 0 };

/** Width of a face from which more pixels stop helping a 112 pixel encoder: faces/quality wants 36 between the eyes. */
const ENOUGH_WIDTH_PX = 80;
/** Detector's score from which a face is most likely whole and turned to the camera, and the least that means anything. */
const SURE_SCORE = 0.9;
const LEAST_SCORE = 0.3;
/** Heights a second at which motion blur costs half: three hundredths of the face in an exposure of a hundredth second. */
const BLURRING_SPEED = 3;
/** Of a face that touches the edge, part is missing. */
const CUT_OFF = 0.6;

/** A shot that promises this much more quality than was seen is worth a look at once. */
const CLEARLY_BETTER = 0.1;
/** One that promises less than this share of the best waits for a better one, but not for longer than this. */
const MUCH_WORSE = 0.5;
const WORSE_WAIT_MS = 200;
/** An undecided face is looked at so often after the first looks. */
const UNDECIDED_MS = 300;
/** A doubt is soon resolved, since somebody may wear another's name. */
const DOUBT_MS = 200;
/** After a look that was too poor; twice that after two in a row, and so on. */
const POOR_WAIT_MS = 100;
const POOR_WAIT_MOST_MS = 400;

/** How good a look would be, by what can be told without one: 0 (useless) to 1. */
export function promiseOf({ box, picture, score, speed }: Shot): number {
  const size = Math.min(1, box.width / ENOUGH_WIDTH_PX);
  const certainty = Math.min(1, Math.max(0, score - LEAST_SCORE) / (SURE_SCORE - LEAST_SCORE));
  const steadiness = 1 / (1 + (speed / BLURRING_SPEED) ** 2);
  const whole =
    box.x > 0 && box.y > 0 && box.x + box.width < picture.width && box.y + box.height < picture.height ? 1 : CUT_OFF;
  return size * certainty * steadiness * whole;
}

/**
 * Whether a face is worth landmarks and an embedding in this frame. The first looks are taken as they come, so that
 * somebody is named within a second; later ones only when a shot promises to be clearly better than those had, or after a
 * while. A face that was too poor to match is left alone for longer each time, but seldom enough looked at to notice
 * within half a second that it turned to the camera.
 */
export function worthLook(
  history: ShotHistory,
  promise: number,
  interest: Interest,
  nowMs: number,
  policy: ShotPolicy,
): boolean {
  const sinceMs = nowMs - history.lastMs;
  if (interest === 'known') return sinceMs >= policy.recheckMs;
  // Light, pose and focus are taken to be what they were.
  const expected = Math.min(1, (history.quality * promise) / Math.max(history.promise, Number.MIN_VALUE));
  if (expected >= history.quality + CLEARLY_BETTER) return true;
  if (interest === 'stranger') return sinceMs >= policy.recheckMs;
  if (history.poor > 0) return sinceMs >= Math.min(POOR_WAIT_MS * 2 ** (history.poor - 1), POOR_WAIT_MOST_MS);
  if (interest === 'doubtful') return sinceMs >= DOUBT_MS;
  if (history.looks >= policy.firstLooks) return sinceMs >= UNDECIDED_MS;
  return promise >= MUCH_WORSE * history.promise || sinceMs >= WORSE_WAIT_MS;
}

/** A look is taken now. */
export function takeLook(history: ShotHistory, promise: number, nowMs: number): ShotHistory {
  return { ...history, looks: history.looks + 1, lastMs: nowMs, promise: Math.max(history.promise, promise) };
}

/** What came of the last look: its quality 0..1, and whether that was enough to match the face. */
export function judgeLook(history: ShotHistory, quality: number, good: boolean): ShotHistory {
  return {
    ...history,
    looks: good ? history.looks : Math.max(0, history.looks - 1),
    poor: good ? 0 : history.poor + 1,
    quality: Math.max(history.quality, quality),
  };
}
