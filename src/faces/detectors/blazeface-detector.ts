import { type Box, letterbox, type Point, type Size } from '../../core/geometry.ts';
import type { Outputs, Tensor, VisionModel } from '../../inference/vision-model.ts';
import type { Detection, DetectionOptions, FaceDetector } from '../detect.ts';
import { namedOutput } from '../model-output.ts';
import { grown, type Margins } from './margins.ts';
import { selectDetections } from './select-detections.ts';

/** Anchors of the 256 pixel model: two in each cell of 16 pixels, six in each of 32. */
const GRIDS = [
  { scores: 'Identity', boxes: 'Identity_2', stride: 16, anchors: 2 },
  { scores: 'Identity_1', boxes: 'Identity_3', stride: 32, anchors: 6 },
] as const;
/** Numbers an anchor: offset of the centre, size, then six points, which are not used. */
const BOX_VALUES = 16;

/**
 * From the boxes of BlazeFace (brows to chin) to those of RFB-320 (hair line to chin), which landmark models are trained
 * on: shares of the box to grow by on each side. Medians over `lfw/train` (scripts/measure-boxes.ts).
 */
const MARGINS: Margins = { left: -0.055, top: 0.255, right: -0.071, bottom: 0.009 };

/**
 * A detector of the BlazeFace family with two grids of anchors (Bazarevsky et al., "BlazeFace", 2019; the back camera
 * model of MediaPipe): one run over the letterboxed picture.
 */
export function blazeFaceDetector(model: VisionModel, options: DetectionOptions): FaceDetector {
  return {
    input: model.input,
    async detect(picture, trace) {
      const outputs = await model.run([await picture.fit(model.input)], trace);
      return selectDetections(decodeBlazeFace(model, outputs, picture), picture, options);
    },
  };
}

/** All candidates of the first picture of a batch, boxes in pixels of the picture; not yet chosen from. */
function* decodeBlazeFace(model: VisionModel, outputs: Outputs, picture: Size): Generator<Detection> {
  const toPicture = outOfLetterbox(picture, model.input);
  for (const { scores, boxes, stride, anchors } of GRIDS) {
    const logits = namedOutput(model, outputs, scores);
    const values = namedOutput(model, outputs, boxes);
    const columns = model.input.width / stride;
    const candidates = logits.shape[1] ?? 0;
    for (let index = 0; index < candidates; index++) {
      const cell = Math.floor(index / anchors);
      const centre = { x: ((cell % columns) + 0.5) * stride, y: (Math.floor(cell / columns) + 0.5) * stride };
      const box = toPicture(boxOf(values, index, centre));
      yield { box: grown(box, MARGINS), score: 1 / (1 + Math.exp(-(logits.data[index] ?? 0))) };
    }
  }
}

function boxOf({ data }: Tensor, index: number, anchor: Point): Box {
  const at = (which: number) => data[index * BOX_VALUES + which] ?? 0;
  const [width, height] = [at(2), at(3)];
  return { x: anchor.x + at(0) - width / 2, y: anchor.y + at(1) - height / 2, width, height };
}

function outOfLetterbox(picture: Size, input: Size): (box: Box) => Box {
  const { inner, offset } = letterbox(picture, input);
  const [sx, sy] = [picture.width / inner.width, picture.height / inner.height];
  return ({ x, y, width, height }) => ({
    x: (x - offset.x) * sx,
    y: (y - offset.y) * sy,
    width: width * sx,
    height: height * sy,
  });
}
