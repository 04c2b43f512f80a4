import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Affine } from '../../src/core/geometry.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { openAligningModel } from '../../src/inference/aligning-model.ts';
import { checkAligning } from '../../src/inference/check-aligning.ts';
import { prepareGraph } from '../../src/inference/graph/prepare.ts';
import { InferenceThread } from '../../src/inference/inference-thread.ts';
import type { GraphFiles } from '../../src/inference/onnxruntime-model.ts';
import type { AligningModel, Outputs, VisionModel } from '../../src/inference/vision-model.ts';
import { filesOf, passThrough, passThroughEntry, tinyEmbedder, tinyEntry } from './graphs.ts';

const ENTRY = passThroughEntry(8, 8);
const OPTIONS = { providers: ['cpu'], threads: 1 } as const;
/** Each pixel has its place in it: column, row, 7. */
const FRAME = { width: 40, height: 30, bgr: new Uint8Array(40 * 30 * 3) };
for (let pixel = 0; pixel < 40 * 30; pixel++) FRAME.bgr.set([pixel % 40, Math.floor(pixel / 40), 7], pixel * 3);
const moved = (left: number, top: number): Affine => [1, 0, -left, 0, 1, -top];

let dir = '';
let files: GraphFiles;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'eyeline-aligning-'));
  const path = join(dir, 'through.onnx');
  await writeFile(path, prepareGraph(passThrough(8, 8), ENTRY));
  files = filesOf(ENTRY, path);
});
afterAll(() => rm(dir, { recursive: true }));

/** In this thread, and through the inference thread: the same. */
const WAYS: [string, () => Promise<AligningModel>][] = [
  ['openAligningModel', () => openAligningModel(files, 'tiny', OPTIONS)],
  [
    'InferenceThread.openAligning',
    async () => {
      const thread = new InferenceThread(silentLogger);
      onTestFinished(() => thread.close());
      return thread.openAligning(files, 'tiny', OPTIONS);
    },
  ],
];

describe.each(WAYS)('%s', (_, openModel) => {
  const open = async () => {
    const model = await openModel();
    onTestFinished(() => model.close());
    return model;
  };

  it('says what it is', async () => {
    const { id, fingerprint, input, provider } = await open();
    expect({ id, fingerprint, input, provider }).toEqual({
      id: 'tiny',
      fingerprint: filesOf(ENTRY, '').fingerprint,
      input: { width: 8, height: 8 },
      provider: 'cpu',
    });
  });

  it.each([1, 2, 4, 5, 11])('gives a row a face, in order: %i', async (faces) => {
    const model = await open();
    const places = Array.from({ length: faces }, (_, index) => [index * 2, index] as const);
    const { outputs, runMs } = await model.runAligned(
      FRAME,
      places.map(([left, top]) => moved(left, top)),
    );
    expect(outputs.embedding?.shape).toEqual([faces, 192]);
    expect(runMs).toBeGreaterThan(0);
    for (const [row, [left, top]] of places.entries()) {
      const last = outputs.embedding?.data.subarray(row * 192 + 189, row * 192 + 192);
      expect([...(last ?? [])]).toEqual([7, top + 7, left + 7]);
    }
  });

  it('keeps frames that overlap apart, and leaves their bytes as they are', async () => {
    const model = await open();
    const frames = [10, 20, 30].map((value) => ({ width: 9, height: 8, bgr: new Uint8Array(9 * 8 * 3).fill(value) }));
    const results = await Promise.all(frames.map((frame) => model.runAligned(frame, [moved(0, 0)])));
    expect(results.map(({ outputs }) => new Set(outputs.embedding?.data))).toEqual(
      [10, 20, 30].map((value) => new Set([value])),
    );
    expect(frames.map(({ bgr }) => [bgr.length, bgr[0]])).toEqual([
      [216, 10],
      [216, 20],
      [216, 30],
    ]);
  });

  it('refuses what would read beside the frame, and takes the next', async () => {
    const model = await open();
    const run = (width: number, height: number, bytes: number, alignment = moved(0, 0)) =>
      model.runAligned({ width, height, bgr: new Uint8Array(bytes) }, [moved(0, 0), alignment]);
    // A buffer of a larger frame is there to be used again.
    await model.runAligned(FRAME, [moved(0, 0)]);
    await expect(run(40, 30, 3599)).rejects.toThrow('model tiny: 3599 bytes are not 40x30 pixels of 3');
    await expect(run(41, 30, 3600)).rejects.toThrow('model tiny: 3600 bytes are not 41x30 pixels of 3');
    await expect(run(1, 8, 24)).rejects.toThrow('model tiny: a picture of 1x8 is too small');
    const useless: Affine[] = [
      [0, 0, 0, 0, 0, 0],
      [1, 2, 0, 2, 4, 0],
      [Number.NaN, 0, 0, 0, 1, 0],
      [1, 0, Number.POSITIVE_INFINITY, 0, 1, 0],
      [1e-5, 0, 1e38, 0, 1e-5, 0],
    ];
    for (const alignment of useless) {
      await expect(run(40, 30, 3600, alignment)).rejects.toThrow('model tiny: alignment 1 is of no use: ');
    }
    expect((await model.runAligned(FRAME, [moved(0, 0)])).outputs.embedding?.shape).toEqual([1, 192]);
  });

  it('finishes what runs before it closes, and runs no more', async () => {
    const model = await openModel();
    const running = model.runAligned(FRAME, Array<Affine>(9).fill(moved(1, 1)));
    await model.close();
    expect((await running).outputs.embedding?.shape).toEqual([9, 192]);
    await expect(model.runAligned(FRAME, [moved(0, 0)])).rejects.toThrow('is closed');
  });
});

describe('opening', () => {
  const opening = async (graph: Uint8Array, changes: Parameters<typeof tinyEntry>[0] = {}) => {
    const path = join(dir, 'other.onnx');
    await writeFile(path, graph);
    return openAligningModel(filesOf(tinyEntry(changes), path), 'tiny', OPTIONS);
  };

  it('refuses a graph that cannot take alignment', async () => {
    const grey = { width: 8, height: 9, channels: 1, colour: 'grey', mean: [0], scale: [1] } as const;
    const graph = prepareGraph(tinyEmbedder({ input: [1, 1, 9, 8], flatten: [1, -1] }), tinyEntry({ input: grey }));
    await expect(opening(graph, { input: grey })).rejects.toMatchObject({
      code: 'MODEL_UNSUPPORTED',
      message: 'model tiny: cannot align faces in its graph: it takes grey pictures, not RGB',
    });
  });

  it('tells why a provider does not run it', async () => {
    const graph = prepareGraph(tinyEmbedder({ input: [1, 9, 8, 3], flatten: [1, -1] }), tinyEntry());
    await expect(opening(graph, { outputs: [{ name: 'scores', shape: [4] }] })).rejects.toMatchObject({
      code: 'PROVIDER_UNAVAILABLE',
      message: expect.stringContaining('model tiny: cpu does not run it with alignment in its graph: '),
    });
  });

  it('crosses the thread with its code', async () => {
    const thread = new InferenceThread(silentLogger);
    onTestFinished(() => thread.close());
    const path = join(dir, 'text.onnx');
    await writeFile(path, 'no graph');
    await expect(thread.openAligning(filesOf(ENTRY, path), 'tiny', OPTIONS)).rejects.toMatchObject({
      code: 'MODEL_UNSUPPORTED',
    });
  });
});

describe('checkAligning', () => {
  /** Gives the crop itself, as the pass-through graph does. */
  const encoder = (change: (value: number, at: number) => number = (value) => value): VisionModel => ({
    id: 'tiny',
    fingerprint: 'f',
    provider: 'cpu',
    input: { width: 8, height: 8, channels: 3 },
    run: async ([crop]): Promise<Outputs> => ({
      embedding: { data: Float32Array.from(crop ?? [], change), shape: [1, 192] },
    }),
  });

  it('passes what gives the same for the same pixels', async () => {
    const model = await openAligningModel(files, 'tiny', OPTIONS);
    onTestFinished(() => model.close());
    await checkAligning(encoder(), model);
    // Half precision is no reason to refuse.
    await checkAligning(
      encoder((value, at) => value * (1 + 0.002 * Math.sin(at))),
      model,
    );
  });

  it.each<[string, (value: number, at: number) => number]>([
    ['other numbers', (value, at) => value + 40 * Math.sin(at)],
    ['nothing', () => 0],
    ['no numbers', () => Number.NaN],
  ])('refuses what gives %s', async (_, change) => {
    const model = await openAligningModel(files, 'tiny', OPTIONS);
    onTestFinished(() => model.close());
    await expect(checkAligning(encoder(change), model)).rejects.toMatchObject({
      code: 'MODEL_UNSUPPORTED',
      message: expect.stringMatching(
        /^model tiny: with alignment in its graph cpu gives another embedding for the same pixels \(cosine .*\)$/,
      ),
    });
  });

  it('sees channels in the wrong order', async () => {
    const model = await openAligningModel(files, 'tiny', OPTIONS);
    onTestFinished(() => model.close());
    const turned: AligningModel = {
      ...model,
      input: model.input,
      runAligned: (frame, alignments) => {
        const rgb = frame.bgr.slice();
        for (let at = 0; at < rgb.length; at += 3) rgb.subarray(at, at + 3).reverse();
        return model.runAligned({ ...frame, bgr: rgb }, alignments);
      },
      close: async () => {},
    };
    await expect(checkAligning(encoder(), turned)).rejects.toMatchObject({ code: 'MODEL_UNSUPPORTED' });
  });
});
