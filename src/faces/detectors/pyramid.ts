import { type Box, letterbox, type Point, type Size } from '../../core/geometry.ts';
import type { Picture } from '../../core/picture.ts';

/** A size of the picture, and where it stands in the layout. */
export interface Level {
  readonly size: Size;
  readonly offset: Point;
}

/** Sides of each size after the first, a share of the one before (Zhang et al.: half the area). */
export const FACTOR = 0.709;
const FIRST: Size = { width: 320, height: 240 };
/** What P-Net needs to see. */
const LEAST_SIDE = 12;
/** P-Net moves in steps of two pixels: only from even offsets does it see what it would see in each size alone. */
const OFFSETS: readonly Point[] = [
  { x: 0, y: 0 },
  { x: 0, y: 240 },
  { x: 0, y: 410 },
  { x: 162, y: 410 },
  { x: 228, y: 240 },
  { x: 228, y: 302 },
  { x: 228, y: 346 },
  { x: 278, y: 410 },
  { x: 270, y: 346 },
];

/** All sizes of an image pyramid laid out in one picture, so that one run looks at all. */
export const PYRAMID: { readonly size: Size; readonly levels: readonly Level[] } = {
  size: { width: 320, height: 532 },
  levels: OFFSETS.map((offset, index) => ({ offset, size: sizeOf(index) })),
};

function sizeOf(level: number): Size {
  const scale = FACTOR ** level;
  return {
    width: Math.max(LEAST_SIDE, Math.round(FIRST.width * scale)),
    height: Math.max(LEAST_SIDE, Math.round(FIRST.height * scale)),
  };
}

/** The picture in every size, letterboxed, where the layout has it; RGB. */
export async function pyramidOf(picture: Picture): Promise<Uint8Array> {
  const { size, levels } = PYRAMID;
  const canvas = new Uint8Array(size.width * size.height * 3);
  const fitted = await Promise.all(levels.map((level) => picture.fit(level.size)));
  for (const [index, level] of levels.entries()) {
    const pixels = fitted[index] ?? new Uint8Array();
    const row = level.size.width * 3;
    for (let y = 0; y < level.size.height; y++) {
      const to = ((level.offset.y + y) * size.width + level.offset.x) * 3;
      canvas.set(pixels.subarray(y * row, (y + 1) * row), to);
    }
  }
  return canvas;
}

/** A box of the layout in pixels of the picture; null when it does not lie in one of the sizes. */
export function levelBoxToPicture(level: Level, picture: Size, box: Box): Box | null {
  const { size, offset } = level;
  const [x, y] = [box.x - offset.x, box.y - offset.y];
  if (x < 0 || y < 0 || x + box.width > size.width || y + box.height > size.height) return null;
  const { inner, offset: bars } = letterbox(picture, size);
  const [sx, sy] = [picture.width / inner.width, picture.height / inner.height];
  return { x: (x - bars.x) * sx, y: (y - bars.y) * sy, width: box.width * sx, height: box.height * sy };
}
