import type { CameraProcess, CameraProcessListener, StartCamera } from '../../src/capture/camera-session.ts';
import { FrameServer, type HeldPicture } from '../../src/capture/frame-server.ts';
import type { ToCamera } from '../../src/capture/protocol.ts';
import type { Clock } from '../../src/core/clock.ts';
import type { Size } from '../../src/core/geometry.ts';
import type { Cut } from '../../src/core/picture.ts';

/** Pictures of one grey; counts how many are not released. */
export class FakePicture implements HeldPicture {
  static alive = 0;
  readonly width: number;
  readonly height: number;
  readonly moves: boolean;
  readonly #value: number;
  #released = false;

  constructor(size: Size, value: number, moves = true) {
    this.width = size.width;
    this.height = size.height;
    this.#value = value;
    this.moves = moves;
    FakePicture.alive++;
  }

  async fit(input: Size): Promise<Uint8Array> {
    return new Uint8Array(input.width * input.height * 3).fill(this.#value);
  }

  async cut(cuts: readonly Cut[]): Promise<Uint8Array[]> {
    return cuts.map(({ width, height, colour }) =>
      new Uint8Array(width * height * (colour === 'rgb' ? 3 : 1)).fill(this.#value),
    );
  }

  async pixels(): Promise<Uint8Array> {
    return new Uint8Array(this.width * this.height * 3).fill(this.#value);
  }

  release(): void {
    if (this.#released) throw new Error('released twice');
    this.#released = true;
    FakePicture.alive--;
  }
}

/** A camera process without a process: the real frame server, fed by hand. */
export class FakeCameraProcess implements CameraProcess {
  static #pids = 1000;
  readonly pid = ++FakeCameraProcess.#pids;
  readonly received: ToCamera[] = [];
  readonly #listener: CameraProcessListener;
  readonly #clock: Clock;
  readonly #size: Size;
  #server: FrameServer<FakePicture> | undefined;
  #gone = false;
  #frames = 0;
  /** Set to keep it from ending when it is asked to. */
  stuck = false;
  /** Set to have it answer nothing any more. */
  deaf = false;

  constructor(listener: CameraProcessListener, clock: Clock, size: Size) {
    this.#listener = listener;
    this.#clock = clock;
    this.#size = size;
  }

  get gone(): boolean {
    return this.#gone;
  }

  send(message: ToCamera): void {
    if (this.#gone) return;
    this.received.push(message);
    if (this.deaf) return;
    if (message.type === 'next') this.#server?.next();
    else if (message.type === 'attend') this.#server?.attend(message.forMs);
    else if (message.type === 'release') this.#server?.release(message.sequence);
    else if (message.type === 'cut') void this.#server?.cut(message.id, message.sequence, message.cuts);
    else if (message.type === 'fit') void this.#server?.fit(message.id, message.sequence, message.input);
    else if (message.type === 'pixels') void this.#server?.pixels(message.id, message.sequence);
    else if (message.type === 'close' && !this.stuck) this.exit('ended with status 0');
  }

  kill(): void {
    this.exit('was ended by SIGKILL');
  }

  /** The source is open. */
  open(): void {
    const order = this.received.find((message) => message.type === 'open');
    if (order?.type !== 'open') throw new Error('nobody asked to open');
    const { fps, input, motion, progressMs } = order;
    this.#server = new FrameServer<FakePicture>({
      fps,
      input,
      progressMs,
      gate: motion,
      // As with the real one, no change is larger than the largest there is.
      moved: ({ moves }) => moves && motion?.threshold !== 255,
      clock: this.#clock,
      send: (m) => this.say(m),
    });
    this.say({ type: 'opened', ...this.#size });
    for (const message of this.received.slice(1)) if (message.type === 'next') this.#server.next();
  }

  /** The decoder hands out a frame. */
  frame(moves = true): void {
    this.#server?.offer(new FakePicture(this.#size, ++this.#frames % 256, moves));
  }

  /** The source has no more frames. */
  async end(): Promise<void> {
    await this.#server?.end();
  }

  say(message: Parameters<CameraProcessListener['message']>[0]): void {
    if (!this.#gone) this.#listener.message(message);
  }

  print(line: string): void {
    this.#listener.output(line);
  }

  exit(reason: string): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#server?.close();
    this.#listener.exit(reason);
  }
}

/** Starts fake processes and keeps them, the newest last. */
export class FakeCameras {
  readonly started: FakeCameraProcess[] = [];
  readonly options: { ffmpegOptions: string }[] = [];
  readonly #clock: Clock;
  readonly #size: Size;

  constructor(clock: Clock, size: Size = { width: 640, height: 480 }) {
    this.#clock = clock;
    this.#size = size;
  }

  readonly start: StartCamera = (options, listener) => {
    const process = new FakeCameraProcess(listener, this.#clock, this.#size);
    this.started.push(process);
    this.options.push(options);
    return process;
  };
}
