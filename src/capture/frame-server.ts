import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Size } from '../core/geometry.ts';
import type { Cut, Picture } from '../core/picture.ts';
import { FrameRateLimit } from './frame-rate-limit.ts';
import { attendUntil, type MotionGatePolicy, NEW_GATE, stepGate } from './motion-gate.ts';
import type { FromCamera } from './protocol.ts';

/** A picture whose memory is given back by hand. */
export interface HeldPicture extends Picture {
  release(): void;
}

export interface FrameServerOptions<P extends HeldPicture> {
  readonly fps: number;
  readonly input: Size;
  readonly progressMs: number;
  /** Frames of a scene in which nothing moves are held back; null lets all pass. */
  readonly gate: MotionGatePolicy | null;
  /** Whether a picture shows motion; asked for each in turn, at its monotonic time. */
  readonly moved: (picture: P, nowMs: number) => boolean;
  readonly clock: Clock;
  readonly send: (message: FromCamera) => void;
}

interface Taken {
  readonly picture: HeldPicture;
  readonly sequence: number;
  readonly capturedAtMs: number;
  /** Monotonic. */
  readonly takenMs: number;
}

/**
 * Pictures the daemon may work on at a time: the one whose faces are looked at, three in which they are looked for, and two
 * that come next.
 */
const MAX_HELD = 6;

/**
 * The camera process between its decoder and the daemon. Keeps the newest picture nobody asked for yet, and those the
 * daemon was given until it releases them; when it asks for more than it may hold, the oldest is given up.
 */
export class FrameServer<P extends HeldPicture> {
  readonly #options: FrameServerOptions<P>;
  readonly #limit: FrameRateLimit;
  #newest: Taken | undefined;
  /** Oldest first. */
  readonly #held = new Map<number, Taken>();
  /** Frames that were asked for and not given yet. */
  #wanted = 0;
  #fitting: Promise<void> | undefined;
  #read = 0;
  #dropped = 0;
  #idle = 0;
  #gate = NEW_GATE;
  #progressDueMs = Number.NEGATIVE_INFINITY;

  constructor(options: FrameServerOptions<P>) {
    this.#options = options;
    this.#limit = new FrameRateLimit(options.fps);
  }

  /**
   * Takes a picture from the decoder and owns it from now on.
   *
   * @param ageMs how long it was under way already
   */
  offer(picture: P, ageMs = 0): void {
    const { clock, progressMs, send } = this.#options;
    const takenMs = clock.monotonic();
    this.#read++;
    if (!this.#limit.admits(takenMs)) {
      this.#drop(picture);
    } else if (this.#isIdle(picture, takenMs)) {
      this.#idle++;
      picture.release();
    } else {
      if (this.#newest) this.#drop(this.#newest.picture);
      this.#newest = { picture, sequence: this.#read, capturedAtMs: clock.now() - ageMs, takenMs };
      this.#serve();
    }
    if (takenMs < this.#progressDueMs) return;
    this.#progressDueMs = takenMs + progressMs;
    send({ type: 'progress', ...this.#counts() });
  }

  /** The daemon asks for a frame. */
  next(): void {
    this.#wanted++;
    this.#serve();
  }

  /** Nothing is held back for so long from now, whether or not anything moves. */
  attend(forMs: number): void {
    this.#gate = attendUntil(this.#gate, this.#options.clock.monotonic() + forMs);
  }

  release(sequence: number): void {
    this.#held.get(sequence)?.picture.release();
    this.#held.delete(sequence);
  }

  async cut(id: number, sequence: number, cuts: readonly Cut[]): Promise<void> {
    await this.#answer(id, sequence, (picture) => picture.cut(cuts));
  }

  async fit(id: number, sequence: number, input: Size): Promise<void> {
    await this.#answer(id, sequence, async (picture) => [await picture.fit(input)]);
  }

  async pixels(id: number, sequence: number): Promise<void> {
    await this.#answer(id, sequence, async (picture) => [await picture.pixels()]);
  }

  /** The decoder has no more pictures. A frame that waits can still be asked for. */
  async end(): Promise<void> {
    await this.#fitting;
    this.#options.send({ type: 'ended', left: this.#newest !== undefined });
  }

  /** Gives back all memory. */
  close(): void {
    for (const sequence of [...this.#held.keys()]) this.release(sequence);
    this.#newest?.picture.release();
    this.#newest = undefined;
    this.#wanted = 0;
  }

  /** Whether the gate holds this picture back. */
  #isIdle(picture: P, nowMs: number): boolean {
    const { gate, moved } = this.#options;
    if (!gate) return false;
    const { state, verdict } = stepGate(this.#gate, gate, { nowMs, moved: moved(picture, nowMs) });
    this.#gate = state;
    return verdict === 'idle';
  }

  #serve(): void {
    const taken = this.#newest;
    if (this.#wanted === 0 || !taken || this.#fitting !== undefined) return;
    this.#wanted--;
    this.#newest = undefined;
    this.#held.set(taken.sequence, taken);
    const [oldest] = this.#held.keys();
    if (oldest !== undefined && this.#held.size > MAX_HELD) this.release(oldest);
    this.#fitting = this.#give(taken).finally(() => {
      this.#fitting = undefined;
      this.#serve();
    });
  }

  async #give({ picture, sequence, capturedAtMs, takenMs }: Taken): Promise<void> {
    const { clock, input, send } = this.#options;
    const { width, height } = picture;
    const fitted = await picture.fit(input);
    const captureMs = clock.monotonic() - takenMs;
    send({ type: 'frame', sequence, width, height, capturedAtMs, captureMs, fitted, ...this.#counts() });
  }

  async #answer(
    id: number,
    sequence: number,
    take: (picture: HeldPicture) => Promise<readonly Uint8Array[]>,
  ): Promise<void> {
    const { send } = this.#options;
    const held = this.#held.get(sequence);
    if (!held) {
      send({ type: 'refused', id, message: `frame ${sequence} is no longer held` });
      return;
    }
    try {
      send({ type: 'pixels', id, pixels: await take(held.picture) });
    } catch (error) {
      send({ type: 'refused', id, message: messageOf(error) });
    }
  }

  #counts() {
    return { read: this.#read, dropped: this.#dropped, idle: this.#idle };
  }

  #drop(picture: HeldPicture): void {
    this.#dropped++;
    picture.release();
  }
}
