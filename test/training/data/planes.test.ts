import { describe, expect, it } from 'vitest';
import { prepareGraph } from '../../../src/inference/graph/prepare.ts';
import type { InputContract } from '../../../src/inference/manifest.ts';
import { evaluateGraph } from '../../../src/inference/onnxruntime-model.ts';
import { readPlanes, writePlanes } from '../../../src/training/data/sampler.ts';
import { encodeGraph } from '../../../src/training/graph/encode-graph.ts';
import { createTensorGraph } from '../../../src/training/graph/tensor-graph.ts';

const SIZE = { width: 5, height: 4 };
const NUMBERS = 3 * SIZE.width * SIZE.height;
const CROP = { rgb: Uint8Array.from({ length: NUMBERS }, (_, at) => (at * 37 + 11) % 256), ...SIZE };

describe.each(['rgb', 'bgr'] as const)('planes of a model that takes %s', (colour) => {
  // Numbers that 24 bits hold, so that all agree to the last one.
  const pixels = { colour, mean: [127, 120.5, 110], scale: [1 / 128, 1 / 64, 1 / 32] };

  it("are what the daemon's graph makes of the same crop", async () => {
    const graph = createTensorGraph();
    const picture = graph.input('picture', [1, 3, SIZE.height, SIZE.width]);
    const onnx = encodeGraph(graph, [['planes', graph.op('Neg', [graph.op('Neg', [picture])])]], new Set());
    const prepared = prepareGraph(onnx, {
      id: 'planes',
      input: { ...SIZE, ...pixels, channels: 3 } satisfies InputContract,
      outputs: [{ name: 'planes', shape: [3, SIZE.height, SIZE.width] }],
    });
    const given = await evaluateGraph(prepared, {
      type: 'uint8',
      data: CROP.rgb,
      shape: [1, SIZE.height, SIZE.width, 3],
    });
    const planes = new Float32Array(NUMBERS);
    writePlanes(CROP, pixels, planes, 0);
    expect(planes).toEqual(given.planes?.data);
  });

  it('give back the picture they were written from', () => {
    const planes = new Float32Array(7 + NUMBERS);
    writePlanes(CROP, pixels, planes, 7);
    expect(readPlanes(planes, pixels, SIZE, 7)).toEqual(CROP);
  });
});
