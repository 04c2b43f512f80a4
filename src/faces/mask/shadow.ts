import type { Landmarks } from '../landmarks.ts';
import { smear } from './blur.ts';
import type { FaceFrame } from './face-frame.ts';
import { plus, scaled } from './face-frame.ts';
import type { FaceLight } from './face-light.ts';
import type { Layer } from './layer.ts';
import { polygonCoverage } from './raster.ts';

/** How dark the shadow is, how far it falls and how soft it is, in widths of the face. */
const SHADOW = 0.42;
const FALL = 0.018;
const SOFT = 0.016;

/**
 * The shadow that falls on the skin beside what is painted, away from the light: the share of light that is lost at each
 * pixel of the layer. On the skin only: where the background begins it would fall a room away.
 */
export function shadowOf(layer: Layer, face: FaceFrame, landmarks: Landmarks, light: FaceLight): Float32Array {
  const { window } = layer;
  const fall = FALL * face.width;
  const shift = plus(scaled(face.down, fall), scaled(face.across, -fall * Math.max(-1, Math.min(1, light.across * 2))));
  const dx = Math.round(shift.x);
  const dy = Math.round(shift.y);
  const cover = layer.coverage();
  const shadow = new Float32Array(cover.length);
  const { width, height } = window;
  for (let y = 0, pixel = 0; y < height; y++) {
    const from = (y - dy) * width - dx;
    const within = y >= dy && y - dy < height;
    for (let x = 0; x < width; x++, pixel++) {
      const cast = within && x >= dx && x - dx < width ? (cover[from + x] as number) : 0;
      shadow[pixel] = Math.max(cover[pixel] as number, cast);
    }
  }
  smear(shadow, window, SOFT * face.width);
  const skin = polygonCoverage([...landmarks.slice(0, 17), ...landmarks.slice(17, 27).reverse()], window);
  for (let pixel = 0; pixel < shadow.length; pixel++) {
    shadow[pixel] = SHADOW * (shadow[pixel] as number) * (skin[pixel] as number);
  }
  return shadow;
}
