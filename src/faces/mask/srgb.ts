/** The sRGB transfer curve (IEC 61966-2-1): light adds and multiplies in linear values only. */

/** Both tables hold what a float of 32 bits holds; as such they would have to be converted at each look. */
const LINEAR = Float64Array.from({ length: 256 }, (_, byte) => {
  const value = byte / 255;
  return Math.fround(value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
});
const STEPS = 4096;
const ENCODED = Float64Array.from({ length: STEPS + 1 }, (_, step) => {
  const value = step / STEPS;
  return Math.fround(255 * (value <= 0.0031308 ? value * 12.92 : 1.055 * value ** (1 / 2.4) - 0.055));
});

/** Linear light, 0..1, of an sRGB byte. */
export function toLinear(byte: number): number {
  return LINEAR[byte & 255] as number;
}

/** sRGB, 0 to 255, of linear light; what is over 1 is white. */
export function toSrgb(linear: number): number {
  if (linear <= 0) return 0;
  if (linear >= 1) return 255;
  const position = linear * STEPS;
  const step = position | 0;
  const low = ENCODED[step] as number;
  return low + ((ENCODED[step + 1] as number) - low) * (position - step);
}
