import type { VisionModel } from '../../inference/vision-model.ts';
import { type DetectionOptions, decodeDetections, type FaceDetector } from '../detect.ts';
import { namedOutput } from '../model-output.ts';

/** A detector of the UltraFace family (RFB-320): one run over the letterboxed picture. */
export function ultraFaceDetector(model: VisionModel, options: DetectionOptions): FaceDetector {
  return {
    input: model.input,
    async detect(picture, trace) {
      const outputs = await model.run([await picture.fit(model.input)], trace);
      const named = { scores: namedOutput(model, outputs, 'scores'), boxes: namedOutput(model, outputs, 'boxes') };
      return decodeDetections(named, 0, picture, model.input, options);
    },
  };
}
