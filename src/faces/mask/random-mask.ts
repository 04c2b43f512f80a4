import {
  MASK_COLOURS,
  type MaskColour,
  type MaskFit,
  type MaskPattern,
  type MaskSpec,
  type MaskType,
  type Rgb,
} from './mask-spec.ts';

type Shares<T extends string> = readonly (readonly [value: T, share: number])[];

/** What is seen in the street: mostly surgical masks, few of the heavy ones. Shares need not add up to one. */
const TYPES: Shares<MaskType> = [
  ['surgical', 55],
  ['kn95', 18],
  ['cloth', 19],
  ['n95', 6],
  ['gas', 2],
];

/** One in ten is worn wrongly. */
const FITS: Shares<MaskFit> = [
  ['normal', 66],
  ['high', 24],
  ['low', 7],
  ['loose', 3],
];

const COLOURS: Readonly<Record<MaskType, Shares<MaskColour>>> = {
  surgical: [
    ['blue', 50],
    ['white', 24],
    ['black', 14],
    ['green', 6],
    ['pink', 4],
    ['grey', 2],
  ],
  kn95: [
    ['white', 80],
    ['black', 12],
    ['grey', 8],
  ],
  n95: [
    ['white', 85],
    ['blue', 10],
    ['grey', 5],
  ],
  cloth: [
    ['black', 36],
    ['navy', 12],
    ['grey', 14],
    ['white', 10],
    ['red', 6],
    ['beige', 6],
    ['pink', 6],
    ['blue', 5],
    ['olive', 5],
  ],
  gas: [
    ['black', 60],
    ['grey', 40],
  ],
};

const CLOTH_PATTERNS: Shares<MaskPattern> = [
  ['plain', 66],
  ['stripes', 8],
  ['checks', 8],
  ['dots', 7],
  ['flowers', 7],
  ['camouflage', 4],
];

/** What of a mask is given; the rest is drawn. Of several values one is drawn, with the usual shares among them. */
export interface WantedMask {
  readonly types?: readonly MaskType[];
  readonly fits?: readonly MaskFit[];
  readonly colours?: readonly Rgb[];
}

/**
 * Draws one mask from a realistic mix.
 *
 * @param random gives numbers in 0..1; the same numbers give the same mask
 */
export function randomMask(random: () => number, wanted: WantedMask = {}): MaskSpec {
  const type = pick(random, among(TYPES, wanted.types));
  const fit = pick(random, among(FITS, wanted.fits));
  const usual = MASK_COLOURS[pick(random, COLOURS[type])];
  const given = wanted.colours?.[Math.floor(random() * (wanted.colours.length || 1))];
  const colour = given ?? varied(usual, random);
  const pattern = type === 'cloth' ? pick(random, CLOTH_PATTERNS) : 'plain';
  return {
    type,
    fit,
    colour,
    pattern,
    patternColour: contrasting(colour, random),
    scale: 0.94 + 0.12 * random(),
    rise: (random() - 0.5) * 0.7,
    lean: (random() + random() - 1) * 0.05,
    looseSide: random() < 0.5 ? 'left' : 'right',
    valve: type === 'gas' || ((type === 'n95' || type === 'kn95') && random() < 0.3),
    seed: Math.floor(random() * 2 ** 32),
  };
}

function among<T extends string>(shares: Shares<T>, values: readonly T[] | undefined): Shares<T> {
  const left = values ? shares.filter(([value]) => values.includes(value)) : shares;
  return left.length > 0 ? left : shares;
}

function pick<T extends string>(random: () => number, shares: Shares<T>): T {
  const [[first]] = shares as readonly [readonly [T, number]];
  let left = random() * shares.reduce((sum, [, share]) => sum + share, 0);
  for (const [value, share] of shares) {
    left -= share;
    if (left < 0) return value;
  }
  return first;
}

/** No two batches of cloth are dyed alike. */
function varied(colour: Rgb, random: () => number): Rgb {
  const brighter = (random() - 0.5) * 14;
  const [red, green, blue] = colour.map((value) => clampByte(value + brighter + (random() - 0.5) * 12));
  return [red ?? 0, green ?? 0, blue ?? 0];
}

function contrasting(colour: Rgb, random: () => number): Rgb {
  const names = Object.keys(MASK_COLOURS) as MaskColour[];
  const start = Math.floor(random() * names.length);
  const far = names
    .map((_, index) => MASK_COLOURS[names[(start + index) % names.length] ?? 'white'])
    .find((other) => Math.abs(brightness(other) - brightness(colour)) > 70);
  return far ?? MASK_COLOURS.white;
}

function brightness([red, green, blue]: Rgb): number {
  return 0.3 * red + 0.59 * green + 0.11 * blue;
}

function clampByte(value: number): number {
  return Math.min(Math.max(value, 0), 255);
}
