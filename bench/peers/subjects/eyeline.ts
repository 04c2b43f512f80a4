import type { OpencvPicture as Picture } from '../../../src/capture/opencv-picture.ts';
import { type BuiltProgram, loadProgram } from '../program.ts';
import { type FaceSystem, MAX_FACES, type RgbPicture } from '../system.ts';

/** As many as a worker for stored pictures has (src/pictures/picture-pool.ts). */
const IN_HAND = 4;

/**
 * The built program's own chain on its default models and thresholds.
 *
 * @param alone one picture at a time, as enrolment takes them, on the threads of the daemon; else as each of several
 *   workers reads stored pictures (src/pictures/picture-worker.ts): on one thread, with some pictures in hand
 */
export async function openEyeline(alone: boolean): Promise<FaceSystem> {
  const program = await loadProgram();
  const base = await program.config();
  if (!alone) program.loadOpencv().setNumThreads(1);
  const config = {
    ...base,
    inference: { ...base.inference, threads: alone ? base.inference.threads : 1 },
    detection: { ...base.detection, maxFaces: MAX_FACES },
  };
  const { analyser, encoder } = await program.openFaceAnalyser(config, program.silentLogger, {
    runIn: alone ? 'own-thread' : 'this-thread',
  });
  const { detector, landmarks } = config.models;
  return {
    name: `eyeline ${program.version}`,
    runsOn: `ONNX Runtime, ${config.inference.providers.join(' or ')}, one process: a thread a core, at most 4; several: one each`,
    inHand: alone ? 1 : IN_HAND,
    settings: `${detector}, ${landmarks}, ${encoder.id}; default thresholds`,
    async read(picture) {
      const held = toPicture(program, picture);
      try {
        const faces = await analyser.describe(held, await analyser.detect(held));
        const embeddings = await analyser.embed(held, faces);
        return faces.flatMap(({ box }, index) => {
          const made = embeddings[index];
          return made ? [{ box, embedding: made.embedding }] : [];
        });
      } finally {
        held.release();
      }
    },
  };
}

function toPicture({ loadOpencv, OpencvPicture }: BuiltProgram, { width, height, rgb }: RgbPicture): Picture {
  const cv = loadOpencv();
  const mat = new cv.Mat(rgb, height, width, cv.CV_8UC3);
  const bgr = mat.cvtColor(cv.COLOR_RGB2BGR);
  mat.release();
  return new OpencvPicture(cv, bgr);
}
