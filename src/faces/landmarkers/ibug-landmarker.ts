import { EyelineError } from '../../core/errors.ts';
import type { VisionModel } from '../../inference/vision-model.ts';
import { decodeLandmarks, IBUG_VALUES, ibugLandmarks } from '../landmarks.ts';
import { outputOfSize, rowOf } from '../model-output.ts';
import { type FaceLandmarker, greyCut } from './face-landmarker.ts';

/**
 * A model of the 68 points of iBUG: it is given the face's box in grey, scaled to its square input whatever the shape. Of
 * its outputs the one with 136 numbers a face is the points. Throws MODEL_UNSUPPORTED for a model with another input.
 */
export function ibugLandmarker(model: VisionModel): FaceLandmarker {
  const { width: side, height, channels } = model.input;
  if (side !== height || channels !== 1) {
    const found = `${side}x${height}x${channels}`;
    throw new EyelineError('MODEL_UNSUPPORTED', `model ${model.id} takes ${found}: a grey square is needed`);
  }
  return {
    async locate(picture, detections, trace) {
      if (detections.length === 0) return [];
      const crops = await picture.cut(detections.map((detection) => greyCut(detection, side)));
      const outputs = await model.run(crops, trace);
      const { name, tensor } = outputOfSize(model, outputs, IBUG_VALUES);
      const others = Object.entries(outputs).filter(([other]) => other !== name);
      return detections.map(({ box }, row) => ({
        landmarks: ibugLandmarks(decodeLandmarks(tensor, row, box)),
        grey: { pixels: crops[row] ?? new Uint8Array(), side },
        extras: Object.fromEntries(others.map(([other, values]) => [other, rowOf(values, row)])),
      }));
    },
  };
}
