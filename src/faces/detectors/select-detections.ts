import type { Box, Size } from '../../core/geometry.ts';
import { type Detection, type DetectionOptions, lowestScore, suppressOverlaps } from '../detect.ts';

/** What of a detector's candidates counts: clipped to the picture, sure and large enough, one a face, best first. */
export function selectDetections(
  candidates: Iterable<Detection>,
  picture: Size,
  options: DetectionOptions,
): Detection[] {
  const { minFacePx, nmsIou, maxFaces } = options;
  const leastScore = lowestScore(options);
  const found: Detection[] = [];
  for (const { box, score } of candidates) {
    if (!(score >= leastScore)) continue;
    const clipped = clippedTo(picture, box);
    if (Math.min(clipped.width, clipped.height) >= minFacePx) found.push({ box: clipped, score });
  }
  return suppressOverlaps(found, nmsIou).slice(0, maxFaces);
}

/** The part of a box inside the picture. */
export function clippedTo(picture: Size, { x, y, width, height }: Box): Box {
  const left = Math.min(Math.max(x, 0), picture.width);
  const top = Math.min(Math.max(y, 0), picture.height);
  const right = Math.min(Math.max(x + width, 0), picture.width);
  const bottom = Math.min(Math.max(y + height, 0), picture.height);
  return { x: left, y: top, width: right - left, height: bottom - top };
}
