import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { decodePicture, encodeJpeg } from '../../src/capture/opencv-picture.ts';
import type { Affine, Box } from '../../src/core/geometry.ts';
import { silentLogger } from '../../src/core/logger.ts';
import type { Picture } from '../../src/core/picture.ts';
import { createModelStore } from '../../src/inference/store.ts';
import { openFaceAnalyser } from '../../src/wiring/open-faces.ts';
import { MODELS_DIR, testConfig } from './config.ts';

const SIDE = 200;
/** Turns of the pictures of a person, radians. */
const ANGLES = [0, 0.15, -0.2];

/** Cuts the faces out of the project's photos: a folder a person with so many pictures, each turned otherwise. */
export async function writePortraits(folder: string, people: number, pictures = ANGLES.length): Promise<void> {
  const store = await createModelStore({ dir: MODELS_DIR, extraManifest: null, logger: silentLogger });
  const photos = ['sample6', 'sample3', 'sample5'];
  await store.pull([...store.modelIds, ...photos]);
  const chain = await openFaceAnalyser(await testConfig(), silentLogger);
  let person = 0;
  for (const id of photos) {
    const picture = await decodePicture(await readFile(await store.file(id)), id);
    const faces = await chain.analyser.describe(picture, await chain.analyser.detect(picture));
    faces.sort((a, b) => a.box.x - b.box.x);
    for (const { box } of faces.slice(0, people - person)) {
      for (const [index, angle] of ANGLES.slice(0, pictures).entries()) {
        await portrait(picture, box, angle, join(folder, `person ${person}`, `${index}.jpg`));
      }
      person++;
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
