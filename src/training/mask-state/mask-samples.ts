import { MASK_CROP_PX, MASK_PIXELS } from './mask-network.ts';

/** A face that is known to wear a mask or none: its surroundings in grey, and where its box is in them. */
export interface MaskExample {
  /** `PATCH_PX` x `PATCH_PX`, one byte a pixel; the box is the middle, `1 / PATCH_EXTENT` of the side. */
  readonly patch: Uint8Array;
  /** Index in `MASK_STATES`. */
  readonly state: number;
  /** Whoever it shows, or the picture it is from: nobody is on both sides of a split. */
  readonly group: number;
  /** A photograph of a real mask, not a drawn one. */
  readonly real: boolean;
}

export const PATCH_PX = 104;
/** Side of the patch in sizes of the box. */
export const PATCH_EXTENT = 1.6;

const SIDE = MASK_CROP_PX;

/** The crop of the box as the detector gave it, as the network takes it. */
export function plainCrop({ patch }: MaskExample, into: Float32Array, at: number): void {
  sample(patch, { x: 0, y: 0, width: 1, height: 1, turn: 0, flip: false }, into, at);
  scale(into, at);
}

/**
 * The crop as another camera and another detector might have given it: box moved and stretched, head turned, mirrored, other
 * light, out of focus, coarse, noisy, and with something in front of it (a hand, a scarf, hair), which is no mask.
 */
export function variedCrop(example: MaskExample, into: Float32Array, at: number, random: () => number): void {
  const either = (size: number) => (random() + random() - 1) * size;
  const stretch = Math.exp(either(0.2));
  sample(
    example.patch,
    {
      x: either(0.12),
      y: either(0.12),
      width: stretch * Math.exp(either(0.1)),
      height: stretch * Math.exp(either(0.1)),
      turn: either(0.7),
      flip: random() < 0.5,
    },
    into,
    at,
  );
  const crop = into.subarray(at, at + SIDE * SIDE);
  if (random() < 0.3) occlude(crop, random);
  if (random() < 0.4) coarsen(crop, 1 + random() * 2.5);
  if (random() < 0.3) blur(crop, 1 + Math.floor(random() * 2));
  relight(crop, random);
  const noise = 10 * random() ** 2;
  for (let index = 0; index < crop.length; index++) {
    const value = (crop[index] ?? 0) + (random() + random() + random() - 1.5) * 2 * noise;
    crop[index] = Math.min(255, Math.max(0, Math.round(value)));
  }
  scale(into, at);
}

interface View {
  /** Offset of the centre and size, in sizes of the box. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly turn: number;
  readonly flip: boolean;
}

/** Bilinear; beyond the patch its edge goes on. */
function sample(patch: Uint8Array, view: View, into: Float32Array, at: number): void {
  const box = PATCH_PX / PATCH_EXTENT;
  const middle = (PATCH_PX - 1) / 2;
  const [cos, sin] = [Math.cos(view.turn), Math.sin(view.turn)];
  const pixel = (x: number, y: number) => patch[y * PATCH_PX + x] ?? 0;
  for (let row = 0; row < SIDE; row++) {
    for (let column = 0; column < SIDE; column++) {
      const u = ((view.flip ? SIDE - 1 - column : column) + 0.5) / SIDE - 0.5;
      const v = (row + 0.5) / SIDE - 0.5;
      const x = clamp(middle + box * (view.x + view.width * (cos * u - sin * v)), PATCH_PX - 1.001);
      const y = clamp(middle + box * (view.y + view.height * (sin * u + cos * v)), PATCH_PX - 1.001);
      const [left, top] = [Math.floor(x), Math.floor(y)];
      const [a, b] = [x - left, y - top];
      into[at + row * SIDE + column] =
        (1 - b) * ((1 - a) * pixel(left, top) + a * pixel(left + 1, top)) +
        b * ((1 - a) * pixel(left, top + 1) + a * pixel(left + 1, top + 1));
    }
  }
}

/** A bar or a blob in one tone or with the crop's own texture from elsewhere: smaller than a mask, or beside its place. */
function occlude(crop: Float32Array, random: () => number): void {
  const width = SIDE * (0.15 + 0.3 * random());
  const height = SIDE * (0.1 + 0.25 * random());
  const x = SIDE * random();
  const y = SIDE * random();
  const textured = random() < 0.5;
  const tone = 255 * random();
  const [dx, dy] = [Math.floor(SIDE * random()), Math.floor(SIDE * random())];
  const source = crop.slice();
  for (let row = 0; row < SIDE; row++) {
    for (let column = 0; column < SIDE; column++) {
      if (((column - x) / width) ** 2 + ((row - y) / height) ** 2 > 0.25) continue;
      const from = ((row + dy) % SIDE) * SIDE + ((column + dx) % SIDE);
      crop[row * SIDE + column] = textured ? (source[from] ?? 0) : tone;
    }
  }
}

/** As if the face had so many times fewer pixels across. */
function coarsen(crop: Float32Array, times: number): void {
  const cells = Math.max(8, Math.round(SIDE / times));
  const means = new Float64Array(cells * cells);
  const counts = new Float64Array(cells * cells);
  const cellOf = (index: number) => Math.min(cells - 1, Math.floor((index * cells) / SIDE));
  for (let row = 0; row < SIDE; row++) {
    for (let column = 0; column < SIDE; column++) {
      const cell = cellOf(row) * cells + cellOf(column);
      means[cell] = (means[cell] ?? 0) + (crop[row * SIDE + column] ?? 0);
      counts[cell] = (counts[cell] ?? 0) + 1;
    }
  }
  const value = (x: number, y: number) => {
    const cell = Math.min(cells - 1, Math.max(0, y)) * cells + Math.min(cells - 1, Math.max(0, x));
    return (means[cell] ?? 0) / Math.max(1, counts[cell] ?? 1);
  };
  for (let row = 0; row < SIDE; row++) {
    for (let column = 0; column < SIDE; column++) {
      const x = ((column + 0.5) * cells) / SIDE - 0.5;
      const y = ((row + 0.5) * cells) / SIDE - 0.5;
      const [left, top] = [Math.floor(x), Math.floor(y)];
      const [a, b] = [x - left, y - top];
      crop[row * SIDE + column] =
        (1 - b) * ((1 - a) * value(left, top) + a * value(left + 1, top)) +
        b * ((1 - a) * value(left, top + 1) + a * value(left + 1, top + 1));
    }
  }
}

/** Means of 3 pixels in both directions, so many times. */
function blur(crop: Float32Array, times: number): void {
  for (let round = 0; round < times; round++) {
    for (const step of [1, SIDE]) {
      const before = crop.slice();
      for (let index = step; index < crop.length - step; index++) {
        crop[index] = ((before[index - step] ?? 0) + (before[index] ?? 0) + (before[index + step] ?? 0)) / 3;
      }
    }
  }
}

/** Another contrast, brightness and gamma, and light from one side. */
function relight(crop: Float32Array, random: () => number): void {
  const either = (size: number) => (random() * 2 - 1) * size;
  const contrast = Math.exp(either(0.5));
  const offset = either(50);
  const gamma = Math.exp(either(0.35));
  const [across, down] = [either(50) / SIDE, either(50) / SIDE];
  for (let row = 0; row < SIDE; row++) {
    for (let column = 0; column < SIDE; column++) {
      const index = row * SIDE + column;
      const bent = 255 * (Math.max(0, crop[index] ?? 0) / 255) ** gamma;
      const light = across * (column - SIDE / 2) + down * (row - SIDE / 2);
      crop[index] = (bent - 127.5) * contrast + 127.5 + offset + light;
    }
  }
}

function scale(into: Float32Array, at: number): void {
  for (let index = at; index < at + SIDE * SIDE; index++) {
    into[index] = ((into[index] ?? 0) - MASK_PIXELS.mean) * MASK_PIXELS.scale;
  }
}

function clamp(value: number, most: number): number {
  return Math.min(most, Math.max(0, value));
}
