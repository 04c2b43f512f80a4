import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { decodePicture } from '../../src/capture/opencv-picture.ts';
import type { Affine, Size } from '../../src/core/geometry.ts';
import { fuseAlignment } from '../../src/inference/graph/align-crop.ts';
import { decodeModel, encodeModel } from '../../src/inference/graph/onnx-proto.ts';
import { prepareGraph } from '../../src/inference/graph/prepare.ts';
import type { ModelEntry } from '../../src/inference/manifest.ts';
import { openGraph } from '../../src/inference/onnxruntime-model.ts';
import { passThrough, passThroughEntry, tinyEmbedder, tinyEntry } from './graphs.ts';

const CROP: Size = { width: 40, height: 32 };
const ENTRY = passThroughEntry(CROP.width, CROP.height);
const ONE = CROP.width * CROP.height * 3;

type Paint = (x: number, y: number, channel: number) => number;

/** Every pixel another byte: a place that is off by a 32nd of a pixel shows. */
const NOISE: Paint = (x, y, channel) => (Math.imul(x * 3 + channel + y * 7919 + 1, 2654435761) >>> 11) & 255;
const WAVES: Paint = (x, y, channel) => 128 + 60 * Math.sin(x / 5 + channel) + 60 * Math.cos(y / 7 - channel);
const CHECKERS: Paint = (x, y) => (((x >> 3) + (y >> 3)) % 2 ? 255 : 0);

function painted({ width, height }: Size, paint: Paint): Uint8Array {
  const bgr = new Uint8Array(width * height * 3);
  for (let at = 0; at < bgr.length; at++) {
    const pixel = Math.floor(at / 3);
    bgr[at] = paint(pixel % width, Math.floor(pixel / width), at % 3);
  }
  return bgr;
}

/** The fused graph, open: gives the crops of a frame. */
async function cutter(graph = prepareGraph(passThrough(CROP.width, CROP.height), ENTRY)) {
  const opened = await openGraph(fuseAlignment(graph, ENTRY), { providers: ['cpu'], threads: 1 }, 'crops');
  onTestFinished(() => opened.release());
  return async (frame: Size & { bgr: Uint8Array }, matrices: readonly Affine[]): Promise<Float32Array[]> => {
    const { embedding } = await opened.run([
      { type: 'uint8', data: frame.bgr, shape: [frame.height, frame.width, 3] },
      { type: 'float32', data: Float32Array.from(matrices.flat()), shape: [matrices.length, 2, 3] },
    ]);
    expect(embedding?.shape).toEqual([matrices.length, ONE]);
    return matrices.map((_, row) => embedding?.data.slice(row * ONE, (row + 1) * ONE) ?? new Float32Array());
  };
}

/** What OpenCV cuts out of the same pixels. */
async function opencvCrops({ width, height, bgr }: Size & { bgr: Uint8Array }, matrices: readonly Affine[]) {
  const rgb = bgr.slice();
  for (let at = 0; at < rgb.length; at += 3) rgb.subarray(at, at + 3).reverse();
  const picture = await decodePicture(Buffer.concat([Buffer.from(`P6\n${width} ${height}\n255\n`), rgb]), 'made.ppm');
  try {
    return await picture.cut(matrices.map((matrix) => ({ ...CROP, matrix, colour: 'rgb' })));
  } finally {
    picture.release();
  }
}

/** Scale and turn about (x, y) of the frame, which comes to the middle of the crop. */
function similarity({ scale, turn, x, y }: { scale: number; turn: number; x: number; y: number }): Affine {
  const [a, b] = [scale * Math.cos(turn), scale * Math.sin(turn)];
  const [u, v] = [CROP.width / 2, CROP.height / 2];
  return [a, -b, u - a * x + b * y, b, a, v - b * x - a * y];
}

function difference(found: readonly Float32Array[], expected: readonly Uint8Array[]) {
  let [sum, count, most, differing] = [0, 0, 0, 0];
  for (const [row, crop] of expected.entries()) {
    for (const [at, byte] of crop.entries()) {
      const off = Math.abs(byte - (found[row]?.[at] ?? Number.NaN));
      sum += off;
      count++;
      most = Math.max(most, off);
      if (off !== 0) differing++;
    }
  }
  return { mean: sum / count, most, differing: differing / count };
}

/** A spread of what faces ask for: small and large, turned any way, in the frame, over its edges and beside it. */
const SPREAD = [0.1, 0.33, 1, 1.7, 3].flatMap((scale, row) =>
  [-2.9, -0.4, 0, 0.3, 1.6].map((turn, column) =>
    similarity({ scale, turn, x: column * 45 - 15 + row, y: row * 35 - 20 + column * 3 }),
  ),
);

describe('crops in the graph', () => {
  const size = { width: 150, height: 110 };

  it.each([
    ['noise', NOISE],
    ['waves', WAVES],
    ['checkers', CHECKERS],
  ])("are OpenCV's: %s", async (_, paint) => {
    const frame = { ...size, bgr: painted(size, paint) };
    const expected = await opencvCrops(frame, SPREAD);
    expect(expected.flatMap((crop) => [...crop]).filter((byte) => byte === 0).length).toBeGreaterThan(10_000);
    const { mean, most, differing } = difference(await (await cutter())(frame, SPREAD), expected);
    // Where float and OpenCV's integers round a place apart, it moves by a 32nd of a pixel along one axis.
    expect(most).toBeLessThanOrEqual(Math.ceil(255 / 32));
    expect(mean).toBeLessThan(0.02);
    expect(differing).toBeLessThan(0.01);
  });

  it("are OpenCV's wherever the face is and however it is turned", async () => {
    const cut = await cutter();
    const frame = { ...size, bgr: painted(size, NOISE) };
    const place = fc.record({
      scale: fc.double({ min: 0.05, max: 8, noNaN: true }),
      turn: fc.double({ min: -Math.PI, max: Math.PI, noNaN: true }),
      x: fc.double({ min: -100, max: 250, noNaN: true }),
      y: fc.double({ min: -100, max: 210, noNaN: true }),
    });
    await fc.assert(
      fc.asyncProperty(place, async (where) => {
        const matrices = [similarity(where)];
        const { mean, most } = difference(await cut(frame, matrices), await opencvCrops(frame, matrices));
        expect(most).toBeLessThanOrEqual(2 * Math.ceil(255 / 32));
        expect(mean).toBeLessThan(0.2);
      }),
      { numRuns: 200, seed: 7 },
    );
  });

  it('are RGB of a BGR frame, byte for byte where the matrix only moves it, black beside it', async () => {
    const frame = { ...size, bgr: painted(size, (x, y, channel) => [x, y, 200][channel] ?? 0) };
    const [crop] = await (await cutter())(frame, [[1, 0, 10, 0, 1, 4]]);
    const at = (u: number, v: number) => [...(crop?.subarray((v * CROP.width + u) * 3).subarray(0, 3) ?? [])];
    expect(at(10, 4)).toEqual([200, 0, 0]);
    expect(at(22, 11)).toEqual([200, 7, 12]);
    expect(at(9, 4)).toEqual([0, 0, 0]);
    expect(at(10, 3)).toEqual([0, 0, 0]);
  });

  it('are black of what is nowhere near the frame', async () => {
    const frame = { ...size, bgr: new Uint8Array(size.width * size.height * 3).fill(255) };
    const far: Affine[] = [
      [1, 0, 1e4, 0, 1, 0],
      [1, 0, 0, 0, 1, -1e6],
      [1e-3, 0, 0, 0, 1e-3, -1e5],
    ];
    for (const crop of await (await cutter())(frame, far)) expect(new Set(crop)).toEqual(new Set([0]));
  });

  it('come from frames of any size, one after the other', async () => {
    const cut = await cutter();
    for (const other of [
      { width: 2, height: 2 },
      { width: 320, height: 5 },
      { width: 1280, height: 720 },
    ]) {
      const frame = { ...other, bgr: painted(other, NOISE) };
      const matrices = [similarity({ scale: 0.8, turn: 0.2, x: other.width / 2, y: other.height / 2 })];
      const { mean } = difference(await cut(frame, matrices), await opencvCrops(frame, matrices));
      expect(mean).toBeLessThan(0.1);
    }
  });

  it.each([8, 9, 12, 13, 16, 20])('need no other operator set: %i', async (opset) => {
    const cut = await cutter(prepareGraph(passThrough(CROP.width, CROP.height, opset), ENTRY));
    const frame = { ...size, bgr: painted(size, WAVES) };
    expect(difference(await cut(frame, SPREAD), await opencvCrops(frame, SPREAD)).mean).toBeLessThan(0.02);
  });
});

describe('a fused graph', () => {
  const good = { input: [1, 3, 9, 8], flatten: [1, -1] } as const;

  it('gives what the prepared graph gives for the same crops, normalised as it says', async () => {
    const entry = tinyEntry({ input: { ...tinyEntry().input, colour: 'bgr' } });
    const prepared = prepareGraph(tinyEmbedder(good), entry);
    const size = { width: 64, height: 48 };
    const frame = { ...size, bgr: painted(size, WAVES) };
    const matrices: Affine[] = [
      [0.5, 0.1, -3, -0.1, 0.5, -2],
      [0.3, 0, -4, 0, 0.3, 1],
    ];
    const fused = await openGraph(fuseAlignment(prepared, entry), { providers: ['cpu'], threads: 1 }, 'fused');
    const plain = await openGraph(prepared, { providers: ['cpu'], threads: 1 }, 'plain');
    onTestFinished(async () => {
      await fused.release();
      await plain.release();
    });
    const rgb = frame.bgr.slice();
    for (let at = 0; at < rgb.length; at += 3) rgb.subarray(at, at + 3).reverse();
    const picture = await decodePicture(Buffer.concat([Buffer.from('P6\n64 48\n255\n'), rgb]), 'made.ppm');
    const crops = await picture.cut(matrices.map((matrix) => ({ width: 8, height: 9, matrix, colour: 'rgb' })));
    picture.release();
    const expected = await plain.run([{ type: 'uint8', data: Buffer.concat(crops), shape: [2, 9, 8, 3] }]);
    const found = await fused.run([
      { type: 'uint8', data: frame.bgr, shape: [48, 64, 3] },
      { type: 'float32', data: Float32Array.from(matrices.flat()), shape: [2, 2, 3] },
    ]);
    expect(found.embedding?.shape).toEqual([2, 4]);
    for (const [at, value] of [...(expected.embedding?.data ?? [])].entries()) {
      expect(found.embedding?.data[at]).toBeCloseTo(value, 2);
    }
  });

  it('comes out the same, byte for byte, each time, and leaves what it was made of as it was', () => {
    const prepared = prepareGraph(tinyEmbedder(good), tinyEntry());
    const before = Buffer.from(prepared);
    expect(Buffer.compare(fuseAlignment(prepared, tinyEntry()), fuseAlignment(prepared, tinyEntry()))).toBe(0);
    expect(Buffer.compare(prepared, before)).toBe(0);
  });

  it('keeps clear of names that are taken', async () => {
    const model = decodeModel(prepareGraph(passThrough(CROP.width, CROP.height), ENTRY));
    for (const it of model.graph.node) {
      if (it.output[0] === 'flat_shape') it.output = ['frame'];
      it.input = it.input.map((name) => (name === 'flat_shape' ? 'frame' : name));
      if (it.opType === 'Cast') it.name = 'align_0_shape';
    }
    const cut = await cutter(encodeModel(model));
    const frame = { width: 50, height: 50, bgr: painted({ width: 50, height: 50 }, WAVES) };
    expect(difference(await cut(frame, SPREAD), await opencvCrops(frame, SPREAD)).mean).toBeLessThan(0.02);
  });

  it.each<[string, Uint8Array, Partial<ModelEntry>, string]>([
    [
      'an operator set too old',
      prepareGraph(tinyEmbedder({ ...good, opset: 7 }), tinyEntry()),
      {},
      'operator set 7 is too old: 8 is needed',
    ],
    [
      'grey pictures',
      prepareGraph(tinyEmbedder(good), tinyEntry()),
      { input: { width: 8, height: 9, channels: 1, colour: 'grey', mean: [0], scale: [1] } },
      'it takes grey pictures, not RGB',
    ],
    [
      'a graph that was not prepared',
      tinyEmbedder(good),
      {},
      'it has no input of raw pictures, batch x 9 x 8 x 3: not prepared',
    ],
    [
      'another size',
      prepareGraph(tinyEmbedder(good), tinyEntry()),
      { input: { ...tinyEntry().input, width: 9 } },
      'it has no input of raw pictures, batch x 9 x 9 x 3: not prepared',
    ],
    ['no ONNX file', Buffer.from('<html>'), {}, ''],
  ])('refuses %s', (_, prepared, changes, message) => {
    expect(() => fuseAlignment(prepared, { ...tinyEntry(), ...changes })).toThrow(
      expect.objectContaining({
        code: 'MODEL_UNSUPPORTED',
        message: expect.stringContaining(`model tiny: cannot align faces in its graph: ${message}`),
      }),
    );
  });
});
