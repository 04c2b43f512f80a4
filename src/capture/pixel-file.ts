import { randomUUID } from 'node:crypto';
import { closeSync, existsSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FromCamera } from './protocol.ts';

/**
 * How the fitted pixels of a frame get from a camera's process to the daemon: through a file without a name in memory
 * (tmpfs), whose descriptor the process inherits. A message of 230 kB costs each side a millisecond to serialise and take
 * apart; this costs two copies of 20 microseconds.
 */

/** Descriptor of the file in the camera's process: after standard streams and the IPC channel. */
export const PIXEL_DESCRIPTOR = 4;
const MEMORY = '/dev/shm';
/**
 * The daemon reads a frame's pixels before it asks for the next frame, and has asked for two at most (once more when a
 * session begins), so the third place is never one that is still to be read.
 */
const PLACES = 3;
/** Buffers kept for frames to come; a pipeline works on about as many at a time. */
const MAX_FREE = 4;

type Frame = Extract<FromCamera, { type: 'frame' }>;

/** What goes over the channel: a frame's message tells where its pixels are. */
export type FromCameraProcess =
  | Exclude<FromCamera, { type: 'frame' }>
  | (Omit<Frame, 'fitted'> & { readonly at: number; readonly length: number });

/** The camera's side: puts pixels into the file by turns. */
export class PixelWriter {
  readonly #descriptor: number;
  #frames = 0;

  constructor(descriptor: number = PIXEL_DESCRIPTOR) {
    this.#descriptor = descriptor;
  }

  /** What to send instead of `message`. Throws when the memory is full. */
  pack(message: FromCamera): FromCameraProcess {
    if (message.type !== 'frame') return message;
    const { fitted, ...frame } = message;
    const { length } = fitted;
    const at = (this.#frames++ % PLACES) * length;
    const written = writeSync(this.#descriptor, fitted, 0, length, at);
    if (written !== length) throw new Error(`no room for a frame's pixels: ${written} of ${length} bytes`);
    return { ...frame, at, length };
  }
}

/** The daemon's side. Uses buffers that were given back again: garbage of this size makes V8 collect all the time. */
export class PixelReader {
  /** Of the file, for the camera's process to inherit; it is gone with its last descriptor. */
  readonly descriptor: number;
  readonly #free: Uint8Array[] = [];

  /** Opens a new file. Throws when neither memory nor the temporary folder takes it. */
  constructor() {
    const path = join(existsSync(MEMORY) ? MEMORY : tmpdir(), `eyeline-${randomUUID()}`);
    this.descriptor = openSync(path, 'wx+', 0o600);
    unlinkSync(path);
  }

  /** The message as the camera meant it. Throws when the pixels are not there. */
  unpack(message: FromCameraProcess): FromCamera {
    if (message.type !== 'frame') return message;
    const { at, length, ...frame } = message;
    const before = this.#free.pop();
    const fitted = before?.length === length ? before : new Uint8Array(length);
    const read = readSync(this.descriptor, fitted, 0, length, at);
    if (read !== length) throw new Error(`a frame's pixels are missing: ${read} of ${length} bytes`);
    return { ...frame, fitted };
  }

  /** Takes back the pixels of a frame nobody will look at any more. */
  recycle(pixels: Uint8Array): void {
    if (this.#free.length < MAX_FREE) this.#free.push(pixels);
  }

  close(): void {
    closeSync(this.descriptor);
  }
}
