import type { Box, Size } from '../core/geometry.ts';

/**
 * Taking away what a mask hides instead of learning what masks look like: an aligned face is cut into blocks of which
 * only the upper ones are kept (Hariri, "Efficient masked face recognition method during the COVID-19 pandemic", 2021),
 * or its rows below a line are blanked. Aligned faces come from `alignToTemplate` in whatever size is asked for: 112 for
 * the encoder, 160 as FaceNet and its kin take it.
 */

/** Blocks a side. */
export const BLOCK_GRID = 10;
/** The blocks above the tip of the nose, which no mask that is worn right covers; both are kept. */
export const UPPER_BLOCKS = { first: 1, last: 50 } as const;
/** Row below which the 112 pixel template is covered by a mask, between eyes (52) and tip of the nose (72). */
export const UPPER_ROWS = 62;

/** An aligned face: rows, channels interleaved. */
export interface FaceCrop extends Size {
  readonly channels: 1 | 3;
  readonly pixels: Uint8Array;
}

/**
 * Where a block lies, in whole pixels. Blocks are numbered from 1, row by row from the left upper corner; together they
 * cover the picture without gap or overlap, also where its side is no multiple of ten. Throws RangeError for a block
 * that is not there.
 */
export function blockBounds(block: number, size: Size): Box {
  if (!Number.isInteger(block) || block < 1 || block > BLOCK_GRID ** 2)
    throw new RangeError(`there is no block ${block}`);
  const column = (block - 1) % BLOCK_GRID;
  const row = Math.floor((block - 1) / BLOCK_GRID);
  const edge = (index: number, extent: number) => Math.round((index * extent) / BLOCK_GRID);
  const [x, y] = [edge(column, size.width), edge(row, size.height)];
  return { x, y, width: edge(column + 1, size.width) - x, height: edge(row + 1, size.height) - y };
}

/**
 * Keeps the blocks `first` to `last` and blanks the others, in a copy.
 *
 * @param blank what a blanked value becomes
 * Throws RangeError when the pixels do not fill the size or a block is not there.
 */
export function keepBlocks(
  face: FaceCrop,
  { first, last }: { first: number; last: number } = UPPER_BLOCKS,
  blank = 0,
): FaceCrop {
  checkFilled(face);
  const pixels = new Uint8Array(face.pixels.length).fill(blank);
  for (let block = first; block <= last; block++) {
    const { x, y, width, height } = blockBounds(block, face);
    for (let row = y; row < y + height; row++) {
      const from = (row * face.width + x) * face.channels;
      const to = from + width * face.channels;
      pixels.set(face.pixels.subarray(from, to), from);
    }
  }
  return { ...face, pixels };
}

/**
 * The upper blocks (1 to 50) alone, as a picture of half the height: what is covered is not blanked but gone. Throws
 * RangeError when the pixels do not fill the size.
 */
export function cutUpperBlocks(face: FaceCrop): FaceCrop {
  checkFilled(face);
  const { y, height } = blockBounds(UPPER_BLOCKS.last, face);
  return { ...face, height: y + height, pixels: face.pixels.slice(0, (y + height) * face.width * face.channels) };
}

/**
 * Blanks all rows from `row` on, in a copy: the upper part of a face, in a crop that keeps its size. Throws RangeError
 * when the pixels do not fill the size.
 *
 * @param row of a crop of 112 rows; scaled to the height of this one
 */
export function blankBelow(face: FaceCrop, row = UPPER_ROWS, blank = 0): FaceCrop {
  checkFilled(face);
  const cut = Math.max(0, Math.min(face.height, Math.round((row * face.height) / 112)));
  const pixels = face.pixels.slice();
  pixels.fill(blank, cut * face.width * face.channels);
  return { ...face, pixels };
}

/**
 * Pixels less their mean, divided by their deviation: mean 0 and deviation 1, whatever the light was. A picture without
 * contrast becomes zeros: its deviation counts as at least 1 / sqrt(n), as FaceNet's prewhitening has it. Throws
 * RangeError when there are no pixels.
 */
export function standardise(pixels: Uint8Array): Float32Array {
  if (pixels.length === 0) throw new RangeError('there are no pixels');
  let sum = 0;
  for (const value of pixels) sum += value;
  const mean = sum / pixels.length;
  let squares = 0;
  for (const value of pixels) squares += (value - mean) ** 2;
  const deviation = Math.max(Math.sqrt(squares / pixels.length), 1 / Math.sqrt(pixels.length));
  return Float32Array.from(pixels, (value) => (value - mean) / deviation);
}

function checkFilled({ pixels, width, height, channels }: FaceCrop): void {
  if (pixels.length !== width * height * channels || pixels.length === 0) {
    throw new RangeError(`${pixels.length} bytes are not ${width}x${height}x${channels} pixels`);
  }
}
