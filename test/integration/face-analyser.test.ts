import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll } from 'vitest';
import { type OpenFaceAnalyser, openFaceAnalyser } from '../../src/app.ts';
import { decodePicture, encodeJpeg, type OpencvPicture } from '../../src/capture/opencv-picture.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { createModelStore } from '../../src/inference/store.ts';
import { describeFaceAnalyser } from '../faces/face-analyser-contract.ts';
import { MODELS_DIR, testConfig } from '../rig/config.ts';

let chain: OpenFaceAnalyser;
let crowd: OpencvPicture;
let empty: OpencvPicture;

beforeAll(async () => {
  const store = await createModelStore({ dir: MODELS_DIR, extraManifest: null, logger: silentLogger });
  await store.pull(store.pictureIds);
  const photo = await store.file('sample6');
  crowd = await decodePicture(await readFile(photo), photo);
  const grey = new Uint8Array(640 * 480 * 3).fill(128);
  empty = await decodePicture(await encodeJpeg(grey, { width: 640, height: 480 }), 'grey');
  chain = await openFaceAnalyser(await testConfig(), silentLogger);
});

afterAll(async () => {
  crowd?.release();
  empty?.release();
  await chain?.close();
});

describeFaceAnalyser('the chain of real models', async () => ({ analyser: chain.analyser, crowd, empty }));
