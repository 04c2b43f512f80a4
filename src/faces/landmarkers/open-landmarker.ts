import { EyelineError } from '../../core/errors.ts';
import type { ModelEntry } from '../../inference/manifest.ts';
import { ALIGNMENT_POINTS, type AlignmentPoints } from '../align.ts';
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

/** What faces can be aligned by where this model of the manifest finds their landmarks: MTCNN gives no bridge of the nose. */
export function alignmentsGiven({ family }: Pick<ModelEntry, 'family'>): readonly AlignmentPoints[] {
  return family === 'mtcnn-onet' ? ALIGNMENT_POINTS.filter((points) => points !== 'eyes-bridge') : ALIGNMENT_POINTS;
}
