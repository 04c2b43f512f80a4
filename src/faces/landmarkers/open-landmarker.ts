import { EyelineError } from '../../core/errors.ts';
import type { ModelEntry } from '../../inference/manifest.ts';
import type { OpenModel } from '../detectors/open-detector.ts';
import type { FaceLandmarker } from './face-landmarker.ts';
import { faceMeshLandmarker } from './facemesh-landmarker.ts';
import { ibugLandmarker } from './ibug-landmarker.ts';
import { onetLandmarker } from './onet-landmarker.ts';

/** A landmark model for the user of a lane. */
export type LandmarkerOf = (lane: string) => FaceLandmarker;

/**
 * Opens a landmark model of the manifest. Throws MODEL_UNSUPPORTED when the entry is none, and what opening a model throws.
 */
export async function openLandmarker(entry: ModelEntry, open: OpenModel): Promise<LandmarkerOf> {
  if (entry.role !== 'landmarks') {
    throw new EyelineError('MODEL_UNSUPPORTED', `${entry.id} is no landmark model: it is there for ${entry.role}`);
  }
  const model = await open(entry.id);
  if (entry.family === 'facemesh') return (lane) => faceMeshLandmarker(model.lane(lane));
  if (entry.family === 'mtcnn-onet') return (lane) => onetLandmarker(model.lane(lane));
  return (lane) => ibugLandmarker(model.lane(lane));
}
