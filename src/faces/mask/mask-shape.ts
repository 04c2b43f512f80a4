import type { MaskFit, MaskType } from './mask-spec.ts';

/** What makes one type of mask sit as it does. Lengths are shares of the face's height, angles are degrees. */
export interface MaskShape {
  /** Half of what it spans around the head. */
  readonly halfAngle: number;
  /** Where its upper corners stand on the jaw line (FaceFrame.jaw), and where its lower ones leave it. */
  readonly jawTop: number;
  readonly jawLow: number;
  /** How far the lower corners reach, of the way from the middle to the jaw line. */
  readonly lowReach: number;
  /** How far it hangs below the chin. */
  readonly chinDrop: number;
  /** 1: the hem is pointed at the chin, 4: nearly straight from corner to corner. */
  readonly hemBreadth: number;
  /** How far the hem stands off the jaw between the lower corner and the chin, to the side. */
  readonly hemBulge: number;
  /** How far the upper edge falls from the nose to the cheek, below the straight line to the corner. */
  readonly sag: number;
  /** How fast it falls: the breadth of the part over the nose, in halves of the mask. */
  readonly noseBreadth: number;
  /** Where its upper edge crosses the nose (FaceFrame.nose) when worn as it should be. */
  readonly nose: number;
  /** Height of the ridge over the nose in radii of the head, and how broad it is. */
  readonly ridge: number;
  readonly ridgeAngle: number;
  /** 1: the ridge is a fold, 2: it is round. */
  readonly ridgePower: number;
  /** Height of a dome, as moulded masks have it. */
  readonly dome: number;
}

export const MASK_SHAPES: Readonly<Record<MaskType, MaskShape>> = {
  surgical: {
    halfAngle: 60,
    jawTop: 1.8,
    jawLow: 5.6,
    lowReach: 1.05,
    chinDrop: 0.1,
    hemBreadth: 4,
    hemBulge: 0.05,
    sag: 0.03,
    noseBreadth: 0.3,
    nose: 1.1,
    ridge: 0.3,
    ridgeAngle: 30,
    ridgePower: 1.6,
    dome: 0,
  },
  kn95: {
    halfAngle: 58,
    jawTop: 2.1,
    jawLow: 5.4,
    lowReach: 1.02,
    chinDrop: 0.11,
    hemBreadth: 1.5,
    hemBulge: 0.0,
    sag: 0.03,
    noseBreadth: 0.3,
    nose: 0.95,
    ridge: 0.42,
    ridgeAngle: 42,
    ridgePower: 1,
    dome: 0,
  },
  n95: {
    halfAngle: 47,
    jawTop: 2.9,
    jawLow: 5.9,
    lowReach: 0.97,
    chinDrop: 0.07,
    hemBreadth: 1.9,
    hemBulge: 0.02,
    sag: 0.05,
    noseBreadth: 0.5,
    nose: 0.9,
    ridge: 0.12,
    ridgeAngle: 25,
    ridgePower: 2,
    dome: 0.5,
  },
  cloth: {
    halfAngle: 64,
    jawTop: 1.9,
    jawLow: 5,
    lowReach: 1.02,
    chinDrop: 0.09,
    hemBreadth: 1.8,
    hemBulge: 0.025,
    sag: 0.04,
    noseBreadth: 0.34,
    nose: 1.05,
    ridge: 0.34,
    ridgeAngle: 34,
    ridgePower: 1.3,
    dome: 0,
  },
  gas: {
    halfAngle: 42,
    jawTop: 3,
    jawLow: 6.1,
    lowReach: 0.94,
    chinDrop: 0.07,
    hemBreadth: 2,
    hemBulge: 0.0,
    sag: 0.03,
    noseBreadth: 0.5,
    nose: 0.9,
    ridge: 0.3,
    ridgeAngle: 24,
    ridgePower: 1.6,
    dome: 0.35,
  },
};

/** What a fit changes: steps on the jaw line and the nose, how much lower the hem hangs, and how broad it is at most. */
export const FIT_CHANGES: Readonly<
  Record<MaskFit, { jaw: number; nose: number; drop: number; sag: number; hemBreadth: number }>
> = {
  high: { jaw: -0.25, nose: -0.55, drop: -0.015, sag: 0.02, hemBreadth: 4 },
  normal: { jaw: 0, nose: 0, drop: 0, sag: 0, hemBreadth: 4 },
  low: { jaw: 0.9, nose: 0, drop: 0.035, sag: -0.03, hemBreadth: 2 },
  loose: { jaw: 0, nose: 0.4, drop: 0.02, sag: 0, hemBreadth: 3 },
};
