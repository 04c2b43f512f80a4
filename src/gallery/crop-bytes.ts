import type { Point } from '../core/geometry.ts';
import type { FaceCrop } from './template.ts';

/**
 * A crop as it is stored: its pixels, then the marks it can be aligned by, 32-bit little-endian floats: x and y of the five points,
 * and of the bridge of the nose where there is one. Crops of earlier versions end with their pixels.
 */
export function cropBytes({ rgb, marks }: FaceCrop): Uint8Array {
  const points = marks ? [...marks.five, ...(marks.bridge ?? [])] : [];
  const bytes = new Uint8Array(rgb.length + points.length * 8);
  bytes.set(rgb);
  const view = new DataView(bytes.buffer, rgb.length);
  for (const [index, { x, y }] of points.entries()) {
    view.setFloat32(index * 8, x, true);
    view.setFloat32(index * 8 + 4, y, true);
  }
  return bytes;
}

/** The crop of {@link cropBytes}. Throws RangeError when the bytes are not those of a crop of that side. */
export function cropOf(bytes: Uint8Array, side: number): FaceCrop {
  const pixels = side * side * 3;
  const marks = (bytes.length - pixels) / 8;
  if (![0, 5, 7].includes(marks)) throw new RangeError(`a crop of ${side} pixels has ${bytes.length} bytes`);
  const rgb = new Uint8Array(bytes.subarray(0, pixels));
  if (marks === 0) return { side, rgb, marks: null };
  const view = new DataView(bytes.buffer, bytes.byteOffset + pixels, bytes.length - pixels);
  const at = (index: number): Point => ({
    x: view.getFloat32(index * 8, true),
    y: view.getFloat32(index * 8 + 4, true),
  });
  return {
    side,
    rgb,
    marks: { five: [at(0), at(1), at(2), at(3), at(4)], bridge: marks === 7 ? [at(5), at(6)] : null },
  };
}
