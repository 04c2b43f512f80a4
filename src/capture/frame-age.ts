/**
 * A frame that came so much later after the one before than the camera took it was held up on its way. What is less is
 * jitter, or the clock of a camera that runs slow: cheap ones count frames of 25 a second where they take fewer.
 */
const HELD_UP_MS = 150;
/** Frames that come too late one after the other, more than these, are those of a slow camera whose times are false. */
const LATE_IN_A_ROW = 10;

/**
 * How old frames of a live stream are when they are read, from their presentation times.
 *
 * After a network stall the frames that were held up come in one burst, the first of them as old as the stall was long.
 * Nothing but the time the camera put on them tells: what a frame came too late is its age, and the frames after it make up
 * for as much as they come too early. An age is rather too low than too high: what all frames take on their way is not
 * in it, nor a delay that grows little by little.
 */
export class FrameAge {
  #last: { readonly presentedMs: number; readonly arrivedMs: number } | undefined;
  #ageMs = 0;
  #lateInARow = 0;

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
      this.#ageMs = 0;
      this.#lateInARow = 0;
      return 0;
    }
    const lateMs = arrivedMs - last.arrivedMs - (presentedMs - last.presentedMs);
    this.#lateInARow = lateMs >= HELD_UP_MS ? this.#lateInARow + 1 : 0;
    if (this.#lateInARow > 0) this.#ageMs = this.#ageHeldUp(lateMs);
    else if (lateMs < 0) this.#ageMs = Math.max(0, this.#ageMs + lateMs);
    return this.#ageMs;
  }

  #ageHeldUp(lateMs: number): number {
    if (this.#lateInARow === 1) return this.#ageMs + lateMs;
    // With nothing made up for, that is how a slow camera's false times look, and those do not add up.
    if (this.#lateInARow > LATE_IN_A_ROW) return lateMs;
    // They are about as late as one another, though: what is far less late than the backlog is old is part of that.
    return lateMs < this.#ageMs / 2 ? this.#ageMs + lateMs : Math.max(this.#ageMs, lateMs);
  }
}
