import type { MaskSpec, Rgb } from './mask-spec.ts';
import { type Pattern, patternOf } from './pattern.ts';
import { type ClothRow, RELIEFS, type ReliefPlace } from './relief.ts';
import { toLinear } from './srgb.ts';

/**
 * What the mask reflects along a row of pixels: writes red, green and blue of each (linear, share of the light that a white
 * surface there would send back) to `out`, and its relief to the row.
 */
export type Fabric = (row: ClothRow, out: Float32Array) => void;

/** The surface of a mask. */
export interface FabricView {
  /** Half its breadth over its height. */
  readonly aspect: number;
  /** Size of a pixel of the picture, in heights of the mask: what is finer is left out. */
  readonly texel: number;
  /** 0 in a picture without colour. */
  readonly saturation: number;
}

/** Makes the surface of a mask. */
export function fabricOf(spec: MaskSpec, view: FabricView): Fabric {
  const base = linearOf(spec.colour, view.saturation);
  const print = linearOf(spec.patternColour, view.saturation);
  const pattern: Pattern = patternOf(spec.pattern, view.texel, spec.seed);
  const reliefOf = RELIEFS[spec.type];
  const fine = Math.max(0, Math.min(1, 1.6 - view.texel * 60));
  const place: ReliefPlace = { seed: (spec.seed % 8191) / 61, aspect: view.aspect, fine, blunt: 1.5 - 0.5 * fine };
  const plain = spec.pattern === 'plain';
  // Dark cloth shows its creases less by shadow than by sheen: what little it reflects must not vanish altogether.
  const depth = 0.55 + 0.45 * Math.min(1, (base[1] + 0.02) * 4);
  const [red, green, blue] = base;
  const [toRed, toGreen, toBlue] = [print[0] - red, print[1] - green, print[2] - blue];
  return (row, out) => {
    reliefOf(row, place);
    const { count, us, vs, relief } = row;
    for (let at = 0, to = 0; at < count; at++, to += 3) {
      const lit = 1 + ((relief[at] as number) - 1) * depth;
      const brightness = lit > 0 ? lit : 0;
      const share = plain ? 0 : pattern((us[at] as number) * view.aspect, vs[at] as number);
      out[to] = brightness * (red + toRed * share);
      out[to + 1] = brightness * (green + toGreen * share);
      out[to + 2] = brightness * (blue + toBlue * share);
    }
  };
}

/** What a colour reflects; greyer where the picture has little colour. */
export function linearOf(colour: Rgb, saturation: number): [number, number, number] {
  const [red, green, blue] = colour.map((value) => toLinear(Math.round(value))) as [number, number, number];
  const grey = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  const mixed = (value: number) => grey + (value - grey) * saturation;
  return [mixed(red), mixed(green), mixed(blue)];
}
