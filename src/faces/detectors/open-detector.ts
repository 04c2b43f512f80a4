import { EyelineError } from '../../core/errors.ts';
import type { ModelEntry } from '../../inference/manifest.ts';
import type { VisionModel } from '../../inference/vision-model.ts';
import { type DetectionOptions, type FaceDetector, lowestScore } from '../detect.ts';
import { blazeFaceDetector } from './blazeface-detector.ts';
import { type CloserLook, closerLookDetector } from './closer-look-detector.ts';
import { mtcnnDetector } from './mtcnn-detector.ts';
import { ultraFaceCloser, ultraFaceDetector } from './ultraface-detector.ts';

/** An open model, for one of several users at a time. */
export interface SharedModel {
  lane(name: string): VisionModel;
}

/** Opens the model of an id. */
export type OpenModel = (id: string) => Promise<SharedModel>;

/** A detector for the user of a lane. */
export type DetectorOf = (lane: string, options: DetectionOptions) => FaceDetector;

/**
 * Opens a detector of the manifest with all its networks. Throws MODEL_UNSUPPORTED when the entry is no detector, and what
 * opening a model throws.
 *
 * @param closerLook what is looked at again from close by, by a detector that can
 */
export async function openDetector(entry: ModelEntry, open: OpenModel, closerLook: CloserLook): Promise<DetectorOf> {
  if (entry.role !== 'detector') {
    throw new EyelineError('MODEL_UNSUPPORTED', `${entry.id} is no detector: it is there for ${entry.role}`);
  }
  const model = await open(entry.id);
  if (entry.family === 'blazeface') return (lane, options) => blazeFaceDetector(model.lane(lane), options);
  if (entry.family !== 'mtcnn') return (lane, options) => ultraFace(model.lane(lane), options, closerLook);
  const [refineId = '', outputId = ''] = entry.stages ?? [];
  const [refine, output] = [await open(refineId), await open(outputId)];
  return (lane, options) =>
    mtcnnDetector({ proposal: model.lane(lane), refine: refine.lane(lane), output: output.lane(lane) }, options);
}

function ultraFace(model: VisionModel, options: DetectionOptions, closerLook: CloserLook): FaceDetector {
  if (closerLook.most === 0) return ultraFaceDetector(model, options);
  const lowScore = Math.min(lowestScore(options), closerLook.fromScore);
  const first = ultraFaceDetector(model, { ...options, lowScore });
  return closerLookDetector(first, ultraFaceCloser(model), closerLook, options);
}
