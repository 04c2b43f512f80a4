import type { OpencvPicture as Picture } from '../../../src/capture/opencv-picture.ts';
import { type BuiltProgram, loadProgram } from '../program.ts';
import { type FaceSystem, MAX_FACES, type RgbPicture } from '../system.ts';

/**
 * The built program's own chain, as enrolment uses it, on its default models and thresholds.
 *
 * @param threads of ONNX Runtime; 0 takes as many as the daemon would
 */
export async function openEyeline(threads: number): Promise<FaceSystem> {
  const program = await loadProgram();
  const base = await program.config();
  const config = {
    ...base,
    inference: { ...base.inference, threads },
    detection: { ...base.detection, maxFaces: MAX_FACES },
  };
  const { reader, encoder } = await program.openFaceReader(config, program.silentLogger);
  const { detector, landmarks } = config.models;
  return {
    name: `eyeline ${program.version}`,
    runsOn: `ONNX Runtime, ${config.inference.providers.join(' or ')}; alone a thread a core, at most 4, else one a process`,
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
