import type { Box } from '../../core/geometry.ts';

/** How much a box grows on each side, in shares of its own width and height. */
export interface Margins {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** The box with its margins. */
export function grown({ x, y, width, height }: Box, { left, top, right, bottom }: Margins): Box {
  return {
    x: x - left * width,
    y: y - top * height,
    width: width * (1 + left + right),
    height: height * (1 + top + bottom),
  };
}
