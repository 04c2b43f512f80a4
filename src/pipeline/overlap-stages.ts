import type { Frame } from '../core/picture.ts';
import type { RunTrace } from '../inference/vision-model.ts';

/** What is done with each frame. Neither stage may reject. */
export interface Stages<Job extends { readonly detectTrace: RunTrace }, Found> {
  begin(frame: Frame): Job;
  /** Several frames at a time; `detectTrace` is filled in when it is done. */
  detect(job: Job): Promise<Found>;
  /** In the order of the frames, one at a time. */
  settle(job: Job, found: Found): Promise<void>;
}

/**
 * As long as a frame waits for the detector no longer than it takes one frame, or than this, frames are fetched ahead and the
 * next one is given to the detector already: else the model would wait for frames. Where more frames wait for the model,
 * the next one had better be taken as late as possible.
 */
const AHEAD_BELOW_MS = 2;
const AHEAD_BELOW_RUNS = 1.5;
/** One frame on its way while another is there already: the way to the camera's process takes about as long as a run. */
const FETCH_AHEAD_FRAMES = 2;
/** Frames whose faces are looked for at a time: while two are in the model, the next waits right in front of it. */
const DETECT_FRAMES = 3;

/** Takes frames through both stages until they end, the first of the next frames while the second of one is going on. */
export async function overlapStages<Job extends { readonly detectTrace: RunTrace }, Found>(
  frames: AsyncIterable<Frame>,
  stages: Stages<Job, Found>,
): Promise<void> {
  const iterator = frames[Symbol.asyncIterator]();
  const coming: Promise<IteratorResult<Frame>>[] = [];
  const fetch = (count: number) => {
    while (coming.length < count) {
      const next = iterator.next();
      // It is waited for later; until then a failure must not count as unhandled.
      next.catch(() => {});
      coming.push(next);
    }
  };
  /** Of frames whose faces are looked for. */
  const looking = new Set<Promise<void>>();
  /** Of all frames in work, oldest first. */
  const inWork: Promise<void>[] = [];
  let settled: Promise<void> = Promise.resolve();
  let ahead = true;
  for (;;) {
    while (looking.size >= (ahead ? DETECT_FRAMES : 1)) await Promise.race(looking);
    while (inWork.length > (ahead ? DETECT_FRAMES : 1)) await inWork.shift();
    fetch(1);
    const next = await coming.shift();
    if (!next || next.done) break;
    const job = stages.begin(next.value);
    if (ahead) fetch(FETCH_AHEAD_FRAMES);
    const found = stages.detect(job);
    const detected = found.then(() => {
      const { queuedMs, runMs } = job.detectTrace;
      ahead = queuedMs < Math.max(AHEAD_BELOW_MS, runMs * AHEAD_BELOW_RUNS);
      looking.delete(detected);
    });
    looking.add(detected);
    const before = settled;
    settled = before.then(async () => stages.settle(job, await found));
    inWork.push(settled);
  }
  await settled;
}
