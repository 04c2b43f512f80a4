import type { Size } from '../../core/geometry.ts';
import { selected } from '../../core/select.ts';
import { dot, type FaceFrame, plus, scaled } from './face-frame.ts';
import { toLinear } from './srgb.ts';

type Triple = readonly [red: number, green: number, blue: number];

/**
 * The light on a face, from its own pixels. `strength` is how bright a perfectly white surface that faces the camera
 * would be (linear, 1 is the sensor's white); `shade` what a surface gets that faces elsewhere, as a share of that.
 */
export interface FaceLight {
  readonly strength: Triple;
  shade(normal: Normal): Triple;
  /** Where the light comes from: brighter to the right, brighter to the chin; shares. */
  readonly across: number;
  readonly down: number;
  /** 0 in a picture without colour, 1 in a usual one. */
  readonly saturation: number;
}

/** Samples a side, over the face. */
const SAMPLES = 28;
const PASSES = 3;
/** Skin reflects this much of white light on average over mankind; most of what a camera exposes for. */
const SKIN_LUMINANCE = 0.36;
const SKIN_RED_TO_GREEN = 1.75;
const SKIN_BLUE_TO_GREEN = 0.7;
/** Where a camera puts white, linear. */
const USUAL_WHITE = 1;
/** Over the sensor's white it is only seen where the cloth is shaded. */
const BRIGHTEST_WHITE = 1.12;
/** Weight of the skin against that habit: skin may be dark in good light. */
const TRUST_IN_SKIN = 0.62;
const TRUST_IN_CAST = 0.36;
const TRUST_IN_COLOUR = 0.4;
/** Shares between which shade stays: no cloth is black on its lee side, since light comes from everywhere a little. */
const DARKEST = 0.34;
const BRIGHTEST = 1.35;
/** What a face hides from its own pixels: its lower half gets less light from above than the fit can tell. */
const SKY_LEAST = 0.66;
const SKY_DOWN = -0.4;
const SKY_NEAR = 0.92;

/**
 * Measures the light on a face. First-order spherical harmonics (Basri & Jacobs, "Lambertian reflectance and linear
 * subspaces", PAMI 2003) fitted to the pixels of an ellipsoid in place of the face, with little weight for what does not
 * fit (eyes, beard, hair). Strength and colour cast are a compromise between what skin usually reflects, the brightest
 * of the eyes, and how cameras expose: a single picture does not tell light from skin.
 *
 * @param rgb 3 bytes a pixel
 */
export function measureLight(rgb: Uint8Array, size: Size, face: FaceFrame): FaceLight {
  const samples = faceSamples(rgb, size, face);
  const { count, colours, bases } = samples;
  const weights = new Float64Array(count).fill(1);
  let fit = fitShade(samples, weights);
  for (let pass = 1; pass < PASSES; pass++) {
    const [level, toRight, toChin, toFront] = fit.luminance;
    const errors = new Float64Array(count);
    for (let index = 0; index < count; index++) {
      const [c, b] = [index * 3, index * 4];
      const seen =
        0.2126 * (colours[c] as number) + 0.7152 * (colours[c + 1] as number) + 0.0722 * (colours[c + 2] as number);
      const lit =
        level * (bases[b] as number) +
        toRight * (bases[b + 1] as number) +
        toChin * (bases[b + 2] as number) +
        toFront * (bases[b + 3] as number);
      errors[index] = Math.abs(seen - lit);
    }
    const typical = quantile(errors, 0.5) + 1e-3;
    for (let index = 0; index < count; index++) {
      const square = ((errors[index] as number) / (1.5 * typical)) ** 2;
      weights[index] = 1 / (1 + square * square);
    }
    fit = fitShade(samples, weights);
  }
  const byColour = fit.colours;
  const front = (coefficients: Basis) => Math.max(lightFrom(coefficients, FRONT), 1e-3);
  const skin: Triple = [front(byColour[0]), front(byColour[1]), front(byColour[2])];
  const level = Math.max(luminance(skin), 1e-3);
  const saturation = saturationOf(rgb, size);

  const guess = Math.exp(
    TRUST_IN_SKIN * Math.log(level / SKIN_LUMINANCE) + (1 - TRUST_IN_SKIN) * Math.log(USUAL_WHITE),
  );
  const white = Math.min(Math.max(guess, eyeWhite(rgb, size, face) / 0.75, level * 1.45), BRIGHTEST_WHITE);
  const red = (skin[0] / skin[1] / SKIN_RED_TO_GREEN) ** TRUST_IN_CAST;
  const blue = (skin[2] / skin[1] / SKIN_BLUE_TO_GREEN) ** TRUST_IN_CAST;
  const cast: Triple = [held(red, 0.75, 1.3) ** saturation, 1, held(blue, 0.7, 1.3) ** saturation];
  const castLuminance = luminance(cast);
  const strength = cast.map((value) => (white * value) / castLuminance) as [number, number, number];

  return {
    strength,
    saturation,
    across: fit.luminance[1] / level,
    down: fit.luminance[2] / level,
    shade(normal) {
      const fromSky = SKY_LEAST + (1 - SKY_LEAST) * Math.max(0, SKY_DOWN * normal[1] + SKY_NEAR * normal[2]);
      const all = lightFrom(fit.luminance, normal) / level;
      return [
        fromSky * shareOf(all, lightFrom(byColour[0], normal) / skin[0]),
        fromSky * shareOf(all, lightFrom(byColour[1], normal) / skin[1]),
        fromSky * shareOf(all, lightFrom(byColour[2], normal) / skin[2]),
      ];
    },
  };
}

/** Light of two colours is seen on both sides of a face; so is skin of two colours, which is more common. */
function shareOf(all: number, own: number): number {
  return held(all + TRUST_IN_COLOUR * (own - all), DARKEST, BRIGHTEST);
}

type Normal = readonly [across: number, down: number, near: number];
const FRONT: Normal = [0, 0, 1];
/** Of light: what comes from everywhere, and how much more from the right, from below, from the camera. */
type Basis = readonly [number, number, number, number];

/** What was looked at of a face. */
interface Samples {
  readonly count: number;
  /** Three a sample, linear. */
  readonly colours: Float64Array;
  /** Four a sample: 1 and the normal of the ellipsoid. */
  readonly bases: Float64Array;
}

/** Pixels over the face, in a grid; what lies outside the picture is left out. */
function faceSamples(rgb: Uint8Array, size: Size, face: FaceFrame): Samples {
  const left = face.jaw(2);
  const right = face.jaw(14);
  const centre = plus(scaled(plus(left, right), 0.5), scaled(face.down, -0.08 * face.height));
  const half = { across: (dot(right, face.across) - dot(left, face.across)) / 2, down: face.height * 0.78 };
  const colours = new Float64Array(SAMPLES * SAMPLES * 3);
  const bases = new Float64Array(SAMPLES * SAMPLES * 4);
  let count = 0;
  for (let row = 0; row < SAMPLES; row++) {
    const d = ((row + 0.5) / SAMPLES) * 2 - 1;
    if (d < -0.72) continue;
    const downX = face.down.x * (d * half.down);
    const downY = face.down.y * (d * half.down);
    for (let column = 0; column < SAMPLES; column++) {
      const a = ((column + 0.5) / SAMPLES) * 2 - 1;
      const flat = a * a + d * d;
      if (flat > 0.85) continue;
      const x = Math.round(centre.x + (face.across.x * (a * half.across) + downX)) | 0;
      const y = Math.round(centre.y + (face.across.y * (a * half.across) + downY)) | 0;
      if (x < 0 || y < 0 || x >= size.width || y >= size.height) continue;
      const at = (y * size.width + x) * 3;
      colours[count * 3] = toLinear(rgb[at] as number);
      colours[count * 3 + 1] = toLinear(rgb[at + 1] as number);
      colours[count * 3 + 2] = toLinear(rgb[at + 2] as number);
      bases[count * 4] = 1;
      bases[count * 4 + 1] = a;
      bases[count * 4 + 2] = d;
      bases[count * 4 + 3] = Math.sqrt(1 - flat);
      count++;
    }
  }
  return { count, colours, bases };
}

interface ShadeFit {
  readonly luminance: Basis;
  readonly colours: readonly [Basis, Basis, Basis];
}

function fitShade({ count, colours: seen, bases }: Samples, weights: Float64Array): ShadeFit {
  const normal = Array.from({ length: 4 }, () => new Float64Array(4));
  const sides = Array.from({ length: 3 }, () => new Float64Array(4));
  for (let i = 0; i < 4; i++) {
    const [row, [red, green, blue]] = [normal[i] as Float64Array, sides as [Float64Array, Float64Array, Float64Array]];
    let [level, toRight, toChin, toFront, r, g, b] = [0, 0, 0, 0, 0, 0, 0];
    for (let index = 0, at = 0, c = 0; index < count; index++, at += 4, c += 3) {
      const weight = (weights[index] as number) * (bases[at + i] as number);
      level += weight * (bases[at] as number);
      toRight += weight * (bases[at + 1] as number);
      toChin += weight * (bases[at + 2] as number);
      toFront += weight * (bases[at + 3] as number);
      r += weight * (seen[c] as number);
      g += weight * (seen[c + 1] as number);
      b += weight * (seen[c + 2] as number);
    }
    row.set([level, toRight, toChin, toFront]);
    [red[i], green[i], blue[i]] = [r, g, b];
  }
  // A little of zero is mixed in, so that few or no pixels give an even light instead of a wild one.
  const total = normal[0]?.[0] ?? 0;
  const ridge = [1e-6, 0.01, 0.01, 0.03];
  for (let i = 0; i < 4; i++) {
    const row = normal[i] as Float64Array;
    row[i] = (row[i] ?? 0) + (ridge[i] ?? 0) * total + 1e-6;
  }
  const [red, green, blue] = sides.map((side) => solve(normal, side)) as [Basis, Basis, Basis];
  const mix = (which: 0 | 1 | 2 | 3) => luminance([red[which], green[which], blue[which]]);
  return { colours: [red, green, blue], luminance: [mix(0), mix(1), mix(2), mix(3)] };
}

/** Solves a symmetric positive system of four unknowns (Gauss). */
function solve(matrix: readonly Float64Array[], side: Float64Array): Basis {
  const a = matrix.map((row, index) => [...row, side[index] ?? 0]);
  for (let pivot = 0; pivot < 4; pivot++) {
    const lead = a[pivot] ?? [];
    for (let row = pivot + 1; row < 4; row++) {
      const below = a[row] ?? [];
      const factor = (below[pivot] ?? 0) / (lead[pivot] ?? 1);
      for (let column = pivot; column < 5; column++)
        below[column] = (below[column] ?? 0) - factor * (lead[column] ?? 0);
    }
  }
  const x = [0, 0, 0, 0];
  for (let row = 3; row >= 0; row--) {
    const here = a[row] ?? [];
    let value = here[4] ?? 0;
    for (let column = row + 1; column < 4; column++) value -= (here[column] ?? 0) * (x[column] ?? 0);
    x[row] = value / (here[row] ?? 1);
  }
  return [x[0] ?? 0, x[1] ?? 0, x[2] ?? 0, x[3] ?? 0];
}

function lightFrom(coefficients: Basis, normal: Normal): number {
  return coefficients[0] + coefficients[1] * normal[0] + coefficients[2] * normal[1] + coefficients[3] * normal[2];
}

/** Brightest of the eyes (linear luminance, 95th percentile): their white is nearly as bright as a mask. */
function eyeWhite(rgb: Uint8Array, size: Size, face: FaceFrame): number {
  const values: number[] = [];
  for (const { points } of [face.leftEye, face.rightEye]) {
    const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
    for (let y = Math.ceil(Math.min(...ys)); y <= Math.max(...ys); y++) {
      for (let x = Math.ceil(Math.min(...xs)); x <= Math.max(...xs); x++) {
        const colour = linearAt(rgb, size, x, y);
        if (colour) values.push(luminance(colour));
      }
    }
  }
  return values.length === 0 ? 0 : quantile(Float64Array.from(values), 0.95);
}

function linearAt(rgb: Uint8Array, size: Size, x: number, y: number): Triple | null {
  if (x < 0 || y < 0 || x >= size.width || y >= size.height) return null;
  const at = (y * size.width + x) * 3;
  return [toLinear(rgb[at] ?? 0), toLinear(rgb[at + 1] ?? 0), toLinear(rgb[at + 2] ?? 0)];
}

/** Coloured pictures have pixels far from grey somewhere; a grey one has none. */
function saturationOf(rgb: Uint8Array, size: Size): number {
  let sum = 0;
  let count = 0;
  const step = Math.max(1, Math.floor((size.width * size.height) / 1500));
  for (let pixel = 0; pixel < size.width * size.height; pixel += step) {
    const [red, green, blue] = [rgb[pixel * 3] ?? 0, rgb[pixel * 3 + 1] ?? 0, rgb[pixel * 3 + 2] ?? 0];
    sum += Math.max(red, green, blue) - Math.min(red, green, blue);
    count++;
  }
  return held((sum / count - 3) / 12, 0, 1);
}

export function luminance([red, green, blue]: Triple): number {
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function quantile(values: Float64Array, share: number): number {
  if (values.length === 0) return 0;
  return selected(values.slice(), Math.min(values.length - 1, Math.floor(values.length * share)));
}

function held(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
