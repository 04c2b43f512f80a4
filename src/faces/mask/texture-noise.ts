import { seededRandom } from '../../core/seeded-random.ts';

/** Side of the tile of random numbers that everything procedural is made of; a power of two. */
const SIDE = 128;
const AND = SIDE - 1;
/** A row of the tile: its first number stands behind its last once more, and so does its first row. */
const ROW = SIDE + 1;
const TILE = new Float64Array(ROW * ROW);
let filled = false;

/** Normal noise of deviation one at whole coordinates; repeats every 128, the same on every call and machine. */
export function noiseAt(x: number, y: number): number {
  if (!filled) fillTile();
  return TILE[(y & AND) * ROW + (x & AND)] as number;
}

/**
 * Smooth noise, about -1.5..1.5, with features one unit large (value noise with a smooth step). Coordinates are less than
 * 2^31.
 */
export function smoothNoise(x: number, y: number): number {
  if (!filled) fillTile();
  // Not Math.floor: whole numbers are wanted as integers, and this is most of what drawing cloth does.
  let left = x | 0;
  let top = y | 0;
  if (x < left) left--;
  if (y < top) top--;
  const s = eased(x - left);
  const t = eased(y - top);
  const at = (top & AND) * ROW + (left & AND);
  const upper = (TILE[at] as number) * (1 - s) + (TILE[at + 1] as number) * s;
  const lower = (TILE[at + ROW] as number) * (1 - s) + (TILE[at + ROW + 1] as number) * s;
  return upper * (1 - t) + lower * t;
}

const lines = new Map<number, Float64Array>();

/** Smooth noise at one `y`, for `noiseOn`; kept, so for a few of them. */
export function noiseLine(y: number): Float64Array {
  const kept = lines.get(y);
  if (kept) return kept;
  const line = Float64Array.from({ length: ROW }, (_, x) => smoothNoise(x, y));
  lines.set(y, line);
  return line;
}

/** Smooth noise at `x` on a line: what `smoothNoise` gives, in half the time. */
export function noiseOn(line: Float64Array, x: number): number {
  let left = x | 0;
  if (x < left) left--;
  const s = eased(x - left);
  const at = left & AND;
  return (line[at] as number) * (1 - s) + (line[at + 1] as number) * s;
}

function eased(t: number): number {
  return t * t * (3 - 2 * t);
}

function fillTile(): void {
  const random = seededRandom(0x6e6f6973);
  for (let at = 0; at < SIDE * SIDE; at++) {
    // Twelve uniform numbers: near enough to a normal one, with no tails to speak of.
    let sum = -6;
    for (let part = 0; part < 12; part++) sum += random();
    TILE[Math.floor(at / SIDE) * ROW + (at % SIDE)] = Math.fround(sum);
  }
  for (let y = 0; y < SIDE; y++) TILE[y * ROW + SIDE] = TILE[y * ROW] as number;
  TILE.copyWithin(SIDE * ROW, 0, ROW);
  filled = true;
}
