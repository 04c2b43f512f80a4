import type { Size } from '../core/geometry.ts';
import type { Cut, Frame } from '../core/picture.ts';
import type { FromCamera } from './protocol.ts';

/** What a frame needs of the process that holds its pixels. */
export interface FrameHolder {
  cut(sequence: number, cuts: readonly Cut[]): Promise<readonly Uint8Array[]>;
  fit(sequence: number, input: Size): Promise<Uint8Array>;
  pixels(sequence: number): Promise<Uint8Array>;
  /** The frame's pixels are not looked at any more, here nor there. */
  release(sequence: number, fitted: Uint8Array): void;
}

/** A camera's frame: the detector's input is here already, the pixels are in the camera's process. */
export class RemoteFrame implements Frame {
  readonly camera: string;
  readonly width: number;
  readonly height: number;
  readonly sequence: number;
  readonly capturedAtMs: number;
  readonly captureMs: number;
  readonly #fitted: Uint8Array;
  readonly #input: Size;
  readonly #holder: FrameHolder;
  #released = false;

  constructor(camera: string, message: Extract<FromCamera, { type: 'frame' }>, input: Size, holder: FrameHolder) {
    this.camera = camera;
    this.width = message.width;
    this.height = message.height;
    this.sequence = message.sequence;
    this.capturedAtMs = message.capturedAtMs;
    this.captureMs = message.captureMs;
    this.#fitted = message.fitted;
    this.#input = input;
    this.#holder = holder;
  }

  async fit(input: Size): Promise<Uint8Array> {
    this.#check();
    if (input.width === this.#input.width && input.height === this.#input.height) return this.#fitted;
    return this.#holder.fit(this.sequence, input);
  }

  async cut(cuts: readonly Cut[]): Promise<Uint8Array[]> {
    this.#check();
    if (cuts.length === 0) return [];
    return [...(await this.#holder.cut(this.sequence, cuts))];
  }

  async pixels(): Promise<Uint8Array> {
    this.#check();
    return this.#holder.pixels(this.sequence);
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#holder.release(this.sequence, this.#fitted);
  }

  #check(): void {
    if (this.#released) throw new RangeError(`frame ${this.sequence} of camera ${this.camera} was released`);
  }
}
