/**
 * Entry of a picture worker: a process that decodes stored pictures and runs the chain of faces on them, all by itself.
 * One a core uses the machine better than runs that share cores: nothing waits for anything, so files are read right here
 * too. A process and not a thread, since the OpenCV add-on keeps its classes once a process, and since a picture that
 * crashes a decoder crashes one worker.
 */
import { isDeepStrictEqual } from 'node:util';
import { loadOpencv } from '../capture/opencv.ts';
import { decodePicture, encodePicture, rgbPicture } from '../capture/opencv-picture.ts';
import { configSchema } from '../config/schema.ts';
import { EyelineError, messageOf } from '../core/errors.ts';
import { silentLogger } from '../core/logger.ts';
import { collectYoungGarbage } from '../core/young-garbage.ts';
import type { FaceAnalyser } from '../faces/face-analyser.ts';
import { PixelsFile } from '../training/data/pixels-file.ts';
import { openFaceAnalyser } from '../wiring/open-faces.ts';
import { type DetectTools, detectFaces } from './detect-faces.ts';
import { maskPicture, samplePicture } from './mask-picture.ts';
import type {
  ChainConfig,
  FromPictureWorker,
  PictureAnswer,
  PictureTask,
  ToPictureWorker,
} from './picture-protocol.ts';
import type { PictureTools } from './picture-tools.ts';
import { preparePicture } from './prepare-picture.ts';
import { type FaceTools, readFace } from './read-face.ts';
import { readPicture } from './read-picture.ts';
import { seenBy, simulateMask } from './simulate-mask.ts';
import { readTemplates, walkBy } from './walk-by.ts';

/** Where masks are drawn is told by these models, whatever models are measured: all meet the same masks. */
const REFERENCE = {
  models: { detector: 'rfb-320', secondDetector: null, landmarks: 'landmarks-68' },
  detection: configSchema.parse({ detection: { closerLook: { most: 0 } } }).detection,
};

type OpenMessage = Extract<ToPictureWorker, { type: 'open' }>;
type DoTask = (task: PictureTask) => Promise<PictureAnswer<PictureTask>>;
/** Tasks between two small garbage collections. */
const TASKS_PER_COLLECTION = 16;

let doTask: Promise<DoTask> | undefined;
let done = 0;

// The parent decides when it ends; Ctrl-C reaches the whole group.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.on('message', async (message: ToPictureWorker) => {
  const told = (error: unknown) => ({
    code: error instanceof EyelineError ? error.code : null,
    message: messageOf(error),
  });
  if (message.type === 'open') {
    doTask = open(message);
    await doTask.then(
      () => send({ type: 'ready' }),
      (error: unknown) => send({ type: 'failed', ...told(error) }),
    );
  } else if (doTask) {
    const { ticket, task } = message;
    try {
      send({ type: 'answer', ticket, answer: await (await doTask)(task) });
    } catch (error) {
      send({ type: 'refused', ticket, ...told(error) });
    }
    if (++done % TASKS_PER_COLLECTION === 0) collectYoungGarbage();
  }
});

async function open({ config, batching, member }: OpenMessage): Promise<DoTask> {
  loadOpencv().setNumThreads(1);
  const inference = { ...config.inference, threads: 1 };
  const { analyser, cropSize } = await openFaceAnalyser({ ...config, inference }, silentLogger, {
    runIn: 'this-thread',
    ...(config.lowScore !== undefined && { lowScore: config.lowScore }),
    ...(batching === 'repeatable' && { policy: { maxBatch: 1, maxWaitMs: 0 } }),
  });
  let reference: Promise<FaceAnalyser> | undefined;
  const masking = () => {
    reference ??= isReference(config)
      ? Promise.resolve(analyser)
      : openFaceAnalyser({ ...REFERENCE, inference, models: { ...config.models, ...REFERENCE.models } }, silentLogger, {
          runIn: 'this-thread',
          policy: { maxBatch: 1, maxWaitMs: 0 },
        }).then((chain) => chain.analyser);
    return reference;
  };
  const written = new Map<string, PixelsFile>();
  const pixelsIn = (folder: string) => {
    const file = written.get(folder) ?? new PixelsFile(folder, member);
    written.set(folder, file);
    return file;
  };
  const tools: PictureTools & FaceTools & DetectTools = {
    decode: decodePicture,
    encode: encodePicture,
    rgbPicture,
    pixelsIn,
    analyser,
    cropSize,
    simulateMask: async (picture, face, seed, state) =>
      simulateMask(picture, await seenBy(await masking(), picture, face), seed, { rgbPicture, state }),
    masking,
  };
  return (task) => {
    switch (task.kind) {
      case 'read':
        return readPicture(task, tools);
      case 'face':
        return readFace(task, tools);
      case 'detect':
        return detectFaces(task, tools);
      case 'mask':
        return maskPicture(task, tools);
      case 'sample':
        return samplePicture(task, tools);
      case 'prepare':
        return preparePicture(task, tools);
      case 'templates':
        return readTemplates(task, tools);
      case 'walk':
        return walkBy(task, tools);
    }
  };
}

function isReference({ models, detection, lowScore }: ChainConfig): boolean {
  if (lowScore !== undefined) return false;
  const { detector, secondDetector, landmarks } = models;
  return isDeepStrictEqual({ models: { detector, secondDetector, landmarks }, detection }, REFERENCE);
}

function send(message: FromPictureWorker): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}
