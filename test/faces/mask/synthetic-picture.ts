import type { Size } from '../../../src/core/geometry.ts';
import { seededRandom } from '../../../src/core/seeded-random.ts';

type Rgb = readonly [number, number, number];

export interface PictureOptions {
  readonly skin: Rgb;
  readonly background: Rgb;
  /** How much brighter the right edge of the picture is than the left, in shares of the colour. */
  readonly toTheRight: number;
  /** Deviation of normal noise, grey levels. */
  readonly noise: number;
}

export const SIZE: Size = { width: 220, height: 240 };

/** A picture for `syntheticLandmarks()` at (100, 100): an oval of skin on a plain background. */
export function syntheticPicture(options: Partial<PictureOptions> = {}): Uint8Array {
  const { skin, background, toTheRight, noise } = {
    skin: [205, 160, 135] as const,
    background: [90, 110, 100] as const,
    toTheRight: 0,
    noise: 0,
    ...options,
  };
  const random = seededRandom(7);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const rgb = new Uint8Array(SIZE.width * SIZE.height * 3);
  for (let y = 0; y < SIZE.height; y++) {
    for (let x = 0; x < SIZE.width; x++) {
      const face = ((x - 100) / 52) ** 2 + ((y - 112) / 66) ** 2 < 1;
      const light = 1 + toTheRight * (x / SIZE.width - 0.5);
      (face ? skin : background).forEach((value, channel) => {
        const level = value * light + (noise > 0 ? noise * normal() : 0);
        rgb[(y * SIZE.width + x) * 3 + channel] = Math.max(0, Math.min(255, Math.round(level)));
      });
    }
  }
  return rgb;
}
