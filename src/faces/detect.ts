import { type Box, iou, letterbox, type Size } from '../core/geometry.ts';
import type { Picture } from '../core/picture.ts';
import type { RunTrace, Tensor } from '../inference/vision-model.ts';

/** What may be a face in a picture: box in pixels of the picture, score 0..1. */
export interface Detection {
  readonly box: Box;
  readonly score: number;
}

/** Finds faces, whatever the model behind it. */
export interface FaceDetector {
  /** The size it fits a picture into: whoever holds the pixels may have that ready. */
  readonly input: Size;
  /** What may be faces of a picture, best first, as its options say. Adds the time spent to `trace`. */
  detect(picture: Picture, trace?: RunTrace): Promise<Detection[]>;
}

export interface DetectionOptions {
  /** Least score of a face, 0..1. */
  readonly minScore: number;
  /** Least score of what may only be a face, to follow one that was seen before; `minScore` where it is left out or higher. */
  readonly lowScore?: number;
  /** Boxes that overlap a better one by more than this (intersection over union) are the same face. */
  readonly nmsIou: number;
  /** Least shorter side of a face, pixels of the picture. */
  readonly minFacePx: number;
  /** At most this many faces a picture, best first. */
  readonly maxFaces: number;
}

/** Score from which on what is found is given at all. */
export function lowestScore({ minScore, lowScore = minScore }: DetectionOptions): number {
  return Math.min(minScore, lowScore);
}

/** What a detector of the UltraFace family gives of a batch. */
export interface UltraFaceOutputs {
  /** [n, candidates, 2]: background, face. */
  readonly scores: Tensor;
  /** [n, candidates, 4]: corners in 0..1 of the input. */
  readonly boxes: Tensor;
}

/** Corners of one candidate and two scores (background, face) stand at these strides in the outputs of RFB-320. */
const CORNERS = 4;
const CLASSES = 2;

/**
 * Faces in one picture of a batch, from the outputs of an UltraFace detector (RFB-320: Linzaer, "Ultra-Light-Fast-
 * Generic-Face-Detector-1MB") for letterboxed pictures. Boxes come back in pixels of the picture, clipped to it, best first.
 */
export function decodeDetections(
  outputs: UltraFaceOutputs,
  row: number,
  picture: Size,
  input: Size,
  options: DetectionOptions,
): Detection[] {
  const { scores, boxes } = outputs;
  const candidates = scores.shape[1] ?? 0;
  const leastScore = lowestScore(options);
  const { inner, offset } = letterbox(picture, input);
  const toX = (x: number) => clamp(((x * input.width - offset.x) * picture.width) / inner.width, picture.width);
  const toY = (y: number) => clamp(((y * input.height - offset.y) * picture.height) / inner.height, picture.height);

  const boxOf = (candidate: number): Box => {
    const [x0 = 0, y0 = 0, x1 = 0, y1 = 0] = boxes.data.subarray(candidate * CORNERS, (candidate + 1) * CORNERS);
    const left = toX(x0);
    const top = toY(y0);
    return { x: left, y: top, width: toX(x1) - left, height: toY(y1) - top };
  };

  const found: Detection[] = [];
  // Of thousands nearly all are none: a function made for each would be most of the work.
  for (let candidate = row * candidates; candidate < (row + 1) * candidates; candidate++) {
    const score = scores.data[candidate * CLASSES + 1] ?? 0;
    if (!(score >= leastScore)) continue;
    const box = boxOf(candidate);
    if (Math.min(box.width, box.height) >= options.minFacePx) found.push({ box, score });
  }
  return suppressOverlaps(found, options.nmsIou).slice(0, options.maxFaces);
}

/** A candidate is of a face when they overlap more than this. */
const ON_FACE_IOU = 0.3;

/**
 * The best of the candidates on a face, null without any, from the outputs {@link decodeDetections} takes.
 *
 * @param face where it is, as the box that comes back: 0..1 of the input
 */
export function bestOn({ scores, boxes }: UltraFaceOutputs, row: number, face: Box): Detection | null {
  const candidates = scores.shape[1] ?? 0;
  let best: Detection | null = null;
  for (let candidate = row * candidates; candidate < (row + 1) * candidates; candidate++) {
    const score = scores.data[candidate * CLASSES + 1] ?? 0;
    if (!(score > (best?.score ?? 0))) continue;
    const at = candidate * CORNERS;
    const x = boxes.data[at] ?? 0;
    const y = boxes.data[at + 1] ?? 0;
    const right = boxes.data[at + 2] ?? 0;
    const bottom = boxes.data[at + 3] ?? 0;
    // Most lie elsewhere: no box is made of those.
    if (right <= face.x || bottom <= face.y || x >= face.x + face.width || y >= face.y + face.height) continue;
    const box = { x, y, width: right - x, height: bottom - y };
    if (iou(box, face) > ON_FACE_IOU) best = { box, score };
  }
  return best;
}

/**
 * Greedy non-maximum suppression: keeps the best, drops what overlaps it by more than `maxIou`, and so on.
 * Best first; equal scores keep their order.
 */
export function suppressOverlaps(detections: readonly Detection[], maxIou: number): Detection[] {
  const kept: Detection[] = [];
  for (const candidate of [...detections].sort((a, b) => b.score - a.score)) {
    if (kept.every((better) => iou(better.box, candidate.box) <= maxIou)) kept.push(candidate);
  }
  return kept;
}

function clamp(value: number, max: number): number {
  return Math.min(Math.max(value, 0), max);
}
