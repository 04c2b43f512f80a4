import { EyelineError } from '../../core/errors.ts';
import type { ModelEntry } from '../../inference/manifest.ts';
import type { VisionModel } from '../../inference/vision-model.ts';
import type { DetectionOptions, FaceDetector } from '../detect.ts';
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

/** Which finds are looked at again from close by, by a detector that can. */
export interface DetectorLooks {
  readonly closerLook: CloserLook;
}

/**
 * Opens a detector of the manifest with all its networks. Throws MODEL_UNSUPPORTED when the entry is no detector, and what
 * opening a model throws.
 */
export async function openDetector(
  entry: ModelEntry,
  open: OpenModel,
  { closerLook }: DetectorLooks,
): Promise<DetectorOf> {
  if (entry.role !== 'detector') {
    throw new EyelineError('MODEL_UNSUPPORTED', `${entry.id} is no detector: it is there for ${entry.role}`);
  }
  const model = await open(entry.id);
  if (entry.family === 'blazeface') return (lane, options) => blazeFaceDetector(model.lane(lane), options);
  if (entry.family !== 'mtcnn') {
    return (lane, options) => lookingCloser(model.lane(lane), options, closerLook);
  }
  const [refineId = '', outputId = ''] = entry.stages ?? [];
  const [refine, output] = [await open(refineId), await open(outputId)];
  return (lane, options) =>
    mtcnnDetector({ proposal: model.lane(lane), refine: refine.lane(lane), output: output.lane(lane) }, options);
}

function lookingCloser(model: VisionModel, options: DetectionOptions, closerLook: CloserLook): FaceDetector {
  const { minScore, lowScore = minScore } = options;
  if (closerLook.most === 0) return ultraFaceDetector(model, options);
  const least = Math.min(minScore, lowScore);
  const first = ultraFaceDetector(model, { ...options, lowScore: Math.min(least, closerLook.fromScore) });
  return closerLookDetector(first, ultraFaceCloser(model), closerLook, options);
}
