import { seededRandom } from '../../core/seeded-random.ts';

/** Side of the tile of random numbers that everything procedural is made of; a power of two. */
const SIDE = 128;
const AND = SIDE - 1;
let tile: Float32Array | undefined;

/** Normal noise of deviation one at whole coordinates; repeats every 128, the same on every call and machine. */
export function noiseAt(x: number, y: number): number {
  tile ??= noiseTile();
  return tile[(y & AND) * SIDE + (x & AND)] ?? 0;
}

/** Smooth noise, about -1.5..1.5, with features one unit large (value noise with a smooth step). */
export function smoothNoise(x: number, y: number): number {
  tile ??= noiseTile();
  const left = Math.floor(x);
  const top = Math.floor(y);
  const s = eased(x - left);
  const t = eased(y - top);
  const column = left & AND;
  const beside = (column + 1) & AND;
  const row = (top & AND) * SIDE;
  const below = (row + SIDE) & (SIDE * SIDE - 1);
  const upper = (tile[row + column] as number) * (1 - s) + (tile[row + beside] as number) * s;
  const lower = (tile[below + column] as number) * (1 - s) + (tile[below + beside] as number) * s;
  return upper * (1 - t) + lower * t;
}

function eased(t: number): number {
  return t * t * (3 - 2 * t);
}

function noiseTile(): Float32Array {
  const random = seededRandom(0x6e6f6973);
  // Twelve uniform numbers: near enough to a normal one, with no tails to speak of.
  return Float32Array.from({ length: SIDE * SIDE }, () => {
    let sum = -6;
    for (let part = 0; part < 12; part++) sum += random();
    return sum;
  });
}
