import type { Point } from '../../core/geometry.ts';

/** What a simulated mask can be: the vocabulary of options, summaries and training. */

export const MASK_TYPES = ['surgical', 'kn95', 'n95', 'cloth', 'gas'] as const;
export type MaskType = (typeof MASK_TYPES)[number];

/** How it sits: up between the eyes, on the bridge of the nose, under the nose, or hanging from one ear. */
export const MASK_FITS = ['high', 'normal', 'low', 'loose'] as const;
export type MaskFit = (typeof MASK_FITS)[number];

export const MASK_PATTERNS = ['plain', 'stripes', 'checks', 'dots', 'flowers', 'camouflage'] as const;
export type MaskPattern = (typeof MASK_PATTERNS)[number];

export type MaskState = 'worn' | 'incorrect';

/** sRGB, 0 to 255. */
export type Rgb = readonly [red: number, green: number, blue: number];

/** Colours by name, as the cloth looks in white light that is as bright as the camera can show. */
export const MASK_COLOURS = {
  white: [243, 244, 244],
  blue: [176, 212, 231],
  green: [178, 216, 202],
  pink: [238, 176, 190],
  black: [38, 38, 41],
  grey: [132, 134, 139],
  navy: [44, 54, 86],
  red: [160, 48, 52],
  beige: [219, 200, 174],
  olive: [96, 100, 68],
} as const satisfies Record<string, Rgb>;
export type MaskColour = keyof typeof MASK_COLOURS;

/** One mask, with all that decides how it looks. */
export interface MaskSpec {
  readonly type: MaskType;
  readonly fit: MaskFit;
  readonly colour: Rgb;
  readonly pattern: MaskPattern;
  readonly patternColour: Rgb;
  /** Size against the usual, 0.9 to 1.1. */
  readonly scale: number;
  /** How far it is pulled up the nose against the usual, in steps of FaceFrame.nose; -0.35 to 0.35. */
  readonly rise: number;
  /** Turned in the plane of the face, radians, clockwise as seen; a few hundredths. */
  readonly lean: number;
  /** Side as seen from which a `loose` mask has come off. */
  readonly looseSide: 'left' | 'right';
  /** An exhalation valve; `kn95`, `n95` and `gas` can have one. */
  readonly valve: boolean;
  /** Decides creases, flecks and noise. */
  readonly seed: number;
}

/** A mask covers nose, mouth and chin, or is worn wrongly. */
export function stateOf(fit: MaskFit): MaskState {
  return fit === 'high' || fit === 'normal' ? 'worn' : 'incorrect';
}

/** A mask that was drawn. Pixels of the picture. */
export interface DrawnMask {
  readonly type: MaskType;
  readonly fit: MaskFit;
  readonly state: MaskState;
  readonly colour: Rgb;
  readonly pattern: MaskPattern;
  /** The edge of the mask itself, without straps; it may reach out of the picture. */
  readonly polygon: readonly Point[];
  /** Straps, valves and filters. */
  readonly attachments: readonly (readonly Point[])[];
}
