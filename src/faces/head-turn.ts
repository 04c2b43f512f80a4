import type { FivePoints } from './landmarks.ts';

/**
 * How far a head is turned to the side: distance of the nose tip from the line through the middle of the eyes and the middle of
 * the mouth, in distances of the eyes. 0 is straight, about 0.2 a clear turn, 0.5 nearly a profile; positive when the nose is
 * to the right in the picture, which is the person's own left.
 */
export function headTurn([leftEye, rightEye, nose, leftMouth, rightMouth]: FivePoints): number {
  const eyes = Math.hypot(rightEye.x - leftEye.x, rightEye.y - leftEye.y);
  const top = { x: (leftEye.x + rightEye.x) / 2, y: (leftEye.y + rightEye.y) / 2 };
  const bottom = { x: (leftMouth.x + rightMouth.x) / 2, y: (leftMouth.y + rightMouth.y) / 2 };
  const axis = Math.max(Math.hypot(bottom.x - top.x, bottom.y - top.y), 1e-6);
  const aside = ((nose.x - top.x) * (bottom.y - top.y) - (nose.y - top.y) * (bottom.x - top.x)) / axis;
  return aside / Math.max(eyes, 1e-6);
}
