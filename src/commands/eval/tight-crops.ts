/**
 * Border for tight crops, a share of the picture's side: the one with which most faces and their eyes are found
 * (scripts/measure-padding.ts, docs/accuracy.md).
 */
export const TIGHT_CROP_PAD = 0.75;
