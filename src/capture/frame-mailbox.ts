import type { Frame } from '../core/picture.ts';

/** Frames one consumer may wait for at a time: while one is on its way, the next is made ready. */
export const MAX_WAITING = 2;

/** Where one consumer waits for frames, whoever brings them. */
export class FrameMailbox {
  readonly #waiting: ((frame: Frame | undefined) => void)[] = [];
  #closed = false;

  /** Frames that are waited for. */
  get waiting(): number {
    return this.#waiting.length;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The next frame that is brought; undefined when there are no more. Throws when too many are waited for already. */
  next(): Promise<Frame | undefined> {
    if (this.#waiting.length >= MAX_WAITING)
      throw new Error(`${MAX_WAITING} frames of this camera are waited for already`);
    if (this.#closed) return Promise.resolve(undefined);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Hands a frame over to who waited longest; false, and the frame released, when nobody waits for it. */
  bring(frame: Frame): boolean {
    const resolve = this.#waiting.shift();
    if (resolve) resolve(frame);
    else frame.release();
    return resolve !== undefined;
  }

  /** No more frames. */
  close(): void {
    this.#closed = true;
    for (const resolve of this.#waiting.splice(0)) resolve(undefined);
  }
}
