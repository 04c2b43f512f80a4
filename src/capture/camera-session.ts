import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../core/clock.ts';
import { EyelineError } from '../core/errors.ts';
import type { Size } from '../core/geometry.ts';
import type { Logger } from '../core/logger.ts';
import type { Cut, Frame } from '../core/picture.ts';
import { redact } from '../core/redact.ts';
import { PixelRequests } from './pixel-requests.ts';
import type { FromCamera, MotionOptions, ReadCounts, SourceRequest, ToCamera } from './protocol.ts';
import { type FrameHolder, RemoteFrame } from './remote-frame.ts';
import { ALIVE_MS, sleepAlive } from './sleep-alive.ts';

/** How long a process may take to say good-bye to its camera before it is killed. */
const CLOSE_MS = 2000;
/** How often the process says that frames are coming, as a share of the stall time-out, and at most this often. */
const PROGRESS_SHARE = 0.25;
const MAX_PROGRESS_MS = 500;

/** What is needed of a camera's process. */
export interface CameraProcess {
  readonly pid: number | undefined;
  /** Sends a message; one to a process that is gone is lost without an error. */
  send(message: ToCamera): void;
  /** Ends it at once, whatever it is stuck in (SIGKILL). */
  kill(): void;
  /** Takes back the fitted pixels of a frame that nobody looks at any more, to be used for another. */
  recycle?(fitted: Uint8Array): void;
}

/** What the process tells. Nothing comes after `exit`, which always comes, once. */
export interface CameraProcessListener {
  message(message: FromCamera): void;
  /** One line the decoder printed; may hold the camera's credentials. */
  output(line: string): void;
  /** @param reason how it ended, for people */
  exit(reason: string): void;
}

export type StartCamera = (
  options: {
    /** For OpenCV's FFmpeg; empty for none. */
    readonly ffmpegOptions: string;
  },
  listener: CameraProcessListener,
) => CameraProcess;

export interface SessionOptions {
  readonly camera: string;
  readonly source: SourceRequest;
  readonly ffmpegOptions: string;
  readonly fps: number;
  readonly openTimeoutMs: number;
  readonly stallTimeoutMs: number;
  readonly input: Size;
  /** Null when frames pass whether or not anything moves. */
  readonly motion: MotionOptions | null;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly start: StartCamera;
}

export interface SessionListener {
  /** The session is at work, though no frames may come: twice a second at least. */
  alive(): void;
  /** Frames were read since the last call. */
  progress(counts: ReadCounts): void;
  /** The frame that was asked for. */
  frame(frame: Frame): void;
  /** The source has ended; frames asked for before `drained` are still given. */
  ended(): void;
  /** The source has ended and its last frame was given. */
  drained(): void;
}

/** One life of a camera's process, from its start to its end. */
export class CameraSession implements FrameHolder {
  readonly #options: SessionOptions;
  readonly #listener: SessionListener;
  readonly #requests = new PixelRequests();
  readonly #gone = new AbortController();
  readonly #over = new AbortController();
  readonly #open = new AbortController();
  #process: CameraProcess | undefined;
  #failure: EyelineError | undefined;
  #aliveMs = 0;
  #lastOutput = '';
  #end: { left: boolean } | undefined;
  /** Frames that were given and not released: their pixels are in the process. */
  #held = 0;
  #leaving = false;

  constructor(options: SessionOptions, listener: SessionListener) {
    this.#options = options;
    this.#listener = listener;
  }

  get #opened(): boolean {
    return this.#open.signal.aborted;
  }

  /** Whether the source has ended and its last frame was given. */
  get drained(): boolean {
    return this.#end?.left === false;
  }

  get pid(): number | undefined {
    return this.#gone.signal.aborted ? undefined : this.#process?.pid;
  }

  /**
   * Starts the process and stays with it until it is gone. Gives what went wrong: CAMERA_OPEN_FAILED, CAMERA_STALLED
   * or CAMERA_PROCESS_DIED; undefined after `close`.
   */
  async run(): Promise<EyelineError | undefined> {
    const { clock, ffmpegOptions, fps, input, motion, source, start, stallTimeoutMs } = this.#options;
    this.#aliveMs = clock.monotonic();
    this.#process = start(
      { ffmpegOptions },
      {
        message: (message) => this.#receive(message),
        output: (line) => this.#print(line),
        exit: (reason) => this.#exited(reason),
      },
    );
    const progressMs = progressEveryMs(stallTimeoutMs);
    this.#process.send({ type: 'open', source, fps, input, progressMs, motion });
    await this.#watch();
    await this.#finish();
    return this.#failure;
  }

  /** Asks for the next frame. */
  request(): void {
    if (this.drained) this.#listener.drained();
    else this.#process?.send({ type: 'next' });
  }

  /** Asks for all frames for so long, also when nothing moves. */
  attend(forMs: number): void {
    this.#process?.send({ type: 'attend', forMs });
  }

  /** Ends the session as soon as all frames that were given are released: somebody still looks at their pixels. */
  closeWhenReleased(): void {
    this.#leaving = true;
    if (this.#held === 0) this.close();
  }

  /** Ends the session: politely at first, after two seconds by force. */
  close(): void {
    this.#over.abort();
  }

  cut(sequence: number, cuts: readonly Cut[]): Promise<readonly Uint8Array[]> {
    return this.#ask((id) => ({ type: 'cut', id, sequence, cuts }));
  }

  async fit(sequence: number, input: Size): Promise<Uint8Array> {
    const [fitted] = await this.#ask((id) => ({ type: 'fit', id, sequence, input }));
    return fitted ?? new Uint8Array();
  }

  async pixels(sequence: number): Promise<Uint8Array> {
    const [pixels] = await this.#ask((id) => ({ type: 'pixels', id, sequence }));
    return pixels ?? new Uint8Array();
  }

  release(sequence: number, fitted: Uint8Array): void {
    this.#process?.send({ type: 'release', sequence });
    this.#process?.recycle?.(fitted);
    this.#held--;
    if (this.#leaving && this.#held === 0) this.close();
  }

  #ask(message: (id: number) => ToCamera): Promise<readonly Uint8Array[]> {
    if (this.#gone.signal.aborted || this.#over.signal.aborted) return Promise.reject(this.#died());
    return this.#requests.ask((id) => this.#process?.send(message(id)));
  }

  #receive(message: FromCamera): void {
    if (this.#over.signal.aborted) return;
    switch (message.type) {
      case 'opened':
        this.#aliveMs = this.#options.clock.monotonic();
        this.#open.abort();
        break;
      case 'failed':
        // The decoder's own last words say more, but may still be on their way: they are added when it is gone.
        this.#fail(this.#opened ? 'CAMERA_STALLED' : 'CAMERA_OPEN_FAILED', message.message);
        break;
      case 'progress':
        this.#progress(message);
        break;
      case 'frame':
        this.#progress(message);
        if (this.#end) this.#end.left = false;
        this.#held++;
        this.#listener.frame(new RemoteFrame(this.#options.camera, message, this.#options.input, this));
        break;
      case 'pixels':
        this.#requests.answer(message.id, message.pixels);
        break;
      case 'refused':
        this.#requests.refuse(message.id, new RangeError(`camera ${this.#options.camera}: ${message.message}`));
        break;
      case 'ended':
        this.#ended(message.left);
        break;
    }
  }

  #progress({ read, dropped, idle }: ReadCounts): void {
    this.#aliveMs = this.#options.clock.monotonic();
    this.#listener.progress({ read, dropped, idle });
  }

  #ended(left: boolean): void {
    if (this.#options.source.file) {
      this.#end = { left };
      this.#listener.ended();
    } else {
      this.#fail('CAMERA_STALLED', 'the stream ended');
    }
  }

  #print(line: string): void {
    const text = redact(line.trim());
    if (text === '') return;
    this.#lastOutput = text;
    this.#options.logger.debug({ camera: this.#options.camera }, `decoder: ${text}`);
  }

  #exited(reason: string): void {
    this.#gone.abort();
    if (!this.#over.signal.aborted) this.#fail('CAMERA_PROCESS_DIED', `the camera's process ${reason}`);
  }

  #fail(code: 'CAMERA_OPEN_FAILED' | 'CAMERA_STALLED' | 'CAMERA_PROCESS_DIED', message: string): void {
    if (this.#over.signal.aborted) return;
    this.#failure = new EyelineError(code, message);
    this.#over.abort();
  }

  /** Until the session is over: sees to it that the source opens, and that frames keep coming, in time. */
  async #watch(): Promise<void> {
    const { clock, openTimeoutMs, stallTimeoutMs } = this.#options;
    const over = this.#over.signal;
    while (!over.aborted) {
      this.#listener.alive();
      const left = this.#end ? ALIVE_MS : this.#leftMs();
      if (left > 0) {
        // Opening wakes it up: from then on there is less time.
        const wake = this.#opened ? over : AbortSignal.any([over, this.#open.signal]);
        await clock.sleep(Math.min(left, ALIVE_MS), wake).catch(() => undefined);
        continue;
      }
      // After a pause of this very process its timers are due before messages that came meanwhile: read those first.
      await nextTurn();
      if (this.#leftMs() > 0 || this.#end) continue;
      if (this.#opened) this.#fail('CAMERA_STALLED', `no frame for ${stallTimeoutMs} ms`);
      else this.#fail('CAMERA_OPEN_FAILED', `no answer within ${openTimeoutMs} ms`);
    }
  }

  #leftMs(): number {
    const { clock, openTimeoutMs, stallTimeoutMs } = this.#options;
    // The last frame may have come any time until the next sign of progress was due.
    const allowedMs = this.#opened ? stallTimeoutMs + progressEveryMs(stallTimeoutMs) : openTimeoutMs;
    return this.#aliveMs + allowedMs - clock.monotonic();
  }

  async #finish(): Promise<void> {
    this.#requests.refuseAll(this.#died());
    const opened = this.#opened && this.#failure?.code !== 'CAMERA_STALLED';
    if (opened) {
      this.#process?.send({ type: 'close' });
      await this.#exit(CLOSE_MS);
    }
    if (!this.#gone.signal.aborted) {
      this.#process?.kill();
      await this.#exit(CLOSE_MS);
    }
    if (this.#failure?.code === 'CAMERA_OPEN_FAILED' && this.#lastOutput) {
      this.#failure = new EyelineError('CAMERA_OPEN_FAILED', `${this.#failure.message}: ${bare(this.#lastOutput)}`);
    }
  }

  /** Waits until the process is gone, at most `ms`. */
  async #exit(ms: number): Promise<void> {
    await sleepAlive(ms, this.#gone.signal, () => this.#listener.alive(), this.#options.clock);
  }

  #died(): EyelineError {
    const { camera } = this.#options;
    return new EyelineError('CAMERA_PROCESS_DIED', `camera ${camera}: its process is gone, and the frame with it`);
  }
}

function progressEveryMs(stallTimeoutMs: number): number {
  return Math.min(MAX_PROGRESS_MS, stallTimeoutMs * PROGRESS_SHARE);
}

/** The text without the address FFmpeg puts before it (`[rtsp @ 0x55..] `): that changes each time. */
function bare(line: string): string {
  return line.replace(/^\[[^\]]* @ 0x[0-9a-f]+\]\s*/, '');
}
