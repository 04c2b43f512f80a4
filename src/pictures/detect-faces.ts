import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { EyelineError, messageOf } from '../core/errors.ts';
import type { Picture } from '../core/picture.ts';
import { PaddedPicture } from '../evaluation/padded-picture.ts';
import type { FaceAnalyser } from '../faces/face-analyser.ts';
import type { DetectOutcome, DetectTask } from './picture-protocol.ts';
import type { PictureTools, StoredPicture } from './picture-tools.ts';
import { chooseFace } from './read-face.ts';
import { simulateMask } from './simulate-mask.ts';

export interface DetectTools extends Pick<PictureTools, 'decode' | 'rgbPicture'> {
  /** What is measured. */
  readonly analyser: Pick<FaceAnalyser, 'detect'>;
  /** What finds the face a mask is drawn on. */
  masking(): Promise<Pick<FaceAnalyser, 'detect' | 'describe'>>;
}

/** Looks for faces in a stored picture and takes the time. Rejects with what is no fault of the picture. */
export async function detectFaces(task: Omit<DetectTask, 'kind'>, tools: DetectTools): Promise<DetectOutcome> {
  let stored: StoredPicture;
  let digest: string;
  try {
    const bytes = await readFile(task.file);
    digest = createHash('sha256').update(bytes).digest('hex');
    stored = await tools.decode(bytes, task.file);
  } catch (error) {
    if (error instanceof EyelineError && error.code !== 'PICTURE_REFUSED') throw error;
    return { outcome: 'unreadable', reason: messageOf(error) };
  }
  const { width, height } = stored;
  let masked: StoredPicture | null = null;
  try {
    if (task.mask) {
      masked = await withMask(stored, `${task.mask.seed} ${digest}`, tools);
      if (!masked) return { outcome: 'no-face' };
    }
    const plain: Picture = masked ?? stored;
    const picture = task.pad > 0 ? new PaddedPicture(plain, task.pad) : plain;
    const offset = { x: (picture.width - width) / 2, y: (picture.height - height) / 2 };
    const started = performance.now();
    const faces = await tools.analyser.detect(picture);
    return { outcome: 'looked', size: { width, height }, offset, faces, ms: performance.now() - started };
  } finally {
    masked?.release();
    stored.release();
  }
}

async function withMask(picture: Picture, seed: string, tools: DetectTools): Promise<StoredPicture | null> {
  const masking = await tools.masking();
  const chosen = chooseFace(await masking.detect(picture), picture, 'central');
  const [face] = chosen ? await masking.describe(picture, [chosen]) : [];
  return face ? simulateMask(picture, face, seed, tools) : null;
}
