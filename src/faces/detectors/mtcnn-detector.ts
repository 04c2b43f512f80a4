import { EyelineError } from '../../core/errors.ts';
import { type Box, boxToCrop, type Size } from '../../core/geometry.ts';
import type { Picture } from '../../core/picture.ts';
import type { Outputs, RunTrace, VisionModel } from '../../inference/vision-model.ts';
import { type Detection, type DetectionOptions, type FaceDetector, lowestScore, suppressOverlaps } from '../detect.ts';
import { namedOutput } from '../model-output.ts';
import { grown, type Margins } from './margins.ts';
import { levelBoxToPicture, PYRAMID, pyramidOf } from './pyramid.ts';
import { selectDetections } from './select-detections.ts';

/** P-, R- and O-Net, converted with rows before columns. */
export interface MtcnnModels {
  readonly proposal: VisionModel;
  readonly refine: VisionModel;
  readonly output: VisionModel;
}

/** Scores a candidate needs in P- and R-Net, and overlaps from which two are one, as in the authors' code. */
const PROPOSAL_SCORE = 0.6;
const REFINE_SCORE = 0.7;
const LEVEL_IOU = 0.5;
const MERGE_IOU = 0.7;
/** P-Net's window and step, pixels. */
const CELL = 12;
const STRIDE = 2;
/** Most candidates R-Net looks at; the best first. */
const MOST_PROPOSALS = 200;
const NO_MARGINS: Margins = { left: 0, top: 0, right: 0, bottom: 0 };

/** From MTCNN's boxes to those of RFB-320, as for BlazeFace (scripts/measure-boxes.ts). */
const MARGINS: Margins = NO_MARGINS;

/**
 * MTCNN (Zhang et al., "Joint Face Detection and Alignment Using Multitask Cascaded Convolutional Networks", 2016): P-Net
 * proposes over a pyramid of sizes, R-Net and O-Net look again and correct the box. The smallest face is 12 of 320x240
 * pixels of the letterboxed picture. Throws MODEL_UNSUPPORTED when the first model does not take the pyramid.
 */
export function mtcnnDetector({ proposal, refine, output }: MtcnnModels, options: DetectionOptions): FaceDetector {
  const { width, height } = proposal.input;
  if (width !== PYRAMID.size.width || height !== PYRAMID.size.height) {
    const wanted = `${PYRAMID.size.width}x${PYRAMID.size.height}`;
    throw new EyelineError('MODEL_UNSUPPORTED', `model ${proposal.id} takes ${width}x${height}: ${wanted} is needed`);
  }
  const leastScore = lowestScore(options);
  return {
    input: PYRAMID.levels[0]?.size ?? PYRAMID.size,
    async detect(picture, trace) {
      const outputs = await proposal.run([await pyramidOf(picture)], trace);
      const proposed = proposals(proposal, outputs, picture).slice(0, MOST_PROPOSALS);
      const refined = await looked(refine, REFINE_NAMES, picture, proposed, trace);
      const kept = suppressOverlaps(
        refined.filter(({ score }) => score >= REFINE_SCORE),
        MERGE_IOU,
      );
      const final = await looked(output, OUTPUT_NAMES, picture, kept, trace);
      const sure = final.filter(({ score }) => score >= leastScore);
      return selectDetections(
        sure.map(({ box, score }) => ({ box: grown(box, MARGINS), score })),
        picture,
        options,
      );
    },
  };
}

interface Names {
  readonly score: string;
  readonly offsets: string;
}
const PROPOSAL_NAMES: Names = { score: 'pnet/prob1', offsets: 'pnet/conv4-2/BiasAdd' };
const REFINE_NAMES: Names = { score: 'rnet/prob1', offsets: 'rnet/conv5-2/conv5-2' };
const OUTPUT_NAMES: Names = { score: 'onet/prob1', offsets: 'onet/conv6-2/conv6-2' };

/** What P-Net takes for faces, best first, one a face. */
function proposals(model: VisionModel, outputs: Outputs, picture: Size): Detection[] {
  const scores = namedOutput(model, outputs, PROPOSAL_NAMES.score);
  const offsets = namedOutput(model, outputs, PROPOSAL_NAMES.offsets);
  const [, rows = 0, columns = 0] = scores.shape;
  const found = PYRAMID.levels.flatMap((level) => {
    const { offset, size } = level;
    const inLevel: Detection[] = [];
    const lastRow = Math.min(rows - 1, (offset.y + size.height - CELL) / STRIDE);
    const lastColumn = Math.min(columns - 1, (offset.x + size.width - CELL) / STRIDE);
    for (let row = offset.y / STRIDE; row <= lastRow; row++) {
      for (let column = offset.x / STRIDE; column <= lastColumn; column++) {
        const cell = row * columns + column;
        const score = scores.data[cell * 2 + 1] ?? 0;
        if (!(score >= PROPOSAL_SCORE)) continue;
        const window = { x: column * STRIDE, y: row * STRIDE, width: CELL, height: CELL };
        const box = levelBoxToPicture(level, picture, window);
        if (box) inLevel.push({ box: corrected(box, offsets.data, cell), score });
      }
    }
    return suppressOverlaps(inLevel, LEVEL_IOU);
  });
  return suppressOverlaps(found, MERGE_IOU);
}

/** Candidates as a network sees them that looks at each, squared: with its score and its correction. */
async function looked(
  model: VisionModel,
  names: Names,
  picture: Picture,
  candidates: readonly Detection[],
  trace: RunTrace | undefined,
): Promise<Detection[]> {
  if (candidates.length === 0) return [];
  const { width, height } = model.input;
  const boxes = candidates.map(({ box }) => squared(box));
  const crops = await picture.cut(
    boxes.map((box) => ({ matrix: boxToCrop(box, model.input), width, height, colour: 'rgb' })),
  );
  const outputs = await model.run(crops, trace);
  const scores = namedOutput(model, outputs, names.score);
  const offsets = namedOutput(model, outputs, names.offsets);
  return boxes.map((box, row) => ({
    box: corrected(box, offsets.data, row),
    score: scores.data[row * 2 + 1] ?? 0,
  }));
}

/** The box with its corners moved by shares of its size: left, top, right, bottom. */
function corrected({ x, y, width, height }: Box, offsets: Float32Array, row: number): Box {
  const at = (which: number) => offsets[row * 4 + which] ?? 0;
  const left = x + at(0) * width;
  const top = y + at(1) * height;
  return { x: left, y: top, width: x + width + at(2) * width - left, height: y + height + at(3) * height - top };
}

/** The square around a box, about its centre. */
export function squared({ x, y, width, height }: Box, scale = 1): Box {
  const side = Math.max(width, height) * scale;
  return { x: x + (width - side) / 2, y: y + (height - side) / 2, width: side, height: side };
}
