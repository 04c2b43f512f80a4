import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type OpenFaceAnalyser, openFaceAnalyser } from '../../src/app.ts';
import { decodePicture, encodeJpeg, type OpencvPicture } from '../../src/capture/opencv-picture.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { cosine } from '../../src/faces/embedding.ts';
import { BUILTIN_MANIFEST } from '../../src/inference/manifest.ts';
import { createModelStore } from '../../src/inference/store.ts';
import { describeFaceAnalyser } from '../faces/face-analyser-contract.ts';
import { MODELS_DIR, testConfig } from '../rig/config.ts';

let chain: OpenFaceAnalyser;
/** The same, with faces aligned in the encoder's graph. */
let fused: OpenFaceAnalyser;
/** The same, with a second encoder, for the upper part of the face. */
let routed: OpenFaceAnalyser;
let folder = '';
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
  const manifest = join(folder, 'models.json');
  await writeFile(manifest, JSON.stringify({ models: [upper] }));
  routed = await openFaceAnalyser(
    { ...config, models: { ...config.models, manifest, upperEncoder: 'upper' } },
    silentLogger,
  );
  fused = await openFaceAnalyser(await testConfig({ alignment: 'graph' }), silentLogger);
});

afterAll(async () => {
  crowd?.release();
  empty?.release();
  await chain?.close();
  await fused?.close();
  await routed?.close();
  await rm(folder, { recursive: true, force: true });
});

describeFaceAnalyser('the chain of real models', async () => ({ analyser: chain.analyser, crowd, empty }));
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
  const all = await analyser.embedByAll(crowd, [first, second, third]);
  expect(all.map((ofFace) => ofFace.map(({ encoder }) => encoder))).toEqual([1, 2, 3].map(() => [full, upper]));
  const likeness = made.map((it, face) => {
    const same = all[face]?.find(({ encoder }) => encoder === it?.encoder);
    return it && same ? cosine(it.embedding, same.embedding) : 0;
  });
  for (const value of likeness) expect(value).toBeGreaterThan(0.999);
  // One encoder as before: nobody else's embeddings are there, whatever the mask state.
  const alone = await chain.analyser.embed(crowd, [{ ...first, mask: masked }]);
  expect(alone[0]?.encoder).toBe(full);
  expect((await chain.analyser.embedByAll(crowd, [first]))[0]).toHaveLength(1);
});
