import {
  ONNX_ATTRIBUTE,
  ONNX_TYPE,
  type OnnxAttribute,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
} from '../graph/onnx-proto.ts';
import { floatTensor, int64Tensor } from '../graph/tensor-values.ts';

/** A tensor of the graph in the making. Shapes are those of the source, with the channels last. */
export interface Value {
  readonly name: string;
  /** As the source has it; null for a size that is known only at run time. */
  readonly shape: readonly (number | null)[];
  /** Whether the ONNX tensor has the channels after the batch instead: so it is with all that convolutions give. */
  readonly channelsFirst: boolean;
}

/** Weights, rows first. */
export interface Weights {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

export type Padding = 'same' | 'valid';

export interface Window {
  /** Rows, columns. */
  readonly strides: readonly [number, number];
  readonly padding: Padding;
}

/** Operator set and IR version of what is written. */
const OPSET = 13;
const IR_VERSION = 7;

/**
 * Writes an ONNX graph for a source whose pictures have the channels last (TensorFlow): convolutions get theirs after the
 * batch, as ONNX wants them, and are turned back only where an operator must see the source's order.
 */
export class ChannelsFirstGraph {
  readonly #nodes: OnnxNode[] = [];
  readonly #initializers: OnnxTensor[] = [];
  readonly #outputs: { name: string; shape: readonly (number | null)[] }[] = [];
  #input: { name: string; shape: readonly number[] } | null = null;
  #count = 0;

  /** The pictures: batch x rows x columns x channels, FLOAT. */
  input(name: string, [rows, columns, channels]: readonly [number, number, number]): Value {
    this.#input = { name, shape: [1, rows, columns, channels] };
    return { name, shape: [null, rows, columns, channels], channelsFirst: false };
  }

  /** Convolution; `kernel` is output channels x input channels of a group x rows x columns. */
  conv(
    value: Value,
    kernel: Weights,
    bias: Weights | null,
    groups: number,
    window: Window & { dilations: readonly number[] },
  ): Value {
    const [filters, , ...extent] = kernel.dims;
    const inputs = [this.#turned(value, true), this.#weights(kernel)];
    if (bias) inputs.push(this.#weights(bias));
    const name = this.#add('Conv', inputs, {
      kernel_shape: extent,
      strides: window.strides,
      dilations: window.dilations,
      group: groups,
      auto_pad: AUTO_PAD[window.padding],
    });
    return { name, shape: [null, null, null, filters ?? null], channelsFirst: true };
  }

  /** Maximum over windows; what padding adds does not count. */
  maxPool(value: Value, extent: readonly [number, number], window: Window): Value {
    const name = this.#add('MaxPool', [this.#turned(value, true)], {
      kernel_shape: extent,
      strides: window.strides,
      auto_pad: AUTO_PAD[window.padding],
    });
    return { name, shape: [null, null, null, value.shape.at(-1) ?? null], channelsFirst: true };
  }

  /** An operator on single numbers: Relu, Sigmoid, Neg, Exp. */
  unary(opType: 'Relu' | 'Sigmoid' | 'Neg' | 'Exp' | 'Identity', value: Value): Value {
    return { ...value, name: this.#add(opType, [value.name]) };
  }

  /** At least 0 and at most `most`. */
  clipped(value: Value, most: number): Value {
    return { ...value, name: this.#add('Clip', [value.name, this.#weights(scalar(0)), this.#weights(scalar(most))]) };
  }

  /** `slope` times what is below 0; one slope a channel. */
  prelu(value: Value, slope: Weights): Value {
    return { ...value, name: this.#add('PRelu', [value.name, this.#weights(this.#alongChannels(value, slope))]) };
  }

  /** An operator on two tensors, or on one and constants a channel. */
  binary(opType: 'Add' | 'Sub' | 'Mul' | 'Div', first: Value, second: Value | Weights): Value {
    if ('data' in second) {
      return { ...first, name: this.#add(opType, [first.name, this.#weights(this.#alongChannels(first, second))]) };
    }
    const { channelsFirst } = first;
    return { ...first, name: this.#add(opType, [first.name, this.#turned(second, channelsFirst)]) };
  }

  /** Zeros around; one pair (before, after) a dimension of the source. */
  pad(value: Value, pairs: readonly (readonly [number, number])[]): Value {
    const order = value.channelsFirst ? [0, 3, 1, 2] : pairs.map((_, index) => index);
    const ordered = order.map((index) => pairs[index] ?? [0, 0]);
    const pads = [...ordered.map(([before]) => before), ...ordered.map(([, after]) => after)];
    const shape = value.shape.map((size, index) =>
      size === null ? null : size + (pairs[index]?.[0] ?? 0) + (pairs[index]?.[1] ?? 0),
    );
    return { ...value, shape, name: this.#add('Pad', [value.name, this.#ints(pads)]) };
  }

  /** Sum or maximum over one dimension of the source, which stays with the size 1. */
  reduce(opType: 'ReduceSum' | 'ReduceMax', value: Value, axis: number): Value {
    const last = value.shape.length - 1;
    const inSource = axis < 0 ? axis + last + 1 : axis;
    const turned = value.channelsFirst ? ([0, 2, 3, 1][inSource] ?? inSource) : inSource;
    const shape = value.shape.map((size, index) => (index === inSource ? 1 : size));
    const name =
      opType === 'ReduceSum'
        ? this.#add(opType, [value.name, this.#ints([turned])], { keepdims: 1 })
        : this.#add(opType, [value.name], { keepdims: 1, axes: [turned] });
    return { ...value, shape, name };
  }

  /** The numbers in the source's order under another shape; one size may be -1. */
  reshape(value: Value, shape: readonly number[]): Value {
    const name = this.#add('Reshape', [this.#turned(value, false), this.#ints(shape)]);
    return { name, shape: shape.map((size, index) => (size < 0 || index === 0 ? null : size)), channelsFirst: false };
  }

  /** Matrix product with weights of outputs x inputs, after everything but the batch was flattened. */
  fullyConnected(value: Value, weights: Weights, bias: Weights | null): Value {
    const [outputs = 0, inputs = 0] = weights.dims;
    const rows = this.reshape(value, [-1, inputs]);
    const name = this.#add('Gemm', [rows.name, this.#weights(weights), ...(bias ? [this.#weights(bias)] : [])], {
      transB: 1,
    });
    return { name, shape: [null, outputs], channelsFirst: false };
  }

  /** A picture with its rows as columns. */
  transposed(value: Value): Value {
    const [batch = null, rows = null, columns = null, channels = null] = value.shape;
    const perm = value.channelsFirst ? [0, 1, 3, 2] : [0, 2, 1, 3];
    return { ...value, shape: [batch, columns, rows, channels], name: this.#add('Transpose', [value.name], { perm }) };
  }

  /** Makes a tensor an output under a name, in the source's order. */
  output(value: Value, name: string): void {
    const from = this.#turned(value, false);
    this.#nodes.push({ opType: 'Identity', input: [from], output: [name], name });
    this.#outputs.push({ name, shape: value.shape });
  }

  build(): OnnxModel {
    if (!this.#input) throw new Error('has no input');
    const dims = (shape: readonly (number | null)[]) =>
      shape.map((size, index) => (size === null ? { dimParam: `d${index}` } : { dimValue: size }));
    const info = (name: string, shape: readonly (number | null)[]) => ({
      name,
      type: { tensorType: { elemType: ONNX_TYPE.float, shape: { dim: dims(shape) } } },
    });
    return {
      irVersion: IR_VERSION,
      producerName: 'eyeline',
      opsetImport: [{ domain: '', version: OPSET }],
      graph: {
        name: 'converted',
        node: this.#nodes,
        initializer: this.#initializers,
        input: [info(this.#input.name, this.#input.shape)],
        output: this.#outputs.map(({ name, shape }) => info(name, shape)),
        valueInfo: [],
      },
    };
  }

  /** The name of the tensor with its channels first, or where the source has them. */
  #turned(value: Value, channelsFirst: boolean): string {
    if (value.channelsFirst === channelsFirst) return value.name;
    if (value.shape.length !== 4) throw new Error(`a picture was expected, found ${value.shape.length} dimensions`);
    return this.#add('Transpose', [value.name], { perm: channelsFirst ? [0, 3, 1, 2] : [0, 2, 3, 1] });
  }

  /** Constants of one number a channel, shaped to fit `value`. */
  #alongChannels(value: Value, weights: Weights): Weights {
    const channels = weights.dims.at(-1) ?? 1;
    if (weights.data.length !== channels)
      throw new Error(`constants of ${weights.dims.join(' x ')}: one a channel is needed`);
    return { data: weights.data, dims: value.channelsFirst ? [channels, 1, 1] : [channels] };
  }

  #weights({ dims, data }: Weights): string {
    const name = `weights_${this.#count++}`;
    this.#initializers.push(floatTensor(name, dims, data));
    return name;
  }

  #ints(values: readonly number[]): string {
    const name = `numbers_${this.#count++}`;
    this.#initializers.push(int64Tensor(name, values));
    return name;
  }

  #add(
    opType: string,
    input: readonly string[],
    attributes: Readonly<Record<string, number | readonly number[] | string>> = {},
  ): string {
    const name = `${opType.toLowerCase()}_${this.#count++}`;
    const attribute = Object.entries(attributes).map(([key, value]) => attributeOf(key, value));
    this.#nodes.push({ opType, input: [...input], output: [name], name, attribute });
    return name;
  }
}

/** TensorFlow puts the odd row or column of padding after, as SAME_UPPER does. */
const AUTO_PAD: Readonly<Record<Padding, string>> = { same: 'SAME_UPPER', valid: 'VALID' };

function attributeOf(name: string, value: number | readonly number[] | string): OnnxAttribute {
  if (typeof value === 'string') return { name, type: ONNX_ATTRIBUTE.string, s: new TextEncoder().encode(value) };
  if (typeof value === 'number') return { name, type: ONNX_ATTRIBUTE.int, i: value };
  return { name, type: ONNX_ATTRIBUTE.ints, ints: [...value] };
}

function scalar(value: number): Weights {
  return { dims: [], data: Float32Array.of(value) };
}

/** Weights with their dimensions in another order: `order` names for each new dimension the one it was. */
export function permuted({ dims, data }: Weights, order: readonly number[]): Weights {
  const strides = dims.map((_, index) => dims.slice(index + 1).reduce((product, size) => product * size, 1));
  const newDims = order.map((from) => dims[from] ?? 1);
  const steps = order.map((from) => strides[from] ?? 0);
  const result = new Float32Array(data.length);
  const position = newDims.map(() => 0);
  let from = 0;
  for (let to = 0; to < result.length; to++) {
    result[to] = data[from] ?? 0;
    for (let axis = newDims.length - 1; axis >= 0; axis--) {
      from += steps[axis] ?? 0;
      position[axis] = (position[axis] ?? 0) + 1;
      if ((position[axis] ?? 0) < (newDims[axis] ?? 1)) break;
      from -= (steps[axis] ?? 0) * (newDims[axis] ?? 1);
      position[axis] = 0;
    }
  }
  return { dims: newDims, data: result };
}
