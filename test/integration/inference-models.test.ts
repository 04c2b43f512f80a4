import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodePicture, type OpencvPicture } from '../../src/capture/opencv-picture.ts';
import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { decodeModel, encodeModel } from '../../src/inference/graph/onnx-proto.ts';
import { ModelBatcher } from '../../src/inference/model-batcher.ts';
import { evaluateGraph, openOnnxModel } from '../../src/inference/onnxruntime-model.ts';
import { createModelStore, type ModelStore } from '../../src/inference/store.ts';
import { MODELS_DIR } from '../rig/config.ts';

let store: ModelStore;
let photo: OpencvPicture;

beforeAll(async () => {
  store = await createModelStore({ dir: MODELS_DIR, extraManifest: null, logger: silentLogger });
  await store.pull([...store.modelIds, 'sample1']);
  const file = await store.file('sample1');
  photo = await decodePicture(await readFile(file), file);
});

afterAll(() => photo?.release());

/** Preprocessing as the package's own JavaScript does it, a pixel at a time. */
const MODELS = [
  { id: 'rfb-320', channels: [0, 1, 2], normalise: (byte: number) => (byte - 127) / 128 },
  { id: 'landmarks-68', channels: [0], normalise: (byte: number) => byte / 256 },
  { id: 'mobilefacenet-512', channels: [0, 1, 2], normalise: (byte: number) => (byte - 127) / 128 },
  { id: 'minifasnet-liveness', channels: [2, 1, 0], normalise: (byte: number) => byte },
];

describe.each(MODELS)('$id, prepared', ({ id, channels, normalise }) => {
  const originalOf = () => readFile(join(MODELS_DIR, 'sources', `${store.entry(id).sha256}.onnx`));

  /** Five crops of the photo, the faces among them. */
  async function crops(): Promise<Uint8Array[]> {
    const { width, height } = store.entry(id).input;
    const colour = channels.length === 1 ? 'grey' : 'rgb';
    const places = [
      [480, 460],
      [915, 545],
      [1575, 315],
      [300, 900],
      [1000, 200],
    ] as const;
    return photo.cut(
      places.map(([x, y]) => ({
        width,
        height,
        colour,
        matrix: [0.4, 0, width / 2 - x * 0.4, 0, 0.4, height / 2 - y * 0.4],
      })),
    );
  }

  it('gives what the original gives, alone and row by row in a batch', async () => {
    const { width, height } = store.entry(id).input;
    const original = await originalOf();
    const opened = await openOnnxModel(store, id, { providers: ['cpu'], threads: 2, logger: silentLogger });
    const batcher = new ModelBatcher(opened, systemClock, { policy: { maxBatch: 4, maxWaitMs: 0 } });
    const model = batcher.lane('test');
    const pictures = await crops();
    const batched = await model.run(pictures);
    for (const [row, picture] of pictures.entries()) {
      const data = new Float32Array(picture.length);
      for (let pixel = 0; pixel < width * height; pixel += 1) {
        for (const [to, from] of channels.entries()) {
          const byte = picture[pixel * channels.length + from] ?? Number.NaN;
          data[to * width * height + pixel] = normalise(byte);
        }
      }
      const shape = [1, channels.length, height, width];
      const expected = await evaluateGraph(original, { type: 'float32', data, shape });
      const alone = await model.run([picture]);
      for (const { name, shape: perPicture } of store.entry(id).outputs) {
        const truth = [...(expected[name]?.data ?? [])];
        expect(batched[name]?.shape).toEqual([pictures.length, ...perPicture]);
        const rowOf = batched[name]?.data.subarray(row * truth.length, (row + 1) * truth.length);
        const largest = Math.max(...truth.map(Math.abs));
        expect(truth.length).toBeGreaterThan(0);
        expect(Math.max(...truth.map((value, i) => Math.abs(value - (alone[name]?.data[i] ?? NaN))))).toBeLessThan(
          1e-5 * largest,
        );
        expect(Math.max(...truth.map((value, i) => Math.abs(value - (rowOf?.[i] ?? NaN))))).toBeLessThan(
          1e-5 * largest,
        );
      }
    }
    await batcher.close();
  });

  it('loses nothing of its file when read and written', async () => {
    const original = await originalOf();
    const written = encodeModel(decodeModel(original));
    expect(written.length).toBe(original.length);
    expect(Buffer.compare(encodeModel(decodeModel(written)), written)).toBe(0);
  });
});

it('finds the three faces of a photo, where one sees them', async () => {
  const opened = await openOnnxModel(store, 'rfb-320', { providers: ['cpu'], threads: 2, logger: silentLogger });
  const batcher = new ModelBatcher(opened, systemClock);
  // 1920x1280 in 320x240: a sixth of the size, 13 rows of black above.
  const { scores, boxes } = await batcher.lane('test').run([await photo.fit({ width: 320, height: 240 })]);
  await batcher.close();
  // Centres of the faces in the photo, read off it by eye.
  const faces = [
    { x: 480, y: 460, score: 0 },
    { x: 915, y: 545, score: 0 },
    { x: 1575, y: 315, score: 0 },
  ];
  let elsewhere = 0;
  for (let anchor = 0; anchor < 4420; anchor += 1) {
    const score = scores?.data[anchor * 2 + 1] ?? Number.NaN;
    const [left = 0, top = 0, right = 0, bottom = 0] = boxes?.data.subarray(anchor * 4, anchor * 4 + 4) ?? [];
    const face = faces.find(({ x, y }) => {
      const [column, row] = [x / 6 / 320, (y / 6 + 13) / 240];
      return left < column && column < right && top < row && row < bottom;
    });
    if (face) face.score = Math.max(face.score, score);
    else elsewhere = Math.max(elsewhere, score);
  }
  for (const { score } of faces) expect(score).toBeGreaterThan(0.95);
  expect(elsewhere).toBeLessThan(0.6);
});
