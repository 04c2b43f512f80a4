import { type Disc, discEdge, type Strap } from './attachments.ts';
import { decay } from './decay.ts';
import { linearOf } from './fabric.ts';
import type { FaceLight } from './face-light.ts';
import type { Layer, Shader } from './layer.ts';

/** Steps in which the wall of a disc is painted, and how bright it is at its foot and further up. */
const WALL = { steps: 5, foot: 0.3, rise: 0.08 } as const;

/** Paints a band; it lies flat on the side of the face. */
export function paintStrap(layer: Layer, { polygon, colour, side }: Strap, light: FaceLight): void {
  const shade = light.shade([side * 0.6, 0.1, 0.79]);
  const base = linearOf(colour, light.saturation);
  const values = base.map((value, channel) => value * (shade[channel] ?? 1) * (light.strength[channel] ?? 1));
  layer.paint(polygon, flat(values));
}

/** A short cylinder: its wall, darker the further down, then its face with rings. */
export function paintDisc(layer: Layer, disc: Disc, light: FaceLight): void {
  const base = linearOf(disc.colour, light.saturation);
  const shade = light.shade(disc.normal);
  const lit = base.map((value, channel) => value * (shade[channel] ?? 1) * (light.strength[channel] ?? 1));
  for (let step = 0; step < WALL.steps; step++) {
    const dimmed = lit.map((value) => value * (WALL.foot + WALL.rise * step));
    layer.paint(discEdge(disc, step / WALL.steps), flat(dimmed));
  }
  const { top, slant, radius, shortening, kind } = disc;
  const slots = kind === 'valve' ? 6 : 14;
  layer.paint(discEdge(disc, 1), (left, y, count, out) => {
    for (let pixel = 0; pixel < count; pixel++) {
      const [dx, dy] = [left + pixel - top.x, y - top.y];
      const a = (dx * slant.x + dy * slant.y) / (radius * shortening);
      const b = (dy * slant.x - dx * slant.y) / radius;
      const from = Math.hypot(a, b);
      const rim = 0.22 * decay(((from - 0.9) / 0.07) ** 2) - 0.25 * decay(((from - 0.74) / 0.06) ** 2);
      const slot = from > 0.28 && from < 0.66 ? 0.16 * Math.cos(Math.atan2(b, a) * slots) : 0;
      const brightness = 1 + rim + slot - 0.15 * b;
      for (let channel = 0; channel < 3; channel++) out[pixel * 3 + channel] = (lit[channel] ?? 0) * brightness;
    }
  });
}

function flat(values: readonly number[]): Shader {
  return (_x, _y, count, out) => {
    for (let at = 0; at < count * 3; at++) out[at] = values[at % 3] ?? 0;
  };
}
