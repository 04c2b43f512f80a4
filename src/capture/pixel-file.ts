import { randomUUID } from 'node:crypto';
import { closeSync, existsSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MAX_WAITING } from './frame-mailbox.ts';
import type { FromCamera, ToCamera } from './protocol.ts';

/**
 * How the fitted pixels of a frame, and whole frames, get from a camera's process to the daemon: through a file without a
 * name in memory (tmpfs), whose descriptor the process inherits. A message of 230 kB costs each side a millisecond to
 * serialise and take apart; this costs two copies of 20 microseconds.
 */

/** Descriptor of the file in the camera's process: after standard streams and the IPC channel. */
export const PIXEL_DESCRIPTOR = 4;
const MEMORY = '/dev/shm';
/**
 * The daemon reads a frame's pixels before it asks for another in its place, so what is still to be read are no more frames
 * than it may wait for at a time; once more as many, should it ask twice when a source ends.
 */
const PLACES = 2 * MAX_WAITING;
/** Buffers kept for frames to come; a pipeline works on about as many at a time. */
const MAX_FREE = 6;

/**
 * Where whole frames begin, each this far from the next: more than a picture may have. Of a file in memory only what was
 * written takes any.
 */
const WHOLE_STRIDE = 2 ** 28;

type Frame = Extract<FromCamera, { type: 'frame' }>;
type AskWhole = Extract<ToCamera, { type: 'pixels' }>;

/** Where in the file pixels are. */
interface Place {
  readonly at: number;
  readonly length: number;
}

/** What goes over the channel: a message tells where its pixels are. */
export type FromCameraProcess =
  | Exclude<FromCamera, { type: 'frame' }>
  | (Omit<Frame, 'fitted'> & Place)
  | ({ readonly type: 'whole'; readonly id: number } & Place);

/** The other way: whoever asks for a whole frame says where it is to be put. */
export type ToCameraProcess = Exclude<ToCamera, AskWhole> | (AskWhole & { readonly place: number });

/** The camera's side: puts pixels into the file by turns. */
export class PixelWriter {
  readonly #descriptor: number;
  /** Places of whole frames that were asked for, by the question's id. */
  readonly #asked = new Map<number, number>();
  #frames = 0;

  constructor(descriptor: number = PIXEL_DESCRIPTOR) {
    this.#descriptor = descriptor;
  }

  /** The message as the daemon meant it. */
  unpack(message: ToCameraProcess): ToCamera {
    if (message.type !== 'pixels') return message;
    const { place, ...question } = message;
    this.#asked.set(question.id, place);
    return question;
  }

  /** What to send instead of `message`. Throws when the memory is full. */
  pack(message: FromCamera): FromCameraProcess {
    if (message.type === 'frame') {
      const { fitted, ...frame } = message;
      return { ...frame, ...this.#write(fitted, (this.#frames++ % PLACES) * fitted.length) };
    }
    if (message.type !== 'pixels' && message.type !== 'refused') return message;
    const place = this.#asked.get(message.id);
    this.#asked.delete(message.id);
    const [whole] = message.type === 'pixels' ? message.pixels : [];
    if (place === undefined || !whole) return message;
    return { type: 'whole', id: message.id, ...this.#write(whole, place * WHOLE_STRIDE) };
  }

  #write(pixels: Uint8Array, at: number): Place {
    const { length } = pixels;
    const written = writeSync(this.#descriptor, pixels, 0, length, at);
    if (written !== length) throw new Error(`no room for a frame's pixels: ${written} of ${length} bytes`);
    return { at, length };
  }
}

/** The daemon's side. Uses buffers that were given back again: garbage of this size makes V8 collect all the time. */
export class PixelReader {
  /** Of the file, for the camera's process to inherit; it is gone with its last descriptor. */
  readonly descriptor: number;
  readonly #free: Uint8Array[] = [];
  /** Places of whole frames that are on their way, by the question's id. */
  readonly #asked = new Map<number, number>();

  /** Opens a new file. Throws when neither memory nor the temporary folder takes it. */
  constructor() {
    const path = join(existsSync(MEMORY) ? MEMORY : tmpdir(), `eyeline-${randomUUID()}`);
    this.descriptor = openSync(path, 'wx+', 0o600);
    unlinkSync(path);
  }

  /** What to send instead of `message`. The first place is where fitted pixels are. */
  pack(message: ToCamera): ToCameraProcess {
    if (message.type !== 'pixels') return message;
    const taken = new Set(this.#asked.values());
    let place = 1;
    while (taken.has(place)) place++;
    this.#asked.set(message.id, place);
    return { ...message, place };
  }

  /** The message as the camera meant it. Throws when the pixels are not there. */
  unpack(message: FromCameraProcess): FromCamera {
    switch (message.type) {
      case 'frame': {
        const { at, length, ...frame } = message;
        const before = this.#free.pop();
        return { ...frame, fitted: this.#read(before?.length === length ? before : new Uint8Array(length), at) };
      }
      case 'whole': {
        const { id, at, length } = message;
        this.#asked.delete(id);
        return { type: 'pixels', id, pixels: [this.#read(new Uint8Array(length), at)] };
      }
      case 'refused':
        this.#asked.delete(message.id);
        return message;
      default:
        return message;
    }
  }

  #read(pixels: Uint8Array, at: number): Uint8Array {
    const { length } = pixels;
    const read = readSync(this.descriptor, pixels, 0, length, at);
    if (read !== length) throw new Error(`a frame's pixels are missing: ${read} of ${length} bytes`);
    return pixels;
  }

  /** Takes back the pixels of a frame nobody will look at any more. */
  recycle(pixels: Uint8Array): void {
    if (this.#free.length < MAX_FREE) this.#free.push(pixels);
  }

  close(): void {
    closeSync(this.descriptor);
  }
}
