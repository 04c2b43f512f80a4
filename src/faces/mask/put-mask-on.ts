import type { Point, Size } from '../../core/geometry.ts';
import { seededRandom } from '../../core/seeded-random.ts';
import type { Landmarks } from '../landmarks.ts';
import { type Disc, discEdge, discsOf, type Strap, strapsOf } from './attachments.ts';
import { fabricOf, linearOf } from './fabric.ts';
import { type FaceFrame, faceFrame, minus, plus, scaled, unit } from './face-frame.ts';
import { type FaceLight, measureLight } from './face-light.ts';
import { measureGrain } from './grain.ts';
import { Layer, type Shader } from './layer.ts';
import { type DrawnMask, type MaskSpec, stateOf } from './mask-spec.ts';
import { type MaskSurface, maskSurface, type SurfacePoint } from './mask-surface.ts';
import { randomMask } from './random-mask.ts';
import { type Corner, interpolateMesh, polygonCoverage, smear, windowAround } from './raster.ts';

export interface MaskedPicture {
  readonly rgb: Uint8Array;
  readonly mask: DrawnMask;
}

/** How dark the mask's shadow on the skin is, how far it falls and how soft it is, in widths of the face. */
const SHADOW = 0.42;
const SHADOW_FALL = 0.018;
const SHADOW_SOFT = 0.016;

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
  const window = windowAround([...surface.outline, ...attachments.flat()], 4 + 0.06 * face.width, size);
  if (!window) return { rgb: masked, mask: drawn };

  const light = measureLight(rgb, size, face);
  const grain = measureGrain(rgb, size, window);
  const layer = new Layer(window);
  for (const strap of straps) paintStrap(layer, strap, light);
  paintBody(layer, spec, surface, face, light);
  for (const disc of discs) paintDisc(layer, disc, light);
  layer.soften(Math.sqrt(Math.max(0, grain.blur ** 2 - 0.3 ** 2)));
  const shadow = shadowOf(layer, face, landmarks, light);
  layer.over(masked, size, shadow, grain.noise, spec.seed);
  return { rgb: masked, mask: drawn };
}

function paintBody(layer: Layer, spec: MaskSpec, surface: MaskSurface, face: FaceFrame, light: FaceLight): void {
  const { window } = layer;
  const pixels = window.width * window.height;
  const planes = Array.from({ length: 6 }, () => new Float32Array(pixels));
  const corners = withSkirt(surface, (point) => {
    const shade = light.shade(point.normal);
    return [
      point.u,
      point.v,
      ...light.strength.map((value, channel) => value * (shade[channel] ?? 1)),
      gloss(spec, point, light),
    ];
  });
  interpolateMesh(corners, surface.columns + 2, surface.rows + 2, window, planes);
  const [us, vs, red, green, blue, shine] = planes;
  const fabric = fabricOf(spec, {
    aspect: surface.aspect,
    texel: 1 / (face.height * 0.95),
    saturation: light.saturation,
  });
  layer.paint(surface.outline, (pixel, _x, _y, out) => {
    fabric(us?.[pixel] ?? 0, vs?.[pixel] ?? 0, out);
    const sheen = shine?.[pixel] ?? 0;
    out[0] = (out[0] ?? 0) * (red?.[pixel] ?? 0) + sheen;
    out[1] = (out[1] ?? 0) * (green?.[pixel] ?? 0) + sheen;
    out[2] = (out[2] ?? 0) * (blue?.[pixel] ?? 0) + sheen;
  });
}

/** Rubber shines, cloth does not, but for a little at a grazing light: black cloth is never wholly black. */
function gloss(spec: MaskSpec, { normal: [across, down, near] }: SurfacePoint, light: FaceLight): number {
  const to = [0.45 * Math.sign(light.across || 1), -0.5, 1] as const;
  const half = Math.max(0, (across * to[0] + down * to[1] + near * (to[2] + 1)) / Math.hypot(to[0], to[1], to[2] + 1));
  const sharp = spec.type === 'gas' ? 0.16 * half ** 24 : 0;
  return (sharp + 0.012 * (1 - near)) * light.strength[1];
}

/** The mesh with a rim of a pixel and a half, so that pixels which the edge cuts have values too. */
function withSkirt({ points, columns, rows }: MaskSurface, valuesOf: (point: SurfacePoint) => number[]): Corner[] {
  const count = columns + 1;
  const values = points.map(valuesOf);
  const held = (value: number, last: number) => Math.max(0, Math.min(last, value));
  const corners: Corner[] = [];
  for (let row = -1; row <= rows + 1; row++) {
    for (let column = -1; column <= columns + 1; column++) {
      const index = held(row, rows) * count + held(column, columns);
      const inner = held(row, rows - 1) * 0 + held(row, rows) * count + held(column, columns);
      const at = points[index] as SurfacePoint;
      let place: Point = at;
      if (row < 0 || row > rows || column < 0 || column > columns) {
        const inside = points[
          held(row, rows) * count +
            held(column, columns) +
            (row < 0 ? count : row > rows ? -count : 0) +
            (column < 0 ? 1 : column > columns ? -1 : 0)
        ] as SurfacePoint;
        const step = minus(at, inside);
        place = Math.hypot(step.x, step.y) > 1e-6 ? plus(at, scaled(unit(step), 1.5)) : at;
      }
      corners.push({ x: place.x, y: place.y, values: values[inner] ?? [] });
    }
  }
  return corners;
}

function paintStrap(layer: Layer, { polygon, colour, side }: Strap, light: FaceLight): void {
  const shade = light.shade([side * 0.6, 0.1, 0.79]);
  const base = linearOf(colour, light.saturation);
  const values = base.map((value, channel) => value * (shade[channel] ?? 1) * (light.strength[channel] ?? 1));
  layer.paint(polygon, flat(values));
}

/** A short cylinder: its wall, darker the further down, then its face with rings. */
function paintDisc(layer: Layer, disc: Disc, light: FaceLight): void {
  const base = linearOf(disc.colour, light.saturation);
  const shade = light.shade(disc.normal);
  const lit = base.map((value, channel) => value * (shade[channel] ?? 1) * (light.strength[channel] ?? 1));
  const steps = 5;
  for (let step = 0; step < steps; step++)
    layer.paint(discEdge(disc, step / steps), flat(lit.map((value) => value * (0.3 + 0.08 * step))));
  const { top, slant, radius, shortening, kind } = disc;
  const slots = kind === 'valve' ? 6 : 14;
  layer.paint(discEdge(disc, 1), (_pixel, x, y, out) => {
    const [dx, dy] = [x - top.x, y - top.y];
    const a = (dx * slant.x + dy * slant.y) / (radius * shortening);
    const b = (dy * slant.x - dx * slant.y) / radius;
    const from = Math.hypot(a, b);
    const rim = 0.22 * Math.exp(-(((from - 0.9) / 0.07) ** 2)) - 0.25 * Math.exp(-(((from - 0.74) / 0.06) ** 2));
    const slot = from > 0.28 && from < 0.66 ? 0.16 * Math.cos(Math.atan2(b, a) * slots) : 0;
    const brightness = 1 + rim + slot - 0.15 * b;
    for (let channel = 0; channel < 3; channel++) out[channel] = (lit[channel] ?? 0) * brightness;
  });
}

function flat(values: readonly number[]): Shader {
  return (_pixel, _x, _y, out) => {
    for (let channel = 0; channel < 3; channel++) out[channel] = values[channel] ?? 0;
  };
}

/** The shadow that falls on the skin beside the mask, away from the light. */
function shadowOf(layer: Layer, face: FaceFrame, landmarks: Landmarks, light: FaceLight): Float32Array {
  const { window } = layer;
  const fall = SHADOW_FALL * face.width;
  const shift = plus(scaled(face.down, fall), scaled(face.across, -fall * Math.max(-1, Math.min(1, light.across * 2))));
  const dx = Math.round(shift.x);
  const dy = Math.round(shift.y);
  const cover = layer.coverage();
  const shadow = new Float32Array(cover.length);
  const { width, height } = window;
  for (let y = 0, pixel = 0; y < height; y++) {
    const row = y - dy;
    for (let x = 0; x < width; x++, pixel++) {
      const from = x - dx;
      const cast = from < 0 || row < 0 || from >= width || row >= height ? 0 : (cover[row * width + from] ?? 0);
      shadow[pixel] = Math.max(cover[pixel] ?? 0, cast);
    }
  }
  smear(shadow, window, SHADOW_SOFT * face.width);
  const skin = polygonCoverage([...landmarks.slice(0, 17), ...landmarks.slice(17, 27).reverse()], window);
  for (let pixel = 0; pixel < shadow.length; pixel++)
    shadow[pixel] = SHADOW * (shadow[pixel] ?? 0) * (skin[pixel] ?? 0);
  return shadow;
}
