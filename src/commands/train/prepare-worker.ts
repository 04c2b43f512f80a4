/** Entry of a process that prepares pictures for training: the face chain and the drawing of masks, on one core. */
import { readFile } from 'node:fs/promises';
import { openFaceAnalyser } from '../../app.ts';
import { loadOpencv } from '../../capture/opencv.ts';
import { decodePicture, type OpencvPicture } from '../../capture/opencv-picture.ts';
import type { Config } from '../../config/schema.ts';
import { messageOf } from '../../core/errors.ts';
import { silentLogger } from '../../core/logger.ts';
import type { FaceAnalyser } from '../../faces/face-analyser.ts';
import { prepareFace } from '../../training/data/prepare-face.ts';
import type { PrepareAnswer, PrepareJob } from '../../training/data/prepare-set.ts';
import { serveJobs } from '../dataset/serve-jobs.ts';

/** What a preparing process is given. */
export interface PrepareWorkerData {
  readonly config: Pick<Config, 'models' | 'inference' | 'detection'>;
}

serveJobs<PrepareWorkerData, PrepareJob, PrepareAnswer>(async ({ config }) => {
  loadOpencv().setNumThreads(1);
  const inference = { ...config.inference, threads: 1 };
  const { analyser, close } = await openFaceAnalyser({ ...config, inference }, silentLogger, { runIn: 'this-thread' });
  return { run: (job) => prepare(job, analyser), close };
});

async function prepare(job: PrepareJob, analyser: FaceAnalyser): Promise<PrepareAnswer> {
  let picture: OpencvPicture;
  try {
    picture = await decodePicture(await readFile(job.file), job.file);
  } catch (error) {
    return { face: null, reason: messageOf(error).split('\n')[0] ?? '' };
  }
  try {
    const face = await prepareFace(picture, job.name, analyser, job);
    return face ? { face, reason: null } : { face: null, reason: 'no face was found' };
  } finally {
    picture.release();
  }
}
