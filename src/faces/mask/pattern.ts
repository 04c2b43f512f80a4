import type { MaskPattern } from './mask-spec.ts';
import { smoothNoise } from './texture-noise.ts';

/** Share of the pattern's colour at a place on the cloth; x and y in heights of the mask. */
export type Pattern = (x: number, y: number) => number;

/**
 * A printed or woven pattern.
 *
 * @param texel size of a pixel of the picture on the cloth: edges are as soft as that
 * @param seed  shifts the pattern and sets its size
 */
export function patternOf(kind: MaskPattern, texel: number, seed: number): Pattern {
  const pitch = 0.07 + 0.06 * ((seed % 97) / 97);
  const shift = (seed % 1013) / 1013;
  const step = (distance: number) => Math.max(0, Math.min(1, distance / Math.max(texel * 1.4, 0.004) + 0.5));
  const nearest = (value: number) => Math.abs(value - Math.round(value / pitch) * pitch);
  switch (kind) {
    case 'plain':
      return () => 0;
    case 'stripes':
      return (x, y) => step(pitch * 0.24 - nearest(y + shift + 0.06 * x * x));
    case 'checks':
      return (x, y) => 0.5 * step(pitch * 0.25 - nearest(x + shift)) + 0.5 * step(pitch * 0.25 - nearest(y + shift));
    case 'dots':
      return (x, y) => {
        const odd = Math.round((y + shift) / pitch) & 1;
        return step(pitch * 0.24 - Math.hypot(nearest(x + odd * pitch * 0.5), nearest(y + shift)));
      };
    case 'flowers':
      return (x, y) => {
        const size = pitch * 2;
        const [column, row] = [Math.round(x / size), Math.round(y / size)];
        const dx = x - column * size - 0.3 * size * smoothNoise(column + shift * 50, row);
        const dy = y - row * size - 0.3 * size * smoothNoise(column, row + shift * 70);
        const radius = Math.hypot(dx, dy);
        const petals = 0.24 * size * (0.72 + 0.28 * Math.cos(5 * Math.atan2(dy, dx) + column + 2 * row));
        return step(petals - radius) * (1 - 0.7 * step(0.05 * size - radius));
      };
    case 'camouflage':
      return (x, y) => {
        const patch = smoothNoise(x * 7 + shift * 90, y * 7) + 0.5 * smoothNoise(x * 15, y * 15 + shift * 40);
        return 0.55 * step((patch - 0.1) * 0.1) + 0.45 * step((patch - 0.75) * 0.1);
      };
  }
}
