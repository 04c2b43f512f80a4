import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { decodePicture, type OpencvPicture } from '../../src/capture/opencv-picture.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { Affine } from '../../src/core/geometry.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { cropEmbedder, type FaceEmbedder, frameEmbedder } from '../../src/faces/face-embedder.ts';
import { openAligningModel } from '../../src/inference/aligning-model.ts';
import { alignmentWay } from '../../src/inference/alignment-way.ts';
import { prepareGraph } from '../../src/inference/graph/prepare.ts';
import { ModelBatcher } from '../../src/inference/model-batcher.ts';
import { openOnnxModel } from '../../src/inference/onnxruntime-model.ts';
import { PROVIDERS } from '../../src/inference/providers.ts';
import { filesOf, tinyEmbedder, tinyEntry } from '../inference/graphs.ts';
import { describeFaceEmbedder, likeness } from './face-embedder-contract.ts';

const ALIGNMENTS: Affine[] = [
  [0.5, 0.1, -3, -0.1, 0.5, -2],
  [0.3, 0, -4, 0, 0.3, 1],
  [1.2, -0.3, -20, 0.3, 1.2, -30],
];

let dir = '';
let picture: OpencvPicture;
let crops: FaceEmbedder;
let frames: FaceEmbedder;
const closing: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'eyeline-embedder-'));
  const entry = tinyEntry();
  const path = join(dir, 'tiny.onnx');
  await writeFile(path, prepareGraph(tinyEmbedder({ input: [1, 3, 9, 8], flatten: [1, -1] }), entry));
  const files = filesOf(entry, path);
  const options = { providers: ['cpu'], threads: 1 } as const;
  const batcher = new ModelBatcher(
    await openOnnxModel(files, 'tiny', { ...options, logger: silentLogger }),
    systemClock,
  );
  const aligning = await openAligningModel(files, 'tiny', options);
  closing.push(batcher, aligning);
  crops = cropEmbedder(batcher.lane(''));
  frames = frameEmbedder(aligning);
  const rgb = Uint8Array.from({ length: 64 * 48 * 3 }, (_, at) => 128 + 100 * Math.sin(at / 17) * Math.cos(at / 523));
  picture = await decodePicture(Buffer.concat([Buffer.from('P6\n64 48\n255\n'), rgb]), 'made.ppm');
});
afterAll(async () => {
  picture?.release();
  await Promise.all(closing.map((model) => model.close()));
  await rm(dir, { recursive: true });
});

describeFaceEmbedder('cropEmbedder', async () => ({ embedder: crops, picture, alignments: ALIGNMENTS, dimension: 4 }));
describeFaceEmbedder('frameEmbedder', async () => ({
  embedder: frames,
  picture,
  alignments: ALIGNMENTS,
  dimension: 4,
}));

it('gives the same whichever way faces are aligned', async () => {
  const [byCrops, byFrames] = [await crops.embed(picture, ALIGNMENTS), await frames.embed(picture, ALIGNMENTS)];
  expect(likeness(byCrops.data, byFrames.data)).toBeGreaterThan(0.9999);
  expect([frames.fingerprint, frames.input]).toEqual([crops.fingerprint, crops.input]);
});

it('aligns as configured, and where nothing is configured the way that was measured to be faster', () => {
  for (const provider of PROVIDERS) {
    expect(alignmentWay('graph', provider)).toBe('graph');
    expect(alignmentWay('opencv', provider)).toBe('opencv');
    expect(alignmentWay('auto', provider)).toBe('opencv');
  }
});
