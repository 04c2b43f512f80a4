import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type OpenFaceAnalyser, openFaceAnalyser } from '../../src/app.ts';
import { decodePicture, encodeJpeg, type OpencvPicture } from '../../src/capture/opencv-picture.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { cosine } from '../../src/faces/embedding.ts';
import { createModelStore } from '../../src/inference/store.ts';
import { describeFaceAnalyser } from '../faces/face-analyser-contract.ts';
import { MODELS_DIR, testConfig } from '../rig/config.ts';

let chain: OpenFaceAnalyser;
/** The same, with faces aligned in the encoder's graph. */
let fused: OpenFaceAnalyser;
let crowd: OpencvPicture;
let empty: OpencvPicture;

beforeAll(async () => {
  const store = await createModelStore({ dir: MODELS_DIR, extraManifest: null, logger: silentLogger });
  await store.pull(store.pictureIds);
  const photo = await store.file('sample6');
  crowd = await decodePicture(await readFile(photo), photo);
  const grey = new Uint8Array(640 * 480 * 3).fill(128);
  empty = await decodePicture(await encodeJpeg(grey, { width: 640, height: 480 }), 'grey');
  chain = await openFaceAnalyser(await testConfig({ alignment: 'opencv' }), silentLogger);
  fused = await openFaceAnalyser(await testConfig({ alignment: 'graph' }), silentLogger);
});

afterAll(async () => {
  crowd?.release();
  empty?.release();
  await chain?.close();
  await fused?.close();
});

describeFaceAnalyser('the chain of real models', async () => ({ analyser: chain.analyser, crowd, empty }));
describeFaceAnalyser('the chain that aligns in the graph', async () => ({ analyser: fused.analyser, crowd, empty }));

it('gives templates that fit either way of alignment', async () => {
  expect(fused.encoder).toEqual(chain.encoder);
  const faces = await chain.analyser.describe(crowd, await chain.analyser.detect(crowd));
  const [byCrops, byFrames] = [await chain.analyser.embed(crowd, faces), await fused.analyser.embed(crowd, faces)];
  expect(faces.length).toBeGreaterThanOrEqual(3);
  for (const [index, embedding] of byCrops.entries()) {
    const other = byFrames[index];
    if (!embedding || !other) throw new Error(`face ${index} is none to the encoder`);
    expect(cosine(embedding, other)).toBeGreaterThan(0.999);
  }
});
