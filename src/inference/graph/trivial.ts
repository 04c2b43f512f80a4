import { node } from './nodes.ts';
import { encodeModel, ONNX_TYPE } from './onnx-proto.ts';

/** A graph of one node, y = x + x on 4 floats: what a provider is tried with. */
export function trivialGraph(): Uint8Array {
  const value = (name: string) => ({
    name,
    type: { tensorType: { elemType: ONNX_TYPE.float, shape: { dim: [{ dimValue: 4 }] } } },
  });
  return encodeModel({
    irVersion: 7,
    producerName: 'eyeline',
    opsetImport: [{ domain: '', version: 13 }],
    graph: {
      name: 'trivial',
      node: [node('Add', ['x', 'x'], 'y')],
      initializer: [],
      input: [value('x')],
      output: [value('y')],
      valueInfo: [],
    },
  });
}
