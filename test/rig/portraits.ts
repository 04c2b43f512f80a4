import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { decodePicture, encodeJpeg, rgbPicture } from '../../src/capture/opencv-picture.ts';
import type { Affine, Box } from '../../src/core/geometry.ts';
import { silentLogger } from '../../src/core/logger.ts';
import type { Picture } from '../../src/core/picture.ts';
import { createModelStore } from '../../src/inference/store.ts';
import { simulateMask } from '../../src/pictures/simulate-mask.ts';
import { openFaceAnalyser } from '../../src/wiring/open-faces.ts';
import { MODELS_DIR, testConfig } from './config.ts';

const SIDE = 200;
/** Turns of the pictures of a person, radians. */
const ANGLES = [0, 0.15, -0.2];
const MASKED_ANGLE = 0.05;

/**
 * Cuts the faces out of the project's photos: a folder a person with pictures 0.jpg to 2.jpg, each turned otherwise.
 *
 * @param masked whether there is one with a simulated mask, too: the folder of a person holds `plain` and `masked` then
 */
export async function writePortraits(folder: string, people: number, { masked = false } = {}): Promise<void> {
  const store = await createModelStore({ dir: MODELS_DIR, extraManifest: null, logger: silentLogger });
  const photos = ['sample6', 'sample3', 'sample5'];
  await store.pull([...store.modelIds, ...photos]);
  const chain = await openFaceAnalyser(await testConfig(), silentLogger);
  let person = 0;
  for (const id of photos) {
    const picture = await decodePicture(await readFile(await store.file(id)), id);
    const faces = await chain.analyser.describe(picture, await chain.analyser.detect(picture));
    faces.sort((a, b) => a.box.x - b.box.x);
    for (const face of faces.slice(0, people - person)) {
      const own = join(folder, `person ${person++}`);
      const plain = masked ? join(own, 'plain') : own;
      for (const [index, angle] of ANGLES.entries()) {
        await portrait(picture, face.box, angle, join(plain, `${index}.jpg`));
      }
      if (!masked) continue;
      const covered = await simulateMask(picture, face, 'a test', { rgbPicture });
      await portrait(covered, face.box, MASKED_ANGLE, join(own, 'masked', '0.jpg'));
      covered.release();
    }
    picture.release();
  }
  await chain.close();
  if (person < people) throw new Error(`the photos show ${person} people, not ${people}`);
}

async function portrait(picture: Picture, box: Box, angle: number, file: string): Promise<void> {
  const scale = SIDE / (1.8 * Math.max(box.width, box.height));
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const [cos, sin] = [scale * Math.cos(angle), scale * Math.sin(angle)];
  const matrix: Affine = [cos, -sin, SIDE / 2 - cos * x + sin * y, sin, cos, SIDE / 2 - sin * x - cos * y];
  const [rgb] = await picture.cut([{ width: SIDE, height: SIDE, matrix, colour: 'rgb' }]);
  if (!rgb) throw new Error('no crop');
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, await encodeJpeg(rgb, { width: SIDE, height: SIDE }));
}
