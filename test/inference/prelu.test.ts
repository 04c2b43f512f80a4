import { expect, it } from 'vitest';
import { node } from '../../src/inference/graph/nodes.ts';
import { decodeModel, encodeModel, ONNX_TYPE, type OnnxNode } from '../../src/inference/graph/onnx-proto.ts';
import { splitPrelus } from '../../src/inference/graph/prelu.ts';
import { floatTensor } from '../../src/inference/graph/tensor-values.ts';
import { evaluateGraph } from '../../src/inference/onnxruntime-model.ts';

const CHANNELS = 16;
const wave = (length: number, step: number) => Array.from({ length }, (_, index) => Math.sin(index * step + 1));
/** Below zero, zero and above one among them. */
const SLOPES = wave(CHANNELS, 2.3).map((value, index) => (index === 3 ? 0 : value * 1.5));

function graphOf(nodes: OnnxNode[], slopes = floatTensor('slopes', [CHANNELS, 1, 1], SLOPES)): Uint8Array {
  const value = (name: string, sizes: readonly number[]) => ({
    name,
    type: { tensorType: { elemType: ONNX_TYPE.float, shape: { dim: sizes.map((dimValue) => ({ dimValue })) } } },
  });
  return encodeModel({
    irVersion: 7,
    opsetImport: [{ version: 13 }],
    graph: {
      node: nodes,
      initializer: [
        floatTensor('first', [CHANNELS, 3, 3, 3], wave(CHANNELS * 27, 0.7)),
        floatTensor('second', [CHANNELS, CHANNELS, 1, 1], wave(CHANNELS * CHANNELS, 1.1)),
        slopes,
      ],
      input: [value('x', [1, 3, 12, 10])],
      output: [value('y', [1, CHANNELS, 10, 8])],
      valueInfo: [],
    },
  });
}

const CHAIN = [
  node('Conv', ['x', 'first'], 'map'),
  node('PRelu', ['map', 'slopes'], 'curved'),
  node('Conv', ['curved', 'second'], 'again'),
  node('PRelu', ['again', 'slopes'], 'y'),
];

it('writes the PRelus after convolutions anew, and the numbers stay the same', async () => {
  const original = graphOf(CHAIN);
  const model = decodeModel(original);
  expect(splitPrelus(model.graph)).toBe(2);
  expect(model.graph.node.some(({ opType }) => opType === 'PRelu')).toBe(false);
  const input = { type: 'float32', data: Float32Array.from(wave(360, 0.37)), shape: [1, 3, 12, 10] } as const;
  const { y: expected } = await evaluateGraph(original, input);
  const { y: found } = await evaluateGraph(encodeModel(model), input);
  expect(expected?.data.filter((value) => value < 0).length).toBeGreaterThan(100);
  expect(found?.shape).toEqual(expected?.shape);
  // Both zeros are the same number.
  expect(found?.data.every((value, index) => value === expected?.data[index])).toBe(true);
});

it.each([
  ['of what is no feature map', [node('Add', ['x', 'x'], 'map'), ...CHAIN.slice(1)], undefined, 1],
  ['with one slope for all', CHAIN, floatTensor('slopes', [1], [0.25]), 0],
  [
    'with slopes that are no constant',
    [node('Abs', ['steep'], 'slopes'), ...CHAIN],
    floatTensor('steep', [CHANNELS, 1, 1], SLOPES),
    0,
  ],
  ['of channels that make no block', CHAIN, floatTensor('slopes', [4, 1, 1], [1, 2, 3, 4]), 0],
])('leaves a PRelu %s', (_what, nodes, slopes, split) => {
  const { graph } = decodeModel(graphOf([...nodes], slopes));
  expect(splitPrelus(graph)).toBe(split);
});
