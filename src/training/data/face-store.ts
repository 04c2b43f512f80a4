import { closeSync, openSync, readSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Box, Point } from '../../core/geometry.ts';
import type { Landmarks } from '../../faces/landmarks.ts';
import { type PixelsPlace, pixelsFile } from './pixels-file.ts';
import type { RgbImage } from './warp.ts';

/**
 * Faces as they were prepared: files of pixels, read a face at a time, and one line a face that says where. However large
 * the set, only the lines are in memory.
 */

/** Where a drawn mask changed the picture, and what it is. */
export interface StoredMask {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly state: 'worn' | 'incorrect';
}

/** One line of the index. */
export interface StoredFace extends PixelsPlace {
  /** The picture it comes from. */
  readonly file: string;
  /** Number of the person. */
  readonly person: number;
  readonly width: number;
  readonly height: number;
  readonly masks: readonly StoredMask[];
  /** The picture itself shows a real mask. */
  readonly worn?: true;
}

/** What is known of a set as a whole. */
export interface FaceSetRecord {
  readonly fingerprint: string;
  readonly people: readonly string[];
  readonly pictures: number;
  readonly faces: number;
  /** Pictures without a face or that cannot be read. */
  readonly failed: readonly { readonly file: string; readonly reason: string }[];
}

/** A face with its surroundings. Pixels of the chip. */
export interface FaceChip extends RgbImage {
  readonly box: Box;
  readonly score: number;
  readonly landmarks: Landmarks;
}

export const INDEX_FILE = 'faces.jsonl';
export const RECORD_FILE = 'set.json';

const POINTS = 68;
/** Box, score and landmarks, before the pixels. */
const HEAD_FLOATS = 5 + 2 * POINTS;
export const HEAD_BYTES = HEAD_FLOATS * 4;

/** What is written of a face: head, pixels of the picture, pixels of each mask. */
export function packFace(chip: FaceChip, masks: readonly { readonly rgb: Uint8Array }[]): Uint8Array {
  const { box, score, landmarks, rgb } = chip;
  const head = new Float32Array(HEAD_FLOATS);
  head.set([box.x, box.y, box.width, box.height, score]);
  for (const [point, { x, y }] of landmarks.entries()) head.set([x, y], 5 + 2 * point);
  const bytes = new Uint8Array(HEAD_BYTES + rgb.length + masks.reduce((sum, mask) => sum + mask.rgb.length, 0));
  bytes.set(new Uint8Array(head.buffer));
  bytes.set(rgb, HEAD_BYTES);
  let at = HEAD_BYTES + rgb.length;
  for (const mask of masks) {
    bytes.set(mask.rgb, at);
    at += mask.rgb.length;
  }
  return bytes;
}

/** Reads prepared faces. Its files stay open until it is closed. */
export class FaceStore {
  readonly faces: readonly StoredFace[];
  /** Open files of pixels, by their number. */
  readonly #pixels: ReadonlyMap<number, number>;

  private constructor(faces: readonly StoredFace[], pixels: ReadonlyMap<number, number>) {
    this.faces = faces;
    this.#pixels = pixels;
  }

  static async open(folder: string): Promise<FaceStore> {
    const lines = (await readFile(join(folder, INDEX_FILE), 'utf8')).trim().split('\n');
    const faces = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as StoredFace);
    const parts = new Set(faces.map(({ part }) => part));
    return new FaceStore(
      faces,
      new Map(Array.from(parts, (part) => [part, openSync(join(folder, pixelsFile(part)), 'r')])),
    );
  }

  /** A face without a mask. Throws RangeError for a number there is none of. */
  read(index: number): FaceChip {
    const { part, offset, width, height } = this.#face(index);
    const bytes = this.#bytes({ part, offset }, HEAD_BYTES + width * height * 3);
    const head = new Float32Array(bytes.buffer, bytes.byteOffset, HEAD_FLOATS);
    const [x = 0, y = 0, boxWidth = 0, boxHeight = 0, score = 0] = head;
    const landmarks = Array.from(
      { length: POINTS },
      (_, point): Point => ({ x: head[5 + 2 * point] ?? 0, y: head[6 + 2 * point] ?? 0 }),
    );
    const box = { x, y, width: boxWidth, height: boxHeight };
    return { rgb: bytes.subarray(HEAD_BYTES), width, height, box, score, landmarks };
  }

  /** The same face with one of its masks on; a copy. */
  withMask(index: number, chip: FaceChip, which: number): FaceChip {
    const { part, offset, width, height, masks } = this.#face(index);
    const mask = masks[which];
    if (!mask) throw new RangeError(`face ${index} has ${masks.length} masks, no number ${which}`);
    const before = masks.slice(0, which).reduce((sum, it) => sum + it.width * it.height * 3, 0);
    const from = offset + HEAD_BYTES + width * height * 3 + before;
    const patch = this.#bytes({ part, offset: from }, mask.width * mask.height * 3);
    const rgb = new Uint8Array(chip.rgb);
    for (let row = 0; row < mask.height; row++) {
      const from = row * mask.width * 3;
      rgb.set(patch.subarray(from, from + mask.width * 3), ((mask.y + row) * width + mask.x) * 3);
    }
    return { ...chip, rgb };
  }

  close(): void {
    for (const file of this.#pixels.values()) closeSync(file);
  }

  #face(index: number): StoredFace {
    const face = this.faces[index];
    if (!face) throw new RangeError(`there are ${this.faces.length} faces, no number ${index}`);
    return face;
  }

  #bytes({ part, offset }: PixelsPlace, length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(length);
    const file = this.#pixels.get(part);
    if (file === undefined || readSync(file, bytes, 0, length, offset) !== length)
      throw new Error('prepared faces are cut short');
    return bytes;
  }
}

/**
 * Where two pictures of one size differ, with the pixels of the second; null where they are the same.
 *
 * @param within the part to look at; the whole when left out
 */
export function changedPart(
  before: Uint8Array,
  after: RgbImage,
  within: Box = { x: 0, y: 0, width: after.width, height: after.height },
): { x: number; y: number; width: number; height: number; rgb: Uint8Array } | null {
  const { rgb, width, height } = after;
  let [left, top, right, bottom] = [width, height, -1, -1];
  const { x: from, y: first } = within;
  const [to, end] = [from + within.width, first + within.height];
  for (let y = first; y < end; y++) {
    for (let x = from, at = (y * width + from) * 3; x < to; x++, at += 3) {
      if (rgb[at] === before[at] && rgb[at + 1] === before[at + 1] && rgb[at + 2] === before[at + 2]) continue;
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      bottom = y;
    }
  }
  if (right < 0) return null;
  const size = { width: right - left + 1, height: bottom - top + 1 };
  const part = new Uint8Array(size.width * size.height * 3);
  for (let row = 0; row < size.height; row++) {
    const from = ((top + row) * width + left) * 3;
    part.set(rgb.subarray(from, from + size.width * 3), row * size.width * 3);
  }
  return { x: left, y: top, ...size, rgb: part };
}
