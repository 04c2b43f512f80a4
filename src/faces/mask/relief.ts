import { decay } from './decay.ts';
import type { MaskType } from './mask-spec.ts';
import { noiseLine, noiseOn, smoothNoise } from './texture-noise.ts';

/**
 * Pixels of cloth that lie side by side in the picture. What is made of them is made for all at a time, one thing after the
 * other: a call for each pixel costs more than most of what is computed in it.
 */
export interface ClothRow {
  /** How many; the arrays may be longer. */
  count: number;
  /** Places on the cloth: -1..1 from seam to seam, 0..1 from the upper edge to the hem. */
  readonly us: Float64Array;
  readonly vs: Float64Array;
  /** How much brighter or darker than flat cloth, 1 is as bright. */
  readonly relief: Float64Array;
}

/** What the relief of a mask depends on. */
export interface ReliefPlace {
  readonly seed: number;
  readonly aspect: number;
  /** 1 when details of 0.01 can be seen, 0 when they are lost between pixels. */
  readonly fine: number;
  /** How much broader lines are than they would be if all of them could be seen. */
  readonly blunt: number;
}

/** Writes the relief of a row. */
export type Relief = (row: ClothRow, place: ReliefPlace) => void;

const PLEATS = [0.25, 0.45, 0.65] as const;
/** The noise by which they waver, each another. */
const WAVERS = 9.7;

export const RELIEFS: Readonly<Record<MaskType, Relief>> = {
  /** Three pleats that lie flat at the seams and open over nose and mouth; hems; a wire over the nose. */
  surgical: (row, place) => {
    creases(row, place, 0.14);
    fleece(row, place, 0.025);
    for (const [index, height] of PLEATS.entries()) pleat(row, place, height, noiseLine(index * WAVERS));
    const { count, us, vs, relief } = row;
    for (let at = 0; at < count; at++) {
      const u = us[at] as number;
      const v = vs[at] as number;
      const side = Math.abs(u);
      let value = relief[at] as number;
      value -= groove(v - 0.065, 0.009, place) * 0.14 + groove(v - 0.945, 0.009, place) * 0.14;
      value -= groove(side - 0.93, 0.01, place) * 0.14;
      // Where the pleats are sewn together the cloth is bunched.
      value += 0.05 * smoothNoise(u * 4 + place.seed, v * 17 + 3 * u * u);
      if (side > 0.93) value += 0.07;
      if (side > 0.72) value -= 0.1 * ramp((side - 0.72) / 0.28) * (0.5 + 0.5 * Math.sin(v * 46 + place.seed));
      if (side < 0.4) value += ridge(v - 0.035, 0.014, place) * 0.09;
      relief[at] = 1 + value;
    }
  },

  /** Two halves welded together along the middle, folded flat before; weld lines along the edges. */
  kn95: (row, place) => {
    creases(row, place, 0.075);
    fleece(row, place, 0.02);
    const { count, us, vs, relief } = row;
    for (let at = 0; at < count; at++) {
      const u = us[at] as number;
      const v = vs[at] as number;
      const side = Math.abs(u);
      const edge = edgeAt(side, v, place);
      let value = relief[at] as number;
      value -= groove(u, 0.012, place) * 0.12;
      value += ridge(side - 0.025, 0.012, place) * 0.05;
      const along = groove(edge - 0.045, 0.012, place) * 0.14;
      const across = groove(side - (0.62 + 0.18 * v), 0.01, place) * 0.1;
      if (along > 0 || across > 0) {
        const stitch = 0.65 + 0.35 * Math.sin((side * place.aspect + v) * 120) * place.fine;
        value -= along * stitch;
        value -= across * stitch * place.fine;
      }
      if (side < 0.36) value += ridge(v - 0.075, 0.025, place) * 0.08;
      // A line or two of small print on one cheek.
      const written = u > 0.3 && u < 0.55 && (Math.abs(v - 0.5) < 0.012 || Math.abs(v - 0.56) < 0.01);
      if (written && smoothNoise(u * 90, place.seed) > -0.2) value -= 0.35 * place.fine;
      relief[at] = 1 + value;
    }
  },

  /** A moulded cup: a flat rim, a step, embossed ribs; a metal clip over the nose. */
  n95: (row, place) => {
    const { count, us, vs, relief } = row;
    relief.fill(0, 0, count);
    fleece(row, place, 0.03);
    for (let at = 0; at < count; at++) {
      const u = us[at] as number;
      const v = vs[at] as number;
      const edge = edgeAt(Math.abs(u), v, place);
      let value = (relief[at] as number) + 0.03 * smoothNoise(u * 3 + place.seed, v * 3);
      value -= groove(edge - 0.075, 0.018, place) * 0.2;
      value += ridge(edge - 0.11, 0.03, place) * 0.06;
      const ribs = groove(v - 0.34, 0.012, place) + groove(v - 0.74, 0.012, place);
      if (ribs > 0) value -= ribs * 0.1 * ramp((0.8 - Math.hypot(u, (v - 0.52) * 2)) / 0.2);
      if (Math.abs(u) < 0.42 && v > 0.035 && v < 0.095) value -= 0.32 - 0.25 * smoothNoise(u * 7, 3);
      relief[at] = 1 + value;
    }
  },

  /** Two or three layers sewn: a hem all round, a seam or darts, creases. */
  cloth: (row, place) => {
    creases(row, place, 0.1);
    weave(row, place);
    const { count, us, vs, relief } = row;
    const seamed = place.seed % 1 < 0.55;
    for (let at = 0; at < count; at++) {
      const u = us[at] as number;
      const v = vs[at] as number;
      const edge = edgeAt(Math.abs(u), v, place);
      let value = relief[at] as number;
      if (seamed) value -= groove(u, 0.014, place) * 0.2;
      value -= groove(edge - 0.05, 0.01, place) * 0.16;
      value += ridge(edge - 0.022, 0.03, place) * 0.07;
      relief[at] = 1 + value;
    }
  },

  /** Moulded rubber: a lip along the face, a body that stands out. */
  gas: ({ count, us, vs, relief }, place) => {
    for (let at = 0; at < count; at++) {
      const u = us[at] as number;
      const v = vs[at] as number;
      const edge = edgeAt(Math.abs(u), v, place);
      let value = 0.02 * smoothNoise(u * 4 + place.seed, v * 4);
      value -= groove(edge - 0.09, 0.025, place) * 0.4;
      value += ridge(edge - 0.045, 0.05, place) * 0.25;
      value += ridge(u, 0.09, place) * 0.3 + ridge(edge - 0.16, 0.05, place) * 0.22;
      relief[at] = 1 + value;
    }
  },
};

/** A pleat: the upper layer lies over the lower one, its edge catches light, and shades what is under it. */
function pleat({ count, us, vs, relief }: ClothRow, place: ReliefPlace, height: number, wavers: Float64Array): void {
  const seed = place.seed;
  const off = height - 0.5;
  for (let at = 0; at < count; at++) {
    const u = us[at] as number;
    const fold = 0.5 + off * (1 - 0.16 * u * u) + 0.008 * noiseOn(wavers, u * 2.5 + seed);
    const below = (vs[at] as number) - fold;
    const under = below > 0;
    relief[at] = (relief[at] as number) + (under ? -0.36 : 0.1) * decay(below * (under ? 1 / 0.035 : -1 / 0.06));
  }
}

/** A dark line where `distance` is 0, `breadth` to either side. Most pixels lie beside most lines. */
function groove(distance: number, breadth: number, { blunt }: ReliefPlace): number {
  const half = breadth * blunt;
  return Math.abs(distance) > 3 * half ? 0 : bell(distance / half);
}

function bell(distance: number): number {
  return decay(distance * distance);
}

/** A bright line: the lit flank of something raised. */
function ridge(distance: number, breadth: number, place: ReliefPlace): number {
  return groove(distance + 0.3 * breadth, breadth, place) - 0.6 * groove(distance - 0.8 * breadth, breadth, place);
}

/** Begins with cloth that is worn: it is creased, most where the ear loops pull at its corners. */
function creases({ count, us, vs, relief }: ClothRow, { seed }: ReliefPlace, depth: number): void {
  for (let at = 0; at < count; at++) {
    const u = us[at] as number;
    const v = vs[at] as number;
    const side = Math.abs(u);
    let rays = 0;
    if (side > 0.25) {
      const pull = ((v - 0.5) / (1.25 - side)) * 5;
      rays = smoothNoise(pull + (u < 0 ? 11 : 31) + seed, side * 1.2) * ramp((side - 0.25) * (1 / 0.6));
    }
    const broad = smoothNoise(u * 2 + seed, v * 3.1 + 7);
    const small = smoothNoise(u * 7 + v * 3 + seed, v * 8);
    relief[at] = depth * (0.8 * rays + 0.5 * broad + 0.3 * small);
  }
}

/** Adds the flecks of cloth that is pressed, not woven. */
function fleece({ count, us, vs, relief }: ClothRow, { fine, aspect }: ReliefPlace, depth: number): void {
  if (fine <= 0) return;
  for (let at = 0; at < count; at++) {
    const flecks = smoothNoise((us[at] as number) * 60 * aspect, (vs[at] as number) * 60);
    relief[at] = (relief[at] as number) + fine * depth * flecks;
  }
}

/** Adds the threads of cloth that is woven. */
function weave({ count, us, vs, relief }: ClothRow, { fine, aspect }: ReliefPlace): void {
  if (fine <= 0) return;
  for (let at = 0; at < count; at++) {
    const u = us[at] as number;
    const v = vs[at] as number;
    const threads = smoothNoise(u * 90 * aspect, v * 8) + smoothNoise(u * 8, v * 90);
    relief[at] = (relief[at] as number) + fine * 0.025 * threads;
  }
}

/** How far the nearest edge is. Comparisons: Math.min takes longer, for the sake of what is no number. */
function edgeAt(side: number, v: number, { aspect }: ReliefPlace): number {
  const hem = v < 0.5 ? v : 1 - v;
  const seam = (1 - side) * aspect;
  return seam < hem ? seam : hem;
}

function ramp(t: number): number {
  if (t <= 0) return 0;
  return t >= 1 ? 1 : t * t * (3 - 2 * t);
}
