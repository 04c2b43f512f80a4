import type { Landmarks } from '../landmarks.ts';
import { smear } from './blur.ts';
import type { FaceFrame } from './face-frame.ts';
import { plus, scaled } from './face-frame.ts';
import type { FaceLight } from './face-light.ts';
import type { Layer } from './layer.ts';
import { polygonCoverage } from './raster.ts';
import { scratch } from './scratch.ts';

/** How dark the shadow is, how far it falls and how soft it is, in widths of the face. */
const SHADOW = 0.42;
const FALL = 0.018;
const SOFT = 0.016;

const shadowFor = scratch((length) => new Float32Array(length));

/**
 * The shadow that falls on the skin beside what is painted, away from the light: the share of light that is lost at each
 * pixel of the layer. On the skin only: where the background begins it would fall a room away. Good until the next one.
 */
export function shadowOf(layer: Layer, face: FaceFrame, landmarks: Landmarks, light: FaceLight): Float32Array {
  const { window } = layer;
  const fall = FALL * face.width;
  const shift = plus(scaled(face.down, fall), scaled(face.across, -fall * Math.max(-1, Math.min(1, light.across * 2))));
  const dx = Math.round(shift.x);
  const dy = Math.round(shift.y);
  const cover = layer.coverage();
  const { width, height } = window;
  const shadow = shadowFor(cover.length);
  shadow.set(cover);
  // What is painted casts its coverage to the side and down, where that is more than what is painted there.
  const [left, right] = [Math.max(0, dx), Math.min(width, width + dx)];
  for (let y = Math.max(0, dy); y < Math.min(height, height + dy); y++) {
    const row = y * width;
    const from = (y - dy) * width - dx;
    for (let x = left; x < right; x++) {
      const cast = cover[from + x] as number;
      if (cast > (shadow[row + x] as number)) shadow[row + x] = cast;
    }
  }
  smear(shadow, window, SOFT * face.width);
  const skin = polygonCoverage([...landmarks.slice(0, 17), ...landmarks.slice(17, 27).reverse()], window);
  for (let pixel = 0; pixel < shadow.length; pixel++) {
    shadow[pixel] = SHADOW * (shadow[pixel] as number) * (skin[pixel] as number);
  }
  return shadow;
}
