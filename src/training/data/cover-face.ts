import type { Box } from '../../core/geometry.ts';
import type { RgbImage } from './warp.ts';

/** How far beyond the box of a face the cover reaches: foreheads, ears and chins lie outside of it. */
const REACH = 1.25;
/** Share of the cover's radius over which it fades out. */
const FADE = 0.18;

/**
 * A picture whose face is covered, a head and shoulders without a face: what detectors mistake for one. Most are covered by
 * what is above the face, stretched down, which is hair as a rule: a head seen from behind. The others by what is beside it. A face
 * that is merely blurred is none of these: so a far one looks.
 *
 * @param box of the face, pixels of the picture
 * @param random numbers in 0..1; the same numbers give the same cover
 */
export function withoutFace(image: RgbImage, box: Box, random: () => number): RgbImage {
  const { width, height } = image;
  const rgb = new Uint8Array(image.rgb);
  const centre = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  const radius = { x: (box.width / 2) * REACH, y: (box.height / 2) * REACH };
  const colourAt = coverOf(image, box, random);
  const left = Math.max(0, Math.floor(centre.x - radius.x));
  const right = Math.min(width - 1, Math.ceil(centre.x + radius.x));
  const top = Math.max(0, Math.floor(centre.y - radius.y));
  const bottom = Math.min(height - 1, Math.ceil(centre.y + radius.y));
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const away = Math.hypot((x - centre.x) / radius.x, (y - centre.y) / radius.y);
      const opacity = Math.min(1, Math.max(0, (1 - away) / FADE));
      if (opacity === 0) continue;
      const from = colourAt(x, y);
      const at = (y * width + x) * 3;
      for (let channel = 0; channel < 3; channel++) {
        const own = image.rgb[at + channel] ?? 0;
        rgb[at + channel] = own + opacity * ((from[channel] ?? 0) - own);
      }
    }
  }
  return { rgb, width, height };
}

type ColourAt = (x: number, y: number) => ArrayLike<number>;

function coverOf(image: RgbImage, box: Box, random: () => number): ColourAt {
  const kind = random();
  // The hairline is at about the upper edge of the box, the crown above it.
  if (kind < 0.75)
    return patch(image, box, { x: box.x + 0.2 * box.width, y: box.y - 0.16 * box.height, ...shareOf(box, 0.6, 0.2) });
  const beside = random() < 0.5 ? box.x - 0.7 * box.width : box.x + 1.2 * box.width;
  return patch(image, box, { x: beside, y: box.y, ...shareOf(box, 0.5, 0.8) });
}

function shareOf({ width, height }: Box, across: number, down: number): { width: number; height: number } {
  return { width: across * width, height: down * height };
}

/** Part of the picture stretched over the cover, mirrored at the picture's edges. */
function patch({ rgb, width, height }: RgbImage, box: Box, from: Box): ColourAt {
  return (x, y) => {
    const u = from.x + ((x - box.x) / box.width) * from.width;
    const v = from.y + ((y - box.y) / box.height) * from.height;
    const at = (mirrored(Math.round(v), height) * width + mirrored(Math.round(u), width)) * 3;
    return rgb.subarray(at, at + 3);
  };
}

function mirrored(at: number, extent: number): number {
  const inside = at < 0 ? -at : at >= extent ? 2 * (extent - 1) - at : at;
  return Math.min(extent - 1, Math.max(0, inside));
}
