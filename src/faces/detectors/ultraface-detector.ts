import { type Box, boxToCrop, type Size } from '../../core/geometry.ts';
import type { RunTrace, VisionModel } from '../../inference/vision-model.ts';
import {
  bestOn,
  type DetectionOptions,
  decodeDetections,
  type FaceDetector,
  type UltraFaceOutputs,
} from '../detect.ts';
import { namedOutput } from '../model-output.ts';
import type { LookCloser } from './closer-look-detector.ts';

/** Share of the model's input that the longer side of a face takes, of its height, when it is looked at from close by. */
const CLOSE = 0.35;

/** A detector of the UltraFace family (RFB-320): one run over the letterboxed picture. */
export function ultraFaceDetector(model: VisionModel, options: DetectionOptions): FaceDetector {
  return {
    input: model.input,
    async detect(picture, trace) {
      const outputs = await look(model, [await picture.fit(model.input)], trace);
      return decodeDetections(outputs, 0, picture, model.input, options);
    },
  };
}

/** The same network on what surrounds each box: one run for all. */
export function ultraFaceCloser(model: VisionModel): LookCloser {
  const { width, height } = model.input;
  return async (picture, boxes, trace) => {
    const crops = await picture.cut(
      boxes.map((box) => ({
        matrix: boxToCrop(around(box, model.input), model.input),
        width,
        height,
        colour: 'rgb',
      })),
    );
    const outputs = await look(model, crops, trace);
    return boxes.map((box, row) => {
      const part = around(box, model.input);
      const seen = {
        x: (box.x - part.x) / part.width,
        y: (box.y - part.y) / part.height,
        width: box.width / part.width,
        height: box.height / part.height,
      };
      const best = bestOn(outputs, row, seen);
      return best && { box: outOf(part, best.box), score: best.score };
    });
  };
}

async function look(model: VisionModel, pictures: readonly Uint8Array[], trace?: RunTrace): Promise<UltraFaceOutputs> {
  const outputs = await model.run(pictures, trace);
  return { scores: namedOutput(model, outputs, 'scores'), boxes: namedOutput(model, outputs, 'boxes') };
}

/** The part of a picture with a box in its middle, of the shape of the input. */
function around({ x, y, width, height }: Box, input: Size): Box {
  const down = Math.max(width, height) / CLOSE;
  const across = (down * input.width) / input.height;
  return { x: x + (width - across) / 2, y: y + (height - down) / 2, width: across, height: down };
}

/** A box in 0..1 of a part of a picture, in pixels of the picture. */
function outOf(part: Box, { x, y, width, height }: Box): Box {
  return {
    x: part.x + x * part.width,
    y: part.y + y * part.height,
    width: width * part.width,
    height: height * part.height,
  };
}
