import type { Clock } from '../core/clock.ts';
import { EyelineError, messageOf } from '../core/errors.ts';
import type { Size } from '../core/geometry.ts';
import type { Logger } from '../core/logger.ts';
import type { Frame } from '../core/picture.ts';
import { redact } from '../core/redact.ts';
import { type RetryPolicy, retryDelayMs } from '../core/retry.ts';
import { CameraSession, type StartCamera } from './camera-session.ts';
import { ffmpegOptions, type SourceOptions, sourceRequest } from './camera-source.ts';
import { FrameMailbox } from './frame-mailbox.ts';
import type { MotionOptions, ReadCounts } from './protocol.ts';
import { sleepAlive } from './sleep-alive.ts';

/** A stream that gave frames for this long counts as sound: the next failure is retried after the first delay again. */
const STABLE_MS = 10_000;
const NOTHING_READ: ReadCounts = { read: 0, dropped: 0, idle: 0 };

export type CameraStatus = 'connecting' | 'online' | 'offline' | 'disabled';

export interface CameraOptions extends SourceOptions {
  readonly id: string;
  /** Frames a second that are looked at, at most. */
  readonly fps: number;
  readonly openTimeoutMs: number;
  readonly stallTimeoutMs: number;
  readonly enabled: boolean;
  /** How frames of a scene in which nothing moves are held back; all are given without it. */
  readonly motion?: (MotionOptions & { readonly enabled: boolean }) | undefined;
}

export interface CameraStats {
  /** Frames the decoder handed out. */
  readonly framesRead: number;
  readonly framesDelivered: number;
  /** Frames nobody saw: over the rate, or replaced by a newer one before they were asked for. */
  readonly framesDropped: number;
  /** Frames held back in the camera's process because nothing moved. */
  readonly framesIdle: number;
  /** Processes started after the first. */
  readonly restarts: number;
  /** Wall clock when a frame was last known to be read, milliseconds since the epoch; null before the first. */
  readonly lastFrameAtMs: number | null;
  /** Of the camera's process; null without one. */
  readonly pid: number | null;
}

export interface CameraSupervisorOptions {
  readonly camera: CameraOptions;
  /** Size every frame is letterboxed into before it leaves the camera's process. */
  readonly detectorInput: Size;
  readonly retry: RetryPolicy;
  readonly clock: Clock;
  /** Number in [0, 1), for the jitter. */
  readonly random: () => number;
  readonly logger: Logger;
  /** Starts the camera's process. */
  readonly spawn: StartCamera;
  /** Told of every change, with the reason in one line (redacted; empty when there is none). */
  readonly onStatus?: (status: CameraStatus, reason: string) => void;
  /** A sign of life twice a second, also while the camera is away; none when it is disabled or a file is over. */
  readonly onAlive?: () => void;
  /** A file that does not loop has ended. */
  readonly onEnded?: () => void;
}

/**
 * Keeps one camera going: runs its process, starts it again after a failure (later and later), and hands its frames
 * on. Whatever the camera does, nothing here blocks or throws.
 */
export class CameraSupervisor {
  readonly #options: CameraSupervisorOptions;
  readonly #stopping = new AbortController();
  readonly #mailbox = new FrameMailbox();
  #running: Promise<void> | undefined;
  #session: CameraSession | undefined;
  #enabled: boolean;
  #toggled = new AbortController();
  #status: CameraStatus = 'connecting';
  #reason = '';
  #attempt = 0;
  #sessions = 0;
  #delivered = 0;
  #past = NOTHING_READ;
  #current = NOTHING_READ;
  #onlineSinceMs: number | undefined;
  #lastFrameAtMs: number | null = null;

  constructor(options: CameraSupervisorOptions) {
    this.#options = options;
    this.#enabled = options.camera.enabled;
  }

  get status(): CameraStatus {
    return this.#status;
  }

  /** Why the camera is not online, in one line; empty when there is no reason. */
  get reason(): string {
    return this.#reason;
  }

  get stats(): CameraStats {
    return {
      framesRead: this.#past.read + this.#current.read,
      framesDelivered: this.#delivered,
      framesDropped: this.#past.dropped + this.#current.dropped,
      framesIdle: this.#past.idle + this.#current.idle,
      restarts: Math.max(0, this.#sessions - 1),
      lastFrameAtMs: this.#lastFrameAtMs,
      pid: this.#session?.pid ?? null,
    };
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Ends the camera's process (politely for two seconds, then by force) and the frames. Never rejects. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#toggled.abort();
    this.#session?.close();
    await this.#running?.catch(() => undefined);
    this.#mailbox.close();
  }

  /** Turns the camera off, which ends its process, or on again. */
  setEnabled(enabled: boolean): void {
    if (enabled === this.#enabled) return;
    this.#enabled = enabled;
    this.#attempt = 0;
    this.#toggled.abort();
    if (!enabled) this.#session?.close();
  }

  /**
   * The camera's frames, each the newest there is when it is asked for, and each to be released by whoever takes it. Goes
   * on when the camera comes back; ends on `stop`, or after the last frame of a file that does not loop. For one
   * consumer at a time, who may ask for the next frame while one is still on its way.
   */
  frames(): AsyncIterableIterator<Frame, void> {
    const frames: AsyncIterableIterator<Frame, void> = {
      next: async () => {
        const frame = await this.#next();
        return frame ? { done: false, value: frame } : { done: true, value: undefined };
      },
      [Symbol.asyncIterator]: () => frames,
    };
    return frames;
  }

  /**
   * Asks for all frames for `forMs` from now, also when nothing moves: somebody is there who is not decided yet. Lost
   * when the camera is away, which then shows all frames at first anyway.
   */
  attend(forMs: number): void {
    this.#session?.attend(forMs);
  }

  #next(): Promise<Frame | undefined> {
    const next = this.#mailbox.next();
    this.#session?.request();
    return next;
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted && !this.#mailbox.closed) {
      this.#toggled = new AbortController();
      if (!this.#enabled) {
        this.#setStatus('disabled', '');
        await aborted(this.#toggled.signal);
        continue;
      }
      if (this.#status === 'disabled' || this.#sessions === 0) this.#setStatus('connecting', '');
      const failure = await this.#live();
      if (failure && this.#enabled) await this.#recover(failure);
    }
    this.#mailbox.close();
  }

  /** One life of the camera's process; gives why it ended, undefined when it was meant to. */
  async #live(): Promise<EyelineError | undefined> {
    this.#onlineSinceMs = undefined;
    try {
      const session = this.#open();
      const running = session.run();
      for (let count = this.#mailbox.waiting; count > 0; count--) session.request();
      return await running;
    } catch (error) {
      return new EyelineError('CAMERA_OPEN_FAILED', messageOf(error), { cause: error });
    } finally {
      this.#session = undefined;
      const { read, dropped, idle } = this.#current;
      const past = this.#past;
      this.#past = { read: past.read + read, dropped: past.dropped + dropped, idle: past.idle + idle };
      this.#current = NOTHING_READ;
    }
  }

  #open(): CameraSession {
    const { camera, clock, detectorInput, logger, spawn } = this.#options;
    const { fps, id, motion, openTimeoutMs, stallTimeoutMs } = camera;
    const session = new CameraSession(
      {
        camera: id,
        source: sourceRequest(camera),
        ffmpegOptions: ffmpegOptions(camera),
        fps,
        openTimeoutMs,
        stallTimeoutMs,
        input: detectorInput,
        motion: motion?.enabled ? motion : null,
        clock,
        logger,
        start: spawn,
      },
      {
        alive: () => this.#options.onAlive?.(),
        progress: (counts) => this.#progress(counts),
        frame: (frame) => {
          if (this.#mailbox.bring(frame)) this.#delivered++;
          // It was the last, and another is waited for.
          if (session.drained && this.#mailbox.waiting > 0) session.request();
        },
        ended: () => this.#ended(),
        drained: () => {
          this.#mailbox.close();
          session.closeWhenReleased();
        },
      },
    );
    this.#session = session;
    this.#sessions++;
    return session;
  }

  async #recover(failure: EyelineError): Promise<void> {
    const { clock, random, retry } = this.#options;
    const onlineMs = this.#onlineSinceMs === undefined ? 0 : clock.monotonic() - this.#onlineSinceMs;
    if (onlineMs >= STABLE_MS) this.#attempt = 0;
    this.#setStatus('offline', failure.message, failure);
    const delayMs = retryDelayMs(retry, this.#attempt++, random());
    await sleepAlive(delayMs, this.#toggled.signal, () => this.#options.onAlive?.(), clock);
  }

  #progress(counts: ReadCounts): void {
    const { clock } = this.#options;
    this.#current = counts;
    this.#lastFrameAtMs = clock.now();
    this.#onlineSinceMs ??= clock.monotonic();
    if (this.#enabled) this.#setStatus('online', '');
    this.#options.onAlive?.();
  }

  #ended(): void {
    this.#setStatus('offline', 'ended');
    this.#options.onEnded?.();
    if (this.#mailbox.waiting > 0) this.#session?.request();
  }

  #setStatus(status: CameraStatus, reason: string, cause?: EyelineError): void {
    const told = redact(reason);
    if (status === this.#status && told === this.#reason && this.#sessions > 0) return;
    this.#status = status;
    this.#reason = told;
    const { camera, logger, onStatus } = this.#options;
    const fields = { camera: camera.id, status, ...(cause ? { code: cause.code } : {}) };
    const text = told ? `camera ${camera.id} is ${status}: ${told}` : `camera ${camera.id} is ${status}`;
    if (cause) logger.warn(fields, text);
    else logger.info(fields, text);
    onStatus?.(status, told);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
