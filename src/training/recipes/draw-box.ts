import type { Box } from '../../core/geometry.ts';
import type { RgbImage } from '../data/warp.ts';

export type Colour = readonly [red: number, green: number, blue: number];

/** Lines of a box, pixels. */
const LINE_PX = 2;

/** Draws the edges of a box into a picture, as far as they lie in it. The box is in 0..1 of the picture. */
export function drawBox({ rgb, width, height }: RgbImage, box: Box, colour: Colour): void {
  const [left, right] = [box.x, box.x + box.width].map((share) => Math.round(share * (width - 1))) as [number, number];
  const [top, bottom] = [box.y, box.y + box.height].map((share) => Math.round(share * (height - 1))) as [
    number,
    number,
  ];
  const dot = (x: number, y: number) => {
    if (x >= 0 && y >= 0 && x < width && y < height) rgb.set(colour, (y * width + x) * 3);
  };
  for (let inwards = 0; inwards < LINE_PX; inwards++) {
    for (let x = left; x <= right; x++) {
      dot(x, top + inwards);
      dot(x, bottom - inwards);
    }
    for (let y = top; y <= bottom; y++) {
      dot(left + inwards, y);
      dot(right - inwards, y);
    }
  }
}
