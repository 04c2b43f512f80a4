/** Ways to take from an aligned RGB crop what a mask covers, so that no encoder is led astray by it. Each gives a copy. */

/**
 * First row that is blanked, of 112: under the lower lids of a face aligned to the ArcFace template, whose eye centres are
 * at 51.6 and whose nose tip is at 71.7.
 */
const CUT_ROW = 62;
const TEMPLATE_ROWS = 112;
const RGB = 3;
/** Blocks along each side of the grid, and the last block kept, counted in rows from the left upper corner. */
const GRID = 10;
const LAST_KEPT = 50;

/** The upper part: rows below the cut line are black. */
export function keepUpperPart(crop: Uint8Array, side: number): Uint8Array {
  const rows = Math.round((CUT_ROW * side) / TEMPLATE_ROWS);
  const kept = new Uint8Array(crop.length);
  kept.set(crop.subarray(0, rows * side * RGB));
  return kept;
}

/**
 * Occlusion removal by blocks (Hariri, "Efficient masked face recognition method during the COVID-19 pandemic", Signal,
 * Image and Video Processing 2021): of a grid of 10 by 10 blocks, blocks 1 to 50 are kept, the others are black.
 */
export function keepUpperBlocks(crop: Uint8Array, side: number): Uint8Array {
  const kept = new Uint8Array(crop.length);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const block = Math.floor((y * GRID) / side) * GRID + Math.floor((x * GRID) / side) + 1;
      if (block > LAST_KEPT) continue;
      const pixel = (y * side + x) * RGB;
      kept.set(crop.subarray(pixel, pixel + RGB), pixel);
    }
  }
  return kept;
}
