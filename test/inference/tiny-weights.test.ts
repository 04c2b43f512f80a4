import { expect, it } from 'vitest';
import { constant, constantTensors } from '../../src/inference/graph/nodes.ts';
import { decodeModel, encodeModel, type OnnxTensor } from '../../src/inference/graph/onnx-proto.ts';
import { floatTensor, floatValues, int64Tensor } from '../../src/inference/graph/tensor-values.ts';
import { dropTinyWeights } from '../../src/inference/graph/tiny-weights.ts';

const DENORMAL = 2 ** -140;

function model(initializer: OnnxTensor[], constants: (OnnxTensor & { name: string })[] = []): Uint8Array {
  const graph = { node: constants.map(constant), initializer, input: [], output: [], valueInfo: [] };
  const filler = constant({ ...int64Tensor('filler', [1]), name: 'filler' });
  return encodeModel({
    irVersion: 7,
    opsetImport: [{ version: 13 }],
    graph: { ...graph, node: [...graph.node, filler] },
  });
}

it('makes weights zero that are next to it, and leaves all others', () => {
  const kept = [1.5, -(2 ** -40), 0, 2e-20, Number.POSITIVE_INFINITY].map(Math.fround);
  const tiny = [DENORMAL, -DENORMAL, 1e-30, -9e-21];
  const bytes = model(
    [
      floatTensor('raw', [9], [...kept, ...tiny]),
      { name: 'typed', dims: [3], dataType: 1, floatData: [0.25, DENORMAL, -3] },
      int64Tensor('whole', [1, 2]),
    ],
    [{ ...floatTensor('', [2], [7, DENORMAL]), name: 'constant' }],
  );
  const before = Uint8Array.from(bytes);
  const { graph } = decodeModel(bytes);
  dropTinyWeights(graph);
  const tensors = constantTensors(
    decodeModel(encodeModel({ irVersion: 7, opsetImport: [{ version: 13 }], graph })).graph,
  );
  const valuesOf = (name: string) => {
    const tensor = tensors.get(name);
    return tensor && [...(floatValues(tensor) ?? [])];
  };
  expect(valuesOf('raw')).toEqual([...kept, 0, 0, 0, 0]);
  expect(valuesOf('typed')).toEqual([0.25, 0, -3]);
  expect(valuesOf('constant')).toEqual([7, 0]);
  expect(tensors.get('whole')).toEqual(expect.objectContaining({ dataType: 7 }));
  expect(Uint8Array.from(bytes)).toEqual(before);
});
