import type { OpencvPicture as Picture } from '../../../src/capture/opencv-picture.ts';
import { type BuiltProgram, loadProgram } from '../program.ts';
import { type FaceSystem, MAX_FACES, type RgbPicture } from '../system.ts';

/** As many as a worker for stored pictures has: OpenCV works on one while the models run on another. */
const IN_HAND = 4;

/**
 * The built program's own chain, as enrolment uses it, on its default models and thresholds.
 *
 * @param alone one picture at a time, on as many threads as the daemon would take; else as stored pictures are read: each
 *   process one thread, some pictures in hand
 */
export async function openEyeline(alone: boolean): Promise<FaceSystem> {
  const program = await loadProgram();
  const base = await program.config();
  const config = {
    ...base,
    inference: { ...base.inference, threads: alone ? 0 : 1 },
    detection: { ...base.detection, maxFaces: MAX_FACES },
  };
  const { reader, encoder } = await program.openFaceReader(config, program.silentLogger);
  const { detector, landmarks } = config.models;
  return {
    name: `eyeline ${program.version}`,
    runsOn: `ONNX Runtime, ${config.inference.providers.join(' or ')}; one process: a thread a core, at most 4; several: one each`,
    inHand: alone ? 1 : IN_HAND,
    settings: `${detector}, ${landmarks}, ${encoder.id}; default thresholds`,
    async read(picture) {
      const held = toPicture(program, picture);
      try {
        const faces = await reader.read(held);
        return faces.map(({ box, embedding }) => ({ box, embedding }));
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
