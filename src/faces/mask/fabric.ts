import type { MaskSpec, Rgb } from './mask-spec.ts';
import { type Pattern, patternOf } from './pattern.ts';
import { toLinear } from './srgb.ts';
import { smoothNoise } from './texture-noise.ts';

/**
 * What the mask reflects at a place on it: writes red, green and blue (linear, share of the light that a white surface
 * there would send back) to `out`. `u` -1..1 from seam to seam, `v` 0..1 from the upper edge to the hem.
 */
export type Fabric = (u: number, v: number, out: Float32Array) => void;

/** The surface of a mask. */
export interface FabricView {
  /** Half its breadth over its height. */
  readonly aspect: number;
  /** Size of a pixel of the picture, in heights of the mask: what is finer is left out. */
  readonly texel: number;
  /** 0 in a picture without colour. */
  readonly saturation: number;
}

/** Relief of a type: how much brighter or darker than flat cloth, 1 is as bright. */
type Relief = (u: number, v: number, place: Place) => number;

interface Place {
  readonly seed: number;
  readonly aspect: number;
  /** 1 when details of 0.01 can be seen, 0 when they are lost between pixels. */
  readonly fine: number;
}

/** Makes the surface of a mask. */
export function fabricOf(spec: MaskSpec, view: FabricView): Fabric {
  const base = linearOf(spec.colour, view.saturation);
  const print = linearOf(spec.patternColour, view.saturation);
  const pattern: Pattern = patternOf(spec.pattern, view.texel, spec.seed);
  const relief = RELIEFS[spec.type];
  const place: Place = {
    seed: (spec.seed % 8191) / 61,
    aspect: view.aspect,
    fine: Math.max(0, Math.min(1, 1.6 - view.texel * 60)),
  };
  const plain = spec.pattern === 'plain';
  // Dark cloth shows its creases less by shadow than by sheen: what little it reflects must not vanish altogether.
  const depth = 0.55 + 0.45 * Math.min(1, (base[1] + 0.02) * 4);
  return (u, v, out) => {
    const brightness = 1 + (relief(u, v, place) - 1) * depth;
    const share = plain ? 0 : pattern(u * view.aspect, v);
    out[0] = Math.max(0, brightness * (base[0] + (print[0] - base[0]) * share));
    out[1] = Math.max(0, brightness * (base[1] + (print[1] - base[1]) * share));
    out[2] = Math.max(0, brightness * (base[2] + (print[2] - base[2]) * share));
  };
}

/** What a colour reflects; greyer where the picture has little colour. */
export function linearOf(colour: Rgb, saturation: number): [number, number, number] {
  const [red, green, blue] = colour.map((value) => toLinear(Math.round(value))) as [number, number, number];
  const grey = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  const mixed = (value: number) => grey + (value - grey) * saturation;
  return [mixed(red), mixed(green), mixed(blue)];
}

const PLEATS = [0.25, 0.45, 0.65] as const;

const RELIEFS: Readonly<Record<MaskSpec['type'], Relief>> = {
  /** Three pleats that lie flat at the seams and open over nose and mouth; hems; a wire over the nose. */
  surgical: (u, v, place) => {
    const side = Math.abs(u);
    let relief = creases(u, v, place, 0.14) + fleece(u, v, place, 0.025);
    for (let index = 0; index < PLEATS.length; index++) {
      const height = PLEATS[index] as number;
      const waver = 0.008 * smoothNoise(u * 2.5 + place.seed, index * 9.7);
      const fold = 0.5 + (height - 0.5) * (1 - 0.16 * u * u) + waver;
      const below = v - fold;
      // The upper layer lies over the lower one: its edge catches light, and shades what is under it.
      if (below > 0) relief -= 0.36 * Math.exp(-below / 0.035);
      else relief += 0.1 * Math.exp(below / 0.06);
    }
    relief -= groove(v - 0.065, 0.009, place) * 0.14 + groove(v - 0.945, 0.009, place) * 0.14;
    relief -= groove(side - 0.93, 0.01, place) * 0.14;
    // Where the pleats are sewn together the cloth is bunched.
    relief += 0.05 * smoothNoise(u * 4 + place.seed, v * 17 + 3 * u * u);
    if (side > 0.93) relief += 0.07;
    if (side > 0.72) relief -= 0.1 * ramp((side - 0.72) / 0.28) * (0.5 + 0.5 * Math.sin(v * 46 + place.seed));
    if (side < 0.4) relief += ridge(v - 0.035, 0.014, place) * 0.09;
    return 1 + relief;
  },

  /** Two halves welded together along the middle, folded flat before; weld lines along the edges. */
  kn95: (u, v, place) => {
    const side = Math.abs(u);
    const edge = Math.min(v, 1 - v, (1 - side) * place.aspect);
    let relief = creases(u, v, place, 0.075) + fleece(u, v, place, 0.02);
    relief -= groove(u, 0.012, place) * 0.12;
    relief += ridge(side - 0.025, 0.012, place) * 0.05;
    const stitch = 0.65 + 0.35 * Math.sin((side * place.aspect + v) * 120) * place.fine;
    relief -= groove(edge - 0.045, 0.012, place) * 0.14 * stitch;
    relief -= groove(side - (0.62 + 0.18 * v), 0.01, place) * 0.1 * stitch * place.fine;
    if (side < 0.36) relief += ridge(v - 0.075, 0.025, place) * 0.08;
    // A line or two of small print on one cheek.
    const written = u > 0.3 && u < 0.55 && (Math.abs(v - 0.5) < 0.012 || Math.abs(v - 0.56) < 0.01);
    if (written && smoothNoise(u * 90, place.seed) > -0.2) relief -= 0.35 * place.fine;
    return 1 + relief;
  },

  /** A moulded cup: a flat rim, a step, embossed ribs; a metal clip over the nose. */
  n95: (u, v, place) => {
    const round = Math.hypot(u, (v - 0.52) * 2);
    const edge = Math.min(v, 1 - v, (1 - Math.abs(u)) * place.aspect);
    let relief = fleece(u, v, place, 0.03) + 0.03 * smoothNoise(u * 3 + place.seed, v * 3);
    relief -= groove(edge - 0.075, 0.018, place) * 0.2;
    relief += ridge(edge - 0.11, 0.03, place) * 0.06;
    relief -= (groove(v - 0.34, 0.012, place) + groove(v - 0.74, 0.012, place)) * 0.1 * ramp((0.8 - round) / 0.2);
    if (Math.abs(u) < 0.42 && v > 0.035 && v < 0.095) relief -= 0.32 - 0.25 * smoothNoise(u * 7, 3);
    return 1 + relief;
  },

  /** Two or three layers sewn: a hem all round, a seam or darts, creases. */
  cloth: (u, v, place) => {
    const edge = Math.min(v, 1 - v, (1 - Math.abs(u)) * place.aspect);
    let relief = creases(u, v, place, 0.1) + weave(u, v, place);
    if (place.seed % 1 < 0.55) relief -= groove(u, 0.014, place) * 0.2;
    relief -= groove(edge - 0.05, 0.01, place) * 0.16;
    relief += ridge(edge - 0.022, 0.03, place) * 0.07;
    return 1 + relief;
  },

  /** Moulded rubber: a lip along the face, a body that stands out. */
  gas: (u, v, place) => {
    const edge = Math.min(v, 1 - v, (1 - Math.abs(u)) * place.aspect);
    let relief = 0.02 * smoothNoise(u * 4 + place.seed, v * 4);
    relief -= groove(edge - 0.09, 0.025, place) * 0.4;
    relief += ridge(edge - 0.045, 0.05, place) * 0.25;
    relief += ridge(u, 0.09, place) * 0.3 + ridge(edge - 0.16, 0.05, place) * 0.22;
    return 1 + relief;
  },
};

/** A dark line where `distance` is 0, `breadth` to either side. */
function groove(distance: number, breadth: number, place: Place): number {
  const d = distance / (breadth * (1.5 - 0.5 * place.fine));
  const square = d * d;
  return square > 9 ? 0 : Math.exp(-square);
}

/** A bright line: the lit flank of something raised. */
function ridge(distance: number, breadth: number, place: Place): number {
  return groove(distance + 0.3 * breadth, breadth, place) - 0.6 * groove(distance - 0.8 * breadth, breadth, place);
}

/** Cloth that is worn is creased, most where the ear loops pull at its corners. */
function creases(u: number, v: number, place: Place, depth: number): number {
  const side = Math.abs(u);
  let rays = 0;
  if (side > 0.25) {
    const pull = ((v - 0.5) / (1.25 - side)) * 5;
    rays = smoothNoise(pull + (u < 0 ? 11 : 31) + place.seed, side * 1.2) * ramp((side - 0.25) / 0.6);
  }
  const broad = smoothNoise(u * 2 + place.seed, v * 3.1 + 7);
  const small = smoothNoise(u * 7 + v * 3 + place.seed, v * 8);
  return depth * (0.8 * rays + 0.5 * broad + 0.3 * small);
}

/** The flecks of cloth that is pressed, not woven. */
function fleece(u: number, v: number, place: Place, depth: number): number {
  return place.fine <= 0 ? 0 : place.fine * depth * smoothNoise(u * 60 * place.aspect, v * 60);
}

function weave(u: number, v: number, place: Place): number {
  if (place.fine <= 0) return 0;
  return place.fine * 0.025 * (smoothNoise(u * 90 * place.aspect, v * 8) + smoothNoise(u * 8, v * 90));
}

function ramp(t: number): number {
  const held = Math.max(0, Math.min(1, t));
  return held * held * (3 - 2 * held);
}
