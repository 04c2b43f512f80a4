import { constantTensors } from '../../inference/graph/nodes.ts';
import {
  ONNX_ATTRIBUTE,
  ONNX_TYPE,
  type OnnxGraph,
  type OnnxNode,
  type OnnxTensor,
} from '../../inference/graph/onnx-proto.ts';
import { int64Values, toNumber } from '../../inference/graph/tensor-values.ts';
import type { Attributes, Shape } from '../engine.ts';

/** Reading what stands in a model's file. */

export function attributesOfNode({ attribute }: OnnxNode): Attributes {
  const entries = (attribute ?? []).flatMap((it): [string, number | string | number[]][] => {
    switch (it.type) {
      case ONNX_ATTRIBUTE.float:
        return [[it.name, it.f ?? 0]];
      case ONNX_ATTRIBUTE.int:
        return [[it.name, clamped(it.i)]];
      case ONNX_ATTRIBUTE.string:
        return [[it.name, new TextDecoder().decode(it.s)]];
      case ONNX_ATTRIBUTE.floats:
        return [[it.name, it.floats ?? []]];
      case ONNX_ATTRIBUTE.ints:
        return [[it.name, (it.ints ?? []).map(clamped)]];
      default:
        return [];
    }
  });
  return Object.fromEntries(entries);
}

/** "To the end" is written as the largest integer of 64 bits, which no number here holds. */
function clamped(value: Parameters<typeof toNumber>[0]): number {
  return Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, toNumber(value)));
}

export interface FixedTensor {
  readonly shape: Shape;
  readonly values:
    | { readonly type: 'float32'; readonly data: Float32Array }
    | { readonly type: 'int64'; readonly data: number[] };
  /** An initialiser; a Constant node otherwise. */
  readonly initialiser: boolean;
}

/** Tensors that stand in the file, by name. Those of other types than FLOAT and INT64 are null. */
export function fixedTensors(graph: OnnxGraph): ReadonlyMap<string, FixedTensor | null> {
  const initialisers = new Set(graph.initializer.map(({ name }) => name));
  return new Map(
    Array.from(
      constantTensors(graph),
      ([name, tensor]) => [name, fixedTensor(tensor, initialisers.has(name))] as const,
    ),
  );
}

function fixedTensor(tensor: OnnxTensor, initialiser: boolean): FixedTensor | null {
  const shape = tensor.dims.map(toNumber);
  const floats = floatValues(tensor);
  if (floats) return { shape, values: { type: 'float32', data: floats }, initialiser };
  const integers = int64Values(tensor)?.map(clamped);
  return integers ? { shape, values: { type: 'int64', data: integers }, initialiser } : null;
}

/** The numbers of a FLOAT tensor, copied, or null when it is of another type or kept in another file. */
export function floatValues(tensor: OnnxTensor): Float32Array | null {
  if (tensor.dataType !== ONNX_TYPE.float || tensor.externalData?.length) return null;
  if (!tensor.rawData?.length) return Float32Array.from(tensor.floatData ?? []);
  return new Float32Array(new Uint8Array(tensor.rawData).buffer);
}
