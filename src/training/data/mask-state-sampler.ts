import type { Box } from '../../core/geometry.ts';
import type { MaskState } from '../../core/person.ts';
import { MASK_STATES } from '../../faces/mask-state.ts';
import type { Batch } from '../engine.ts';
import { coverMouth } from './cover-mouth.ts';
import { type Degradation, degrade } from './degrade.ts';
import type { FaceChip, FaceStore } from './face-store.ts';
import { jitteredCrop, mirror } from './landmark-sampler.ts';
import { between, normal, type PixelScale, pickOne, type Sampler, sampleRandom } from './sampler.ts';
import { turnedHead } from './turned-head.ts';
import { compose, greyOf } from './warp.ts';

/** How far a crop may be from what a camera and a detector gave. */
export interface MaskVariation {
  /** Side of the crop, pixels. */
  readonly side: number;
  /** Deviations of the box's place and size, as shares of its size. */
  readonly shift: number;
  readonly stretch: number;
  /** Largest turn in the plane of the picture, and of the head out of it, radians. */
  readonly turn: number;
  readonly pose: number;
  /** Share that is cut from a picture that ends near the face. */
  readonly tight: number;
  /** Share of bare faces with something before them that is no mask; of others half as many. */
  readonly covered: number;
  readonly degradation: Degradation;
}

export interface MaskStateSampling {
  /** Faces to draw from, numbers of the store. */
  readonly faces: readonly number[];
  readonly batch: number;
  readonly seed: number;
  readonly bare: number;
  readonly incorrect: number;
  readonly real: number;
  readonly pixels: PixelScale;
  readonly variation: MaskVariation;
}

/** A face as it is, or with one of the masks drawn on it. */
export interface MaskExample {
  readonly face: number;
  /** Number of the mask that is drawn; -1: none. */
  readonly mask: number;
  readonly state: MaskState;
  /** A photograph of a real mask. */
  readonly real: boolean;
}

/** All that faces of the store show of mask states, in order. */
export function maskExamples(store: FaceStore, faces: readonly number[]): MaskExample[] {
  return faces.flatMap((face): MaskExample[] => {
    const { masks = [], worn = false } = store.faces[face] ?? {};
    if (worn) return [{ face, mask: -1, state: 'worn', real: true }];
    const drawn = masks.map(({ state }, mask): MaskExample => ({ face, mask, state, real: false }));
    return [{ face, mask: -1, state: 'none', real: false }, ...drawn];
  });
}

export function chipOf(store: FaceStore, { face, mask }: Pick<MaskExample, 'face' | 'mask'>): FaceChip {
  const plain = store.read(face);
  return mask < 0 ? plain : store.withMask(face, plain, mask);
}

/**
 * Batches for mask states: `input` [n, 1, side, side], grey crops of faces as other cameras, detectors and poses might have given
 * them; `labels` [n], indices in MASK_STATES.
 *
 * Throws RangeError when there is no bare face, or none with a mask.
 */
export function maskStateSampler(store: FaceStore, options: MaskStateSampling): Sampler {
  const { batch: count, bare, incorrect, real, variation } = options;
  const all = maskExamples(store, options.faces);
  const drawn = (state: MaskState) => all.filter((it) => it.state === state && !it.real);
  const lists = {
    none: drawn('none'),
    worn: drawn('worn'),
    incorrect: drawn('incorrect'),
    real: all.filter((it) => it.real),
  };
  const pick = (random: () => number): MaskExample => {
    if (random() < bare) return pickOne(lists.none, random);
    if (random() < incorrect && lists.incorrect.length > 0) return pickOne(lists.incorrect, random);
    const photographed = lists.real.length > 0 && (random() < real || lists.worn.length === 0);
    return pickOne(photographed ? lists.real : lists.worn, random);
  };
  const pixels = variation.side ** 2;
  return {
    batch(number): Batch {
      const input = new Float32Array(count * pixels);
      const labels = new BigInt64Array(count);
      for (let row = 0; row < count; row++) {
        const random = sampleRandom(options.seed, number, row);
        const example = pick(random);
        const crop = variedCrop(chipOf(store, example), example.state, variation, random);
        writeGrey(crop, options.pixels, input, row * pixels);
        labels[row] = BigInt(MASK_STATES.indexOf(example.state));
      }
      return {
        input: { type: 'float32', data: input, shape: [count, 1, variation.side, variation.side] },
        labels: { type: 'int64', data: labels, shape: [count] },
      };
    },
  };
}

/** Writes grey values the way a model takes them, from `offset` on. */
export function writeGrey(grey: Uint8Array, { mean, scale }: PixelScale, into: Float32Array, offset: number): void {
  const [less = 0, times = 1] = [mean[0], scale[0]];
  for (let at = 0; at < grey.length; at++) into[offset + at] = ((grey[at] ?? 0) - less) * times;
}

/** Grey values of a face's box, otherwise framed, turned, lit, covered. */
export function variedCrop(
  chip: FaceChip,
  state: MaskState,
  variation: MaskVariation,
  random: () => number,
): Uint8Array {
  const { side, pose, tight, covered, degradation } = variation;
  const size = { width: side, height: side };
  const upright = jitteredCrop(chip.box, variation, random);
  const matrix = random() < 0.5 ? compose(mirror(side), upright) : upright;
  // Heads bend less than they turn.
  const turn = { yaw: pose * either(random), pitch: 0.6 * pose * either(random) };
  const whole = { x: 0, y: 0, width: chip.width - 1, height: chip.height - 1 };
  const bounds = random() < tight ? tightBounds(chip.box, random) : whole;
  const crop = turnedHead(chip, { box: chip.box, matrix, turn, bounds: within(bounds, whole) }, size);
  const shown = random() < (state === 'none' ? covered : covered / 2) ? coverMouth(crop, random) : crop;
  return lit(greyOf(degrade(shown, degradation, random)), side, random);
}

/** More often little than much. */
function either(random: () => number): number {
  return random() + random() - 1;
}

/** Edges of a picture that was cut around a face: through its box a little, or some way out. */
function tightBounds(box: Box, random: () => number): Box {
  const out = () => between(-0.12, 0.25, random);
  const [left, top, right, bottom] = [out() * box.width, out() * box.height, out() * box.width, out() * box.height];
  return { x: box.x - left, y: box.y - top, width: box.width + left + right, height: box.height + top + bottom };
}

function within(inner: Box, outer: Box): Box {
  const [x, y] = [Math.max(inner.x, outer.x), Math.max(inner.y, outer.y)];
  const right = Math.min(inner.x + inner.width, outer.x + outer.width);
  const bottom = Math.min(inner.y + inner.height, outer.y + outer.height);
  return { x, y, width: right - x, height: bottom - y };
}

/** Gamma, and light from one side. */
function lit(grey: Uint8Array, side: number, random: () => number): Uint8Array {
  const gamma = Math.exp(0.35 * (2 * random() - 1));
  const [across, down] = [normal(random) * 18, normal(random) * 18];
  return grey.map((value, at) => {
    const [x, y] = [(at % side) / side - 0.5, Math.floor(at / side) / side - 0.5];
    return value === 0 ? 0 : Math.min(255, Math.max(0, 255 * (value / 255) ** gamma + across * x + down * y));
  });
}
