import { expect, it } from 'vitest';
import { cutToFeatureMap } from '../../src/inference/graph/feature-map.ts';
import { node } from '../../src/inference/graph/nodes.ts';
import { decodeModel, encodeModel, ONNX_TYPE } from '../../src/inference/graph/onnx-proto.ts';
import { floatTensor } from '../../src/inference/graph/tensor-values.ts';
import { evaluateGraph } from '../../src/inference/onnxruntime-model.ts';

const INPUT = { width: 6, height: 4, channels: 3 } as const;

/** Bytes, summed over channels (a 1x1 convolution), less 100, rectified; then pooled to one number. */
function summing(withMap: boolean): Uint8Array {
  const value = (name: string, elemType: number, sizes: readonly number[]) => ({
    name,
    type: { tensorType: { elemType, shape: { dim: sizes.map((dimValue) => ({ dimValue })) } } },
  });
  return encodeModel({
    irVersion: 7,
    opsetImport: [{ domain: '', version: 13 }],
    graph: {
      name: 'summing',
      node: [
        node('Cast', ['pixels'], 'float', { to: ONNX_TYPE.float }),
        node('Transpose', ['float'], 'planes', { perm: [0, 3, 1, 2] }),
        ...(withMap
          ? [node('Conv', ['planes', 'ones', 'bias'], 'sums', { kernel_shape: [1, 1] }), node('Relu', ['sums'], 'map')]
          : [node('Identity', ['planes'], 'map')]),
        node('GlobalAveragePool', ['map'], 'pooled'),
        node('Conv', ['pooled', withMap ? 'last' : 'three'], 'embedding', { kernel_shape: [1, 1] }),
      ],
      initializer: [
        floatTensor('ones', [1, 3, 1, 1], [1, 1, 1]),
        floatTensor('bias', [1], [-100]),
        floatTensor('last', [1, 1, 1, 1], [2]),
        floatTensor('three', [1, 3, 1, 1], [1, 1, 1]),
      ],
      input: [value('pixels', ONNX_TYPE.uint8, [1, 4, 6, 3])],
      output: [value('embedding', ONNX_TYPE.float, [1, 1, 1, 1])],
      valueInfo: [],
    },
  });
}

it('makes the last map of rows and columns the only output, and drops what comes after', async () => {
  const { graph, output } = await cutToFeatureMap(summing(true), INPUT, evaluateGraph);
  expect(output).toEqual({ name: 'map', shape: [1, 4, 6] });
  const { graph: cut } = decodeModel(graph);
  expect(cut.node.map(({ opType }) => opType)).toEqual(['Cast', 'Transpose', 'Conv', 'Relu']);
  expect(cut.initializer.map(({ name }) => name)).toEqual(['ones', 'bias']);

  const bytes = Uint8Array.from({ length: 4 * 6 * 3 }, (_, at) => at);
  const outputs = await evaluateGraph(graph, { type: 'uint8', data: bytes, shape: [1, 4, 6, 3] });
  expect(Object.keys(outputs)).toEqual(['map']);
  // Pixel p has the bytes 3p, 3p + 1, 3p + 2: their sum less 100, where that is more than nothing.
  expect([...(outputs.map?.data ?? [])]).toEqual(Array.from({ length: 24 }, (_, p) => Math.max(0, 9 * p + 3 - 100)));
});

it('says when there is none', async () => {
  await expect(cutToFeatureMap(summing(false), INPUT, evaluateGraph)).rejects.toThrow(
    'no layer of it has rows and columns',
  );
});
