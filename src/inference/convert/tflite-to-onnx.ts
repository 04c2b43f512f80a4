import { encodeModel } from '../graph/onnx-proto.ts';
import {
  ChannelsFirstGraph,
  type Padding,
  permuted,
  type Value,
  type Weights,
  type Window,
} from './channels-first-graph.ts';
import { readTflite, TFLITE_TYPE, type TfliteGraph, type TfliteOperator, type TfliteTensor } from './tflite-file.ts';

/** BuiltinOperator of the schema, as far as it is known here. */
const NAMES: Readonly<Record<number, string>> = {
  0: 'ADD',
  3: 'CONV_2D',
  9: 'FULLY_CONNECTED',
  17: 'MAX_POOL_2D',
  18: 'MUL',
  19: 'RELU',
  41: 'SUB',
  42: 'DIV',
  47: 'EXP',
  59: 'NEG',
  74: 'SUM',
  82: 'REDUCE_MAX',
};

const ACTIVATION = { none: 0, relu: 1, relu6: 3 } as const;

/**
 * Writes a TFLite model as ONNX, with its pictures, names and orders as they were; floats only. Its operators are those
 * of MTCNN's networks. Throws a plain Error that names the operator and what it computes for any other.
 *
 * @param picture its size, where the network takes any: the file names one, which an interpreter would change; and
 *   whether the network takes columns before rows (as one trained on transposed pictures), to be converted to rows first
 */
export function convertTflite(
  file: Uint8Array,
  picture: { readonly rows: number; readonly columns: number; readonly columnsFirst: boolean },
): Uint8Array {
  const source = readTflite(file);
  const [inputIndex, ...others] = source.inputs;
  const input = tensorAt(source, inputIndex);
  if (others.length > 0 || input.shape.length !== 4) throw new Error('must have one input, a picture');
  const graph = new ChannelsFirstGraph();
  const asGiven = graph.input(input.name, [picture.rows, picture.columns, input.shape[3] ?? 0]);
  const values = new Map<number, Value>([
    [inputIndex ?? -1, picture.columnsFirst ? graph.transposed(asGiven) : asGiven],
  ]);
  for (const operator of source.operators) {
    const [output = -1] = operator.outputs;
    try {
      values.set(output, convertOperator(operator, { source, graph, values }));
    } catch (error) {
      const name = operator.customCode || (NAMES[operator.code] ?? `operator ${operator.code}`);
      throw new Error(
        `${name} for ${tensorAt(source, output).name}: ${error instanceof Error ? error.message : error}`,
        { cause: error },
      );
    }
  }
  for (const index of source.outputs) {
    const value = values.get(index);
    if (!value) throw new Error(`output ${tensorAt(source, index).name} is computed nowhere`);
    const turn = picture.columnsFirst && value.shape.length === 4;
    graph.output(turn ? graph.transposed(value) : value, tensorAt(source, index).name);
  }
  return encodeModel(graph.build());
}

interface Surroundings {
  readonly source: TfliteGraph;
  readonly graph: ChannelsFirstGraph;
  readonly values: ReadonlyMap<number, Value>;
}

function convertOperator(operator: TfliteOperator, { source, graph, values }: Surroundings): Value {
  const value = (which: number): Value => {
    const found = values.get(operator.inputs[which] ?? -1);
    if (!found) throw new Error(`input ${which} is computed nowhere`);
    return found;
  };
  const weights = (which: number): Weights => floatsOf(tensorAt(source, operator.inputs[which]));
  const optionalWeights = (which: number) => ((operator.inputs[which] ?? -1) < 0 ? null : weights(which));
  switch (NAMES[operator.code]) {
    case 'CONV_2D': {
      const dilations = [operator.option(5, 'int32', 1), operator.option(4, 'int32', 1)];
      // Output channels x rows x columns x input channels there.
      const kernel = permuted(weights(1), [0, 3, 1, 2]);
      const result = graph.conv(value(0), kernel, optionalWeights(2), 1, { ...windowOf(operator), dilations });
      return activated(graph, result, operator.option(3, 'int8'));
    }
    case 'MAX_POOL_2D': {
      const extent = [operator.option(4, 'int32'), operator.option(3, 'int32')] as const;
      return activated(graph, graph.maxPool(value(0), extent, windowOf(operator)), operator.option(5, 'int8'));
    }
    case 'FULLY_CONNECTED':
      return activated(
        graph,
        graph.fullyConnected(value(0), weights(1), optionalWeights(2)),
        operator.option(0, 'int8'),
      );
    case 'ADD':
      return activated(graph, graph.binary('Add', ...operands(operator, values, weights)), operator.option(0, 'int8'));
    case 'MUL':
      return activated(graph, graph.binary('Mul', ...operands(operator, values, weights)), operator.option(0, 'int8'));
    case 'SUB':
      return activated(graph, graph.binary('Sub', value(0), value(1)), operator.option(0, 'int8'));
    case 'DIV':
      return activated(graph, graph.binary('Div', value(0), value(1)), operator.option(0, 'int8'));
    case 'RELU':
      return graph.unary('Relu', value(0));
    case 'NEG':
      return graph.unary('Neg', value(0));
    case 'EXP':
      return graph.unary('Exp', value(0));
    case 'SUM':
      return graph.reduce('ReduceSum', value(0), axisOf(operator, source));
    case 'REDUCE_MAX':
      return graph.reduce('ReduceMax', value(0), axisOf(operator, source));
    default:
      throw new Error('there is no conversion for it');
  }
}

/** The operands of what may be turned round, the computed one first. */
function operands(
  { inputs }: TfliteOperator,
  values: ReadonlyMap<number, Value>,
  weights: (which: number) => Weights,
): [Value, Value | Weights] {
  const [first, second] = [values.get(inputs[0] ?? -1), values.get(inputs[1] ?? -1)];
  if (first) return [first, second ?? weights(1)];
  if (second) return [second, weights(0)];
  throw new Error('both operands are constants');
}

function windowOf(operator: TfliteOperator): Window {
  const padding: Padding = operator.option(0, 'int8') === 0 ? 'same' : 'valid';
  return { padding, strides: [operator.option(2, 'int32'), operator.option(1, 'int32')] };
}

function activated(graph: ChannelsFirstGraph, value: Value, activation: number): Value {
  if (activation === ACTIVATION.none) return value;
  if (activation === ACTIVATION.relu) return graph.unary('Relu', value);
  if (activation === ACTIVATION.relu6) return graph.clipped(value, 6);
  throw new Error(`there is no conversion for its activation ${activation}`);
}

function axisOf(operator: TfliteOperator, source: TfliteGraph): number {
  const { type, data } = tensorAt(source, operator.inputs[1]);
  if (type !== TFLITE_TYPE.int32 || data.length !== 4) throw new Error('it must go over one dimension');
  if (operator.option(0, 'int8') !== 1) throw new Error('it must keep the dimension');
  return new DataView(data.buffer, data.byteOffset).getInt32(0, true);
}

function floatsOf({ name, type, shape, data }: TfliteTensor): Weights {
  const size = shape.reduce((product, extent) => product * extent, 1);
  if (type !== TFLITE_TYPE.float32) throw new Error(`${name} is not of floats`);
  if (data.length !== size * 4) throw new Error(`${name} is no constant`);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return { dims: shape, data: Float32Array.from({ length: size }, (_, index) => view.getFloat32(index * 4, true)) };
}

function tensorAt({ tensors }: TfliteGraph, index: number | undefined): TfliteTensor {
  const tensor = tensors[index ?? -1];
  if (!tensor) throw new Error(`has no tensor ${index}`);
  return tensor;
}
