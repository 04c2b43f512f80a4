import type { Point, Size } from '../core/geometry.ts';
import { quantile, rounded } from '../core/statistics.ts';
import type { Detection } from '../faces/detect.ts';

/** What a detector found in one picture. */
export interface Looked {
  readonly size: Size;
  /** Where the picture stands among the boxes: a border moves it. */
  readonly offset: Point;
  readonly faces: readonly Detection[];
  readonly ms: number;
}

/** Which face is meant: the one in the middle of the picture, or any. */
export type WhichFace = 'central' | 'any';

/** By the least score that counts. */
export interface AtScore {
  readonly minScore: number;
  /** Share of the pictures whose face is found, or false finds in a thousand pictures. */
  readonly value: number;
}

export interface DetectionFigures {
  readonly pictures: number;
  readonly found: readonly AtScore[];
  /** Median of looking at one picture, decoding left out. */
  readonly msPerPicture: number | null;
}

export interface FalseFinds {
  readonly pictures: number;
  readonly per1000: readonly AtScore[];
  readonly msPerPicture: number | null;
}

/** A box smaller than this share of the picture's shorter side is no face of somebody portrayed, but a part of one. */
const LEAST_SHARE = 0.2;

/** How many of pictures of one face each are found, by the least score that counts. */
export function detectionFigures(
  looked: readonly Looked[],
  which: WhichFace,
  scores: readonly number[],
): DetectionFigures {
  const best = looked.map((one) => bestScore(one, which));
  return {
    pictures: looked.length,
    found: scores.map((minScore) => ({
      minScore,
      value: rounded(best.filter((score) => score >= minScore).length / Math.max(looked.length, 1), 4),
    })),
    msPerPicture: medianMs(looked),
  };
}

/** How many faces are found in a thousand pictures without any, by the least score that counts. */
export function falseFinds(looked: readonly Looked[], scores: readonly number[]): FalseFinds {
  const found = looked.flatMap(({ faces }) => faces.map(({ score }) => score));
  return {
    pictures: looked.length,
    per1000: scores.map((minScore) => ({
      minScore,
      value: rounded((found.filter((score) => score >= minScore).length / Math.max(looked.length, 1)) * 1000, 1),
    })),
    msPerPicture: medianMs(looked),
  };
}

export interface AtFalseFinds {
  /** False finds in a thousand pictures without a face. */
  readonly per1000: number;
  /** The highest score at which there would be more. */
  readonly aboveScore: number;
  /** Share of the pictures whose face scores higher than that. */
  readonly value: number;
}

/**
 * How many of pictures of one face each are found when the least score that counts is such that so many false finds are made in a
 * thousand pictures without a face: the figure by which detectors of different score scales compare. Finds of a score below the
 * one they were looked for with are not among `without`: a rate that is not reached at all counts from there.
 */
export function foundAtFalseFinds(
  looked: readonly Looked[],
  which: WhichFace,
  without: readonly Looked[],
  rates: readonly number[],
): AtFalseFinds[] {
  const best = looked.map((one) => bestScore(one, which));
  const wrong = without.flatMap(({ faces }) => faces.map(({ score }) => score)).sort((a, b) => b - a);
  return rates.map((per1000) => {
    const allowed = Math.floor((per1000 * without.length) / 1000 + 1e-9);
    const aboveScore = wrong[allowed] ?? 0;
    return {
      per1000,
      aboveScore: rounded(aboveScore, 4),
      value: rounded(best.filter((score) => score > aboveScore).length / Math.max(looked.length, 1), 4),
    };
  });
}

/** Of the face that is meant; 0 when it is not found. */
function bestScore({ size, offset, faces }: Looked, which: WhichFace): number {
  const least = Math.min(size.width, size.height) * LEAST_SHARE;
  const middle = { x: offset.x + size.width / 2, y: offset.y + size.height / 2 };
  const meant = faces.filter(({ box }) => {
    if (which === 'any') return true;
    const inside =
      middle.x >= box.x && middle.x <= box.x + box.width && middle.y >= box.y && middle.y <= box.y + box.height;
    return inside && Math.min(box.width, box.height) >= least;
  });
  return meant.reduce((best, { score }) => Math.max(best, score), 0);
}

function medianMs(looked: readonly Looked[]): number | null {
  const median = quantile(
    looked.map(({ ms }) => ms),
    0.5,
  );
  return median === null ? null : rounded(median, 2);
}
