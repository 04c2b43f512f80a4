import { between } from './sampler.ts';
import type { RgbImage } from './warp.ts';

const CHANNELS = 3;
/** Largest change of exposure, stops: rather darker, as a face with the light behind it. */
const STOPS = { down: 2, up: 0.8 } as const;
/** Largest logarithm of the camera's gamma against the picture's. */
const GAMMA = 0.5;
/** Largest share by which one side is brighter, and the other darker, than the middle. */
const SIDE = 0.6;
/** Largest share of a veil of stray light, and how bright it is. */
const VEIL = { share: 0.6, from: 80, to: 255 } as const;

/**
 * A picture in other light: darker or brighter, lit from one side, by a camera with another gamma, and veiled as when the sun stands
 * behind somebody in a doorway. What is clipped stays lost.
 *
 * @param random numbers in 0..1; the same numbers give the same picture
 */
export function relight({ rgb, width, height }: RgbImage, random: () => number): RgbImage {
  const exposure = 2 ** (random() < 0.5 ? -STOPS.down * random() : STOPS.up * random());
  const gamma = Math.exp(between(-GAMMA, GAMMA, random));
  const strength = SIDE * random();
  const direction = 2 * Math.PI * random();
  const [across, down] = [strength * Math.cos(direction), strength * Math.sin(direction)];
  const veil = VEIL.share * random() ** 2;
  const veiled = veil * between(VEIL.from, VEIL.to, random);
  const seen = Uint8Array.from({ length: 256 }, (_, value) => 255 * (1 - veil) * (value / 255) ** gamma + veiled + 0.5);
  const out = new Uint8Array(rgb.length);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const light = exposure * (1 + across * ((2 * x) / width - 1) + down * ((2 * y) / height - 1));
      for (let channel = 0; channel < CHANNELS; channel++, at++) {
        out[at] = seen[Math.min(255, Math.round((rgb[at] ?? 0) * light))] ?? 0;
      }
    }
  }
  return { rgb: out, width, height };
}
