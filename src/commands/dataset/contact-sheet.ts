import type { Size } from '../../core/geometry.ts';

/** Two pictures that belong together, each `side` x `side` RGB. */
export interface SheetPair {
  readonly plain: Uint8Array;
  readonly masked: Uint8Array;
}

/** Between pairs, pixels; within a pair there is none. */
const GAP = 6;
const PAPER = 255;

/** Rows of pairs on white paper; where a pair is null the paper shows. */
export function contactSheet(
  rows: readonly (readonly (SheetPair | null)[])[],
  side: number,
): { readonly rgb: Uint8Array; readonly size: Size } {
  const columns = Math.max(1, ...rows.map((row) => row.length));
  const width = columns * (2 * side + GAP) + GAP;
  const height = Math.max(1, rows.length) * (side + GAP) + GAP;
  const rgb = new Uint8Array(width * height * 3).fill(PAPER);
  const paste = (picture: Uint8Array, left: number, top: number) => {
    for (let y = 0; y < side; y++) {
      rgb.set(picture.subarray(y * side * 3, (y + 1) * side * 3), ((top + y) * width + left) * 3);
    }
  };
  for (const [row, pairs] of rows.entries()) {
    for (const [column, pair] of pairs.entries()) {
      if (!pair) continue;
      const left = GAP + column * (2 * side + GAP);
      const top = GAP + row * (side + GAP);
      paste(pair.plain, left, top);
      paste(pair.masked, left + side, top);
    }
  }
  return { rgb, size: { width, height } };
}
