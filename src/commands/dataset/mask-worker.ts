import { openFaceAnalyser } from '../../app.ts';
import { loadOpencv } from '../../capture/opencv.ts';
import type { Config } from '../../config/schema.ts';
import { silentLogger } from '../../core/logger.ts';
import type { WantedMask } from '../../faces/mask/random-mask.ts';
import { type MaskAnswer, type MaskJob, maskPicture, type SampleJob } from './picture-masker.ts';
import { serveJobs } from './serve-jobs.ts';

/** What a masking process is given. */
export interface MaskWorkerData {
  readonly config: Pick<Config, 'models' | 'inference' | 'detection'>;
  readonly wanted: WantedMask;
}

/** Entry of a masking process: the face chain on one core. */
serveJobs<MaskWorkerData, MaskJob | SampleJob, MaskAnswer>(async ({ config, wanted }) => {
  loadOpencv().setNumThreads(1);
  const inference = { ...config.inference, threads: 1 };
  const { analyser, close } = await openFaceAnalyser({ ...config, inference }, silentLogger);
  return { run: (job) => maskPicture(job, analyser, wanted), close };
});
