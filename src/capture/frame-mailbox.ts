import type { Frame } from '../core/picture.ts';

/** Where one consumer waits for one frame at a time, whoever brings it. */
export class FrameMailbox {
  #waiting: ((frame: Frame | undefined) => void) | undefined;
  #closed = false;

  get waiting(): boolean {
    return this.#waiting !== undefined;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The next frame that is brought; undefined when there are no more. Throws when somebody waits already. */
  next(): Promise<Frame | undefined> {
    if (this.#waiting) throw new Error('the frames of this camera have a consumer already');
    if (this.#closed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  /** Hands a frame over; false, and the frame released, when nobody waits for it. */
  bring(frame: Frame): boolean {
    const resolve = this.#waiting;
    this.#waiting = undefined;
    if (resolve) resolve(frame);
    else frame.release();
    return resolve !== undefined;
  }

  /** No more frames. */
  close(): void {
    this.#closed = true;
    this.#waiting?.(undefined);
    this.#waiting = undefined;
  }
}
