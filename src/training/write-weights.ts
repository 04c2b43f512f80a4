import { EyelineError } from '../core/errors.ts';
import { decodeModel, encodeModel, ONNX_TYPE } from '../inference/graph/onnx-proto.ts';
import { floatValues, toNumber } from '../inference/graph/tensor-values.ts';
import type { Values } from './engine.ts';
import { sizeOf } from './graph/shapes.ts';

/**
 * The model with other weights; everything else of the file stays as it is.
 *
 * @param values by initialiser name; names the model does not have (a loss's own parameters) are an error
 *
 * Throws GRAPH_UNTRAINABLE when a name or size is not one of the model's.
 */
export function writeWeights(bytes: Uint8Array, values: Values): Uint8Array {
  const model = decodeModel(bytes);
  const left = new Map(Object.entries(values));
  for (const tensor of model.graph.initializer) {
    const { name = '' } = tensor;
    const data = left.get(name);
    if (!data) continue;
    left.delete(name);
    if (tensor.dataType !== ONNX_TYPE.float || sizeOf(tensor.dims.map(toNumber)) !== data.length) {
      throw new EyelineError('GRAPH_UNTRAINABLE', `weight ${name} of the model has not ${data.length} numbers`);
    }
    tensor.floatData = [];
    tensor.rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }
  const [unknown] = left.keys();
  if (unknown !== undefined) throw new EyelineError('GRAPH_UNTRAINABLE', `the model has no weight ${unknown}`);
  return encodeModel(model);
}

/** The FLOAT weights of a model's file, by name. */
export function modelWeights(bytes: Uint8Array): Map<string, Float32Array> {
  const weights = decodeModel(bytes).graph.initializer.map((it) => [it.name ?? '', floatValues(it)] as const);
  return new Map(weights.flatMap(([name, values]) => (values ? [[name, values]] : [])));
}
