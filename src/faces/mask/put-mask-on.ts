import type { Size } from '../../core/geometry.ts';
import { seededRandom } from '../../core/seeded-random.ts';
import type { Landmarks } from '../landmarks.ts';
import { discEdge, discsOf, strapsOf } from './attachments.ts';
import { faceFrame } from './face-frame.ts';
import { measureLight } from './face-light.ts';
import { measureGrain } from './grain.ts';
import { Layer } from './layer.ts';
import { type DrawnMask, type MaskSpec, stateOf } from './mask-spec.ts';
import { maskSurface } from './mask-surface.ts';
import { paintDisc, paintStrap } from './paint-attachments.ts';
import { paintCloth } from './paint-cloth.ts';
import { randomMask } from './random-mask.ts';
import { type Window, windowAround } from './raster.ts';
import { shadowOf } from './shadow.ts';

export interface MaskedPicture {
  readonly rgb: Uint8Array;
  readonly mask: DrawnMask;
  /** The part outside of which nothing changed; null where nothing did. */
  readonly within: Window | null;
}

/** What coverage by the area of a pixel does to an edge already, as the deviation of a blur, pixels. */
const PIXEL_BLUR = 0.3;
/** Room around a mask for its blur and its shadow, pixels and widths of the face. */
const MARGIN_PX = 4;
const MARGIN = 0.06;

/**
 * Puts a mask on a face: drawn from nothing but its description, laid over the landmarks, in the light, sharpness and
 * noise of the picture. The same arguments give the same bytes.
 *
 * After Anwar & Raychowdhury, "Masked Face Recognition for Secure Authentication", 2020 (MaskTheFace), whose key points
 * it uses; there a photo of a mask is warped to them, here cloth is laid over a round head and lit.
 *
 * @param rgb       3 bytes a pixel, not changed
 * @param landmarks 68 points of iBUG, pixels of the picture; they may lie outside of it
 * @param mask      a description, or a seed from which one is drawn (random-mask.ts)
 * Throws RangeError when the bytes do not fill `size` or the landmarks are no face.
 */
export function putMaskOn(rgb: Uint8Array, size: Size, landmarks: Landmarks, mask: MaskSpec | number): MaskedPicture {
  if (rgb.length !== size.width * size.height * 3) {
    throw new RangeError(`${rgb.length} bytes are not ${size.width}x${size.height} RGB pixels`);
  }
  const spec = typeof mask === 'number' ? randomMask(seededRandom(mask)) : mask;
  const face = faceFrame(landmarks);
  const surface = maskSurface(face, spec);
  const straps = strapsOf(face, spec, surface);
  const discs = discsOf(face, spec, surface);
  const attachments = [
    ...straps.map(({ polygon }) => polygon),
    ...discs.flatMap((disc) => [discEdge(disc, 0), discEdge(disc, 1)]),
  ];
  const masked = new Uint8Array(rgb);
  const drawn: DrawnMask = {
    type: spec.type,
    fit: spec.fit,
    state: stateOf(spec.fit),
    colour: spec.colour,
    pattern: spec.pattern,
    polygon: surface.outline,
    attachments,
  };
  const window = windowAround([...surface.outline, ...attachments.flat()], MARGIN_PX + MARGIN * face.width, size);
  if (!window) return { rgb: masked, mask: drawn, within: null };

  const light = measureLight(rgb, size, face);
  const grain = measureGrain(rgb, size, window);
  const layer = new Layer(window);
  for (const strap of straps) paintStrap(layer, strap, light);
  paintCloth(layer, spec, surface, light);
  for (const disc of discs) paintDisc(layer, disc, light);
  layer.soften(Math.sqrt(Math.max(0, grain.blur ** 2 - PIXEL_BLUR ** 2)));
  const shadow = shadowOf(layer, face, landmarks, light);
  layer.over(masked, size, shadow, grain.noise, spec.seed);
  return { rgb: masked, mask: drawn, within: window };
}
