import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OpenFaceAnalyser, openFaceAnalyser } from '../../src/app.ts';
import { decodePicture, encodeJpeg, type OpencvPicture } from '../../src/capture/opencv-picture.ts';
import { iou } from '../../src/core/geometry.ts';
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
describe.each([
  ['blazeface-back', 'facemesh-468', null],
  ['mtcnn', 'mtcnn-onet', null],
  ['rfb-320', 'landmarks-68', 'blazeface-back'],
])('%s and %s', (detector, landmarks, secondDetector) => {
  let other: OpenFaceAnalyser;
  beforeAll(async () => {
    const config = await testConfig();
    const models = { ...config.models, detector, landmarks, secondDetector };
    other = await openFaceAnalyser({ ...config, models }, silentLogger);
  });
  afterAll(() => other?.close());
  describeFaceAnalyser(`${detector}, ${landmarks}, ${secondDetector}`, async () => ({
    analyser: other.analyser,
    crowd,
    empty,
  }));

  it('sees the faces where the usual chain sees them, and their eyes, noses and mouths', async () => {
    const faces = await other.analyser.describe(crowd, await other.analyser.detect(crowd));
    const usual = await chain.analyser.describe(crowd, await chain.analyser.detect(crowd));
    let compared = 0;
    for (const face of usual) {
      const [left, right] = face.landmarks.five;
      const eyes = Math.hypot(right.x - left.x, right.y - left.y);
      const same = faces.find(({ box }) => iou(box, face.box) > 0.5);
      if (!same) continue;
      compared++;
      for (const [index, { x, y }] of same.landmarks.five.entries()) {
        const point = face.landmarks.five[index] ?? { x: Number.NaN, y: Number.NaN };
        expect(Math.hypot(point.x - x, point.y - y) / eyes).toBeLessThan(0.2);
      }
    }
    expect(compared).toBeGreaterThanOrEqual(3);
  });
});

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
