import type { Point } from '../core/geometry.ts';
import type { Mat, Opencv } from './opencv.ts';
import type { MotionOptions } from './protocol.ts';

/** Pictures are compared at this size: a face the detector can just find (10 of 320 pixels) is 5 cells wide. */
export const GRID = { width: 160, height: 90 } as const;
/** The reference takes in two thirds of a lasting change within this time. */
const ADAPT_MS = 3000;
/** A change of more than this share is the light or the camera, not people: the new picture is the reference at once. */
const GLOBAL_SHARE = 0.6;

/**
 * Tells whether a camera's picture moves: compares it, small and grey, with a slowly updated average of what was before.
 * All pixels stay in OpenCV's memory.
 */
export class MotionSensor {
  readonly #cv: Opencv;
  readonly #threshold: number;
  readonly #minCells: number;
  readonly #watchedCells: number;
  /** 255 where motion counts; undefined when it does everywhere. */
  readonly #watched: Mat | undefined;
  #reference: Mat | undefined;
  #lastMs = 0;

  constructor(cv: Opencv, { ignore, minArea, threshold }: Pick<MotionOptions, 'ignore' | 'minArea' | 'threshold'>) {
    const cells = GRID.width * GRID.height;
    this.#cv = cv;
    this.#threshold = threshold;
    this.#minCells = Math.max(1, Math.round(minArea * cells));
    this.#watched = ignore.length > 0 ? watchedMask(cv, ignore) : undefined;
    this.#watchedCells = this.#watched?.countNonZero() ?? cells;
  }

  /**
   * Takes in the next picture.
   *
   * @param small the picture as 8-bit grey of the size GRID, owned by the sensor from now on
   * @param nowMs monotonic
   */
  moved(small: Mat, nowMs: number): boolean {
    const cv = this.#cv;
    const reference = this.#reference;
    const sinceMs = nowMs - this.#lastMs;
    this.#lastMs = nowMs;
    const current = small.convertTo(cv.CV_32F);
    if (!reference) {
      small.release();
      this.#reference = current;
      return true;
    }
    const before = reference.convertTo(cv.CV_8U);
    const difference = before.absdiff(small);
    const changed = difference.threshold(this.#threshold, 255, cv.THRESH_BINARY);
    const counted = this.#watched ? changed.bitwiseAnd(this.#watched) : changed;
    const cells = counted.countNonZero();
    const share = cells > this.#watchedCells * GLOBAL_SHARE ? 1 : 1 - Math.exp(-sinceMs / ADAPT_MS);
    // In floating point: in bytes a small share of a small difference is rounded away, and the reference never arrives.
    this.#reference = reference.addWeighted(1 - share, current, share, 0);
    for (const mat of new Set([small, current, reference, before, difference, changed, counted])) mat.release();
    return cells >= this.#minCells;
  }

  /** Gives back all memory. */
  release(): void {
    this.#reference?.release();
    this.#reference = undefined;
    this.#watched?.release();
  }
}

/** White where motion counts, black inside of the polygons (0..1 of the picture's sides). */
function watchedMask(cv: Opencv, ignore: MotionOptions['ignore']): Mat {
  const mask = new cv.Mat(GRID.height, GRID.width, cv.CV_8UC1, 255);
  const cell = ({ x, y }: Point) => new cv.Point2(Math.round(x * (GRID.width - 1)), Math.round(y * (GRID.height - 1)));
  // One by one: together, OpenCV would leave out what two of them share.
  for (const polygon of ignore) mask.drawFillPoly([polygon.map(cell)], new cv.Vec3(0, 0, 0));
  return mask;
}
