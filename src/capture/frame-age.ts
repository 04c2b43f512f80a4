import { quantile } from '../core/statistics.ts';

/**
 * A frame that came so much later after the one before than the camera usually takes was held up on its way. What is less is
 * jitter, or the clock of a camera that runs slow: cheap ones count frames of 25 a second where they take fewer.
 */
const HELD_UP_MS = 150;
/** How late frames usually are shows in as many; more than half of them have to say so. */
const WINDOW = 32;
/** Frames that are usually later by this than before an age arose may be those of a camera that has become slow... */
const SLOW_MS = HELD_UP_MS / 2;
/** ...for sure when none was later than this many times as much: then no stall is part of the age... */
const STANDS_OUT = 3;
/** ...or when it has stayed so for this long: what backs up is made up for, or dropped by the camera, sooner. */
const SETTLED_MS = 30_000;

/**
 * How old frames of a live stream are when they are read, from their presentation times.
 *
 * After a network stall the frames that were held up come in one burst, the first of them as old as the stall was long.
 * Nothing but the time the camera put on them tells: what a frame came too late is its age, and the frames after it make up
 * for as much as they come too early. Too late and too early are counted from what was usual before the age arose: the
 * frames of a camera whose times are false are late all the time, by about as much. An age is rather too low than too high:
 * what all frames take on their way is not in it, nor a delay that grows little by little.
 */
export class FrameAge {
  #last: { readonly presentedMs: number; readonly arrivedMs: number } | undefined;
  #ageMs = 0;
  readonly #lateness = new UsualLateness();
  /** How late frames usually were before the age arose. */
  #usualMs = 0;
  /** Most that one frame added to the age. */
  #largestMs = 0;
  #lateInARow = false;
  /** Since when frames are usually later than before the age arose. */
  #slowSinceMs: number | undefined;

  /**
   * Age of the next frame, milliseconds; 0 where its time says nothing.
   *
   * @param presentedMs the stream's own time of the frame, from any moment on
   * @param arrivedMs monotonic
   */
  of(presentedMs: number, arrivedMs: number): number {
    const last = this.#last;
    this.#last = { presentedMs, arrivedMs };
    // Times that stand still or go back are no clock, or another one from now on.
    if (!last || !(presentedMs > last.presentedMs)) {
      this.#lateness.clear();
      this.#forget();
      return 0;
    }
    const lateMs = arrivedMs - last.arrivedMs - (presentedMs - last.presentedMs);
    const usualMs = this.#lateness.add(lateMs);
    if (this.#ageMs === 0) this.#usualMs = usualMs;
    this.#age(lateMs - this.#usualMs);
    if (this.#hasBecomeSlow(usualMs, arrivedMs)) this.#forget();
    return this.#ageMs;
  }

  #age(heldUpMs: number): void {
    const isLate = heldUpMs >= HELD_UP_MS;
    if (isLate) {
      // Late frames in a row may be a slow camera's, which are about as late as one another and do not add up. What is far less
      // late than the backlog is old is part of that.
      const added = !this.#lateInARow || heldUpMs < this.#ageMs / 2;
      this.#ageMs = added ? this.#ageMs + heldUpMs : Math.max(this.#ageMs, heldUpMs);
      this.#largestMs = Math.max(this.#largestMs, heldUpMs);
    } else if (heldUpMs < 0) {
      this.#ageMs = Math.max(0, this.#ageMs + heldUpMs);
    }
    this.#lateInARow = isLate;
    if (this.#ageMs === 0) this.#forget();
  }

  /** Whether the age is none: the camera takes longer for a frame than before, and its times do not say so. */
  #hasBecomeSlow(usualMs: number, arrivedMs: number): boolean {
    const slowerMs = usualMs - this.#usualMs;
    if (this.#ageMs === 0 || slowerMs < SLOW_MS) {
      this.#slowSinceMs = undefined;
      return false;
    }
    this.#slowSinceMs ??= arrivedMs;
    return this.#largestMs <= slowerMs * STANDS_OUT || arrivedMs - this.#slowSinceMs >= SETTLED_MS;
  }

  #forget(): void {
    this.#ageMs = 0;
    this.#largestMs = 0;
    this.#lateInARow = false;
    this.#slowSinceMs = undefined;
  }
}

/** How late the frames of a stream usually are: the median of the latest, each with the one before, since they may come in pairs. */
class UsualLateness {
  #before = 0;
  /** Frames that have not come yet count as in time. */
  #recent: number[] = Array(WINDOW).fill(0);

  /** Takes in how late a frame is; gives what is usual, never early. Milliseconds. */
  add(lateMs: number): number {
    this.#recent = [...this.#recent.slice(1), (this.#before + lateMs) / 2];
    this.#before = lateMs;
    return Math.max(0, quantile(this.#recent, 0.5) ?? 0);
  }

  clear(): void {
    this.#before = 0;
    this.#recent = Array(WINDOW).fill(0);
  }
}
