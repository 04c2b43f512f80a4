import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodePicture, encodeJpeg, type OpencvPicture } from '../../src/capture/opencv-picture.ts';
import { iou } from '../../src/core/geometry.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { PaddedPicture } from '../../src/evaluation/padded-picture.ts';
import { cosine } from '../../src/faces/embedding.ts';
import { BUILTIN_MANIFEST } from '../../src/inference/manifest.ts';
import { createModelStore } from '../../src/inference/store.ts';
import { type OpenFaceAnalyser, openFaceAnalyser } from '../../src/wiring/open-faces.ts';
import { describeFaceAnalyser } from '../faces/face-analyser-contract.ts';
import { MODELS_DIR, testConfig } from '../rig/config.ts';

let chain: OpenFaceAnalyser;
/** The same, with faces aligned in the encoder's graph. */
let fused: OpenFaceAnalyser;
/** The same, with a second encoder, for the upper part of the face. */
let routed: OpenFaceAnalyser;
let folder = '';
/** The networks that the shipped ones were trained from, and the others stand in for. */
let usualChain: OpenFaceAnalyser;
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
  folder = await mkdtemp(join(tmpdir(), 'eyeline-upper-'));
  const config = await testConfig();
  // The same weights fed differently: another encoder as far as anybody can tell.
  const full = JSON.parse(await readFile(BUILTIN_MANIFEST, 'utf8')).models.find(
    ({ id }: { id: string }) => id === config.models.encoder,
  );
  const upper = { ...full, id: 'upper', part: 'upper', input: { ...full.input, scale: 0.0078 } };
  const together = { encoder: chain.encoder.fingerprint, share: 0.5 };
  const joint = { ...upper, id: 'joint', alignedBy: 'eyes-bridge', jointWith: together };
  const foreign = { ...joint, id: 'foreign', jointWith: { ...together, encoder: 'f'.repeat(64) } };
  const manifest = join(folder, 'models.json');
  await writeFile(manifest, JSON.stringify({ models: [upper, joint, foreign] }));
  routed = await openFaceAnalyser(
    { ...config, models: { ...config.models, manifest, upperEncoder: 'upper' } },
    silentLogger,
  );
  fused = await openFaceAnalyser(await testConfig({ alignment: 'graph' }), silentLogger);
  const first = { ...config.models, detector: 'rfb-320', landmarks: 'landmarks-68' };
  usualChain = await openFaceAnalyser({ ...config, models: first }, silentLogger);
});

afterAll(async () => {
  crowd?.release();
  empty?.release();
  await chain?.close();
  await fused?.close();
  await usualChain?.close();
  await routed?.close();
  await rm(folder, { recursive: true, force: true });
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
    const upperEncoder = landmarks === 'mtcnn-onet' ? null : config.models.upperEncoder;
    const models = { ...config.models, detector, landmarks, secondDetector, upperEncoder };
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
    const usual = await usualChain.analyser.describe(crowd, await usualChain.analyser.detect(crowd));
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

it('finds from close by the faces of a crowd too far away for one look, each where it is', async () => {
  const config = await testConfig();
  const once = { ...config.detection, closerLook: { ...config.detection.closerLook, most: 0 } };
  const onlyOnce = await openFaceAnalyser({ ...config, detection: once }, silentLogger);
  try {
    // Four times as wide and as high: a face is 17 of the detector's 240 rows.
    const border = 1.5;
    const far = new PaddedPicture(crowd, border);
    const near = await chain.analyser.detect(crowd);
    expect(near).toHaveLength(4);
    expect((await onlyOnce.analyser.detect(far)).length).toBeLessThan(4);
    const found = await chain.analyser.detect(far);
    const [left, top] = [Math.round(crowd.width * border), Math.round(crowd.height * border)];
    for (const { box } of near) {
      const there = { ...box, x: box.x + left, y: box.y + top };
      expect(Math.max(...found.map((face) => iou(face.box, there)))).toBeGreaterThan(0.6);
    }
    expect(found).toHaveLength(4);
  } finally {
    await onlyOnce.close();
  }
});

it('refuses at the start an encoder whose faces are aligned by points the landmark model does not give', async () => {
  const config = await testConfig();
  const models = { ...config.models, landmarks: 'mtcnn-onet', upperEncoder: 'mobilefacenet-512-upper' };
  await expect(openFaceAnalyser({ ...config, models }, silentLogger)).rejects.toThrow(
    /^models\.upperEncoder: faces for mobilefacenet-512-upper are aligned by eyes-bridge, .*mtcnn-onet .*models\.upperEncoder to null$/,
  );
});

describeFaceAnalyser('the chain that aligns in the graph', async () => ({ analyser: fused.analyser, crowd, empty }));

it('gives templates that fit either way of alignment', async () => {
  expect(fused.encoders).toEqual(chain.encoders);
  const faces = await chain.analyser.describe(crowd, await chain.analyser.detect(crowd));
  const [byCrops, byFrames] = [await chain.analyser.embed(crowd, faces), await fused.analyser.embed(crowd, faces)];
  expect(faces.length).toBeGreaterThanOrEqual(3);
  for (const [index, embedding] of byCrops.entries()) {
    const other = byFrames[index];
    if (!embedding || !other) throw new Error(`face ${index} is none to the encoder`);
    expect(cosine(embedding.embedding, other.embedding)).toBeGreaterThan(0.999);
  }
});

it('embeds a face by the encoder for its mask state, and for enrolment by both', async () => {
  const { analyser, encoders } = routed;
  expect(encoders.map(({ part }) => part)).toEqual(['full', 'upper']);
  const [full, upper] = encoders.map(({ fingerprint }) => fingerprint);
  expect(full).not.toBe(upper);
  const [first, second, third] = await analyser.describe(crowd, await analyser.detect(crowd));
  if (!first || !second || !third) throw new Error('a face is missing');
  const masked = { state: 'worn', confidence: 1 } as const;
  const made = await analyser.embed(crowd, [
    { ...first, mask: masked },
    { ...second, mask: null },
    { ...third, mask: { ...masked, state: 'incorrect' } },
  ]);
  expect(made.map((it) => [it?.encoder, it?.part])).toEqual([
    [upper, 'upper'],
    [full, 'full'],
    [upper, 'upper'],
  ]);
  const all = await analyser.embedTemplates(crowd, [first, second, third]);
  expect(all.map((ofFace) => ofFace.map(({ encoder }) => encoder))).toEqual([1, 2, 3].map(() => [full, upper]));
  const likeness = made.map((it, face) => {
    const same = all[face]?.find(({ encoder }) => encoder === it?.encoder);
    return it && same ? cosine(it.embedding, same.embedding) : 0;
  });
  for (const value of likeness) expect(value).toBeGreaterThan(0.999);
});

it('makes templates of bare faces together with the full-face encoder, where the manifest says so', async () => {
  const config = await testConfig();
  const manifest = join(folder, 'models.json');
  const models = { ...config.models, manifest, upperEncoder: 'joint' };
  const joint = await openFaceAnalyser({ ...config, models }, silentLogger);
  try {
    const { analyser } = joint;
    const [face] = await analyser.describe(crowd, await analyser.detect(crowd));
    if (!face) throw new Error('a face is missing');
    const worn = { ...face, mask: { state: 'worn', confidence: 1 } } as const;
    const bare = { ...face, mask: { state: 'none', confidence: 1 } } as const;
    const [probe] = await analyser.embed(crowd, [worn]);
    const [ofBare = [], ofWorn = [], unjudged = []] = await analyser.embedTemplates(crowd, [
      bare,
      worn,
      { ...face, mask: null },
    ]);
    const [full, template] = ofBare;
    if (!probe || !full || !template) throw new Error('a face was not embedded');
    expect([template.encoder, template.part]).toEqual([probe.encoder, 'upper']);
    // Half of it is the one, half the other: of two unit vectors the mean is as near to either.
    const apart = cosine(probe.embedding, full.embedding);
    expect(apart).toBeLessThan(0.99);
    for (const half of [probe, full]) {
      expect(cosine(template.embedding, half.embedding)).toBeCloseTo(Math.sqrt((1 + apart) / 2), 3);
    }
    expect(cosine(ofWorn[1]?.embedding ?? new Float32Array(512), probe.embedding)).toBeGreaterThan(0.999);
    expect(cosine(unjudged[1]?.embedding ?? new Float32Array(512), template.embedding)).toBeGreaterThan(0.999);
  } finally {
    await joint.close();
  }
  await expect(
    openFaceAnalyser({ ...config, models: { ...models, upperEncoder: 'foreign' } }, silentLogger),
  ).rejects.toMatchObject({ code: 'MODEL_UNSUPPORTED', message: expect.stringContaining('templates of foreign') });
});

it('embeds every face by the one encoder there is, whatever the mask state', async () => {
  const config = await testConfig();
  const alone = await openFaceAnalyser({ ...config, models: { ...config.models, upperEncoder: null } }, silentLogger);
  try {
    const { analyser, encoder } = alone;
    const [first] = await analyser.describe(crowd, await analyser.detect(crowd));
    if (!first) throw new Error('a face is missing');
    const [made] = await analyser.embed(crowd, [{ ...first, mask: { state: 'worn', confidence: 1 } }]);
    expect(made?.encoder).toBe(encoder.fingerprint);
    expect((await analyser.embedTemplates(crowd, [first]))[0]).toHaveLength(1);
  } finally {
    await alone.close();
  }
});
