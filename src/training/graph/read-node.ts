import type { Attributes, Parameter } from '../engine.ts';
import { numberOf } from './operator.ts';
import { normalAxes, sizeOf } from './shapes.ts';
import { mean, reshape, scaled, slice } from './shorthand.ts';
import type { RecordedGraph } from './tensor-graph.ts';

/** A node of a model's file, its inputs by the names they have in the graph that is built. */
export interface FileOperator {
  readonly opType: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: number;
  readonly attributes: Attributes;
  /** Version of the operator set it is written in. */
  readonly opset: number;
}

export interface ReadingOptions {
  /** `running`: by the running statistics as they are now, which come with the weights. */
  readonly batchNormalization: 'frozen' | 'batch' | 'running';
  /** Turns an input of BatchNormalization, by its place, into a running statistic. */
  readonly statistic: (place: 3 | 4) => Parameter;
}

const REDUCTIONS = new Set([
  'ReduceSum',
  'ReduceMean',
  'ReduceMax',
  'ReduceMin',
  'ReduceL2',
  'ReduceLogSumExp',
  'ReduceSumSquare',
]);

/** Share of the running statistics that a step of training leaves (ONNX operator BatchNormalization, attribute momentum). */
const MOMENTUM = 0.9;

/** Adds a node of any operator set in the form of operator set 18; gives the names of its outputs. */
export function readNode(graph: RecordedGraph, node: FileOperator, options: ReadingOptions): string[] {
  const { opType, name, attributes, opset } = node;
  const inputs = [...node.inputs];
  const [x = '', second] = inputs;
  const op = (type: string, from: readonly string[], given: Attributes = attributes) =>
    graph.op(type, from, given, name);
  const list = (key: string) => attributes[key] as readonly number[] | undefined;
  const without = (...keys: readonly string[]) =>
    Object.fromEntries(Object.entries(attributes).filter(([key]) => !keys.includes(key)));

  if (REDUCTIONS.has(opType)) {
    const axes = list('axes');
    return [op(opType, axes ? [x, graph.int64s(axes)] : inputs, without('axes', 'noop_with_empty_axes'))];
  }
  switch (opType) {
    case 'Identity':
    case 'Dropout':
      return [x];
    case 'Squeeze':
    case 'Unsqueeze': {
      const axes = list('axes');
      return [op(opType, axes ? [x, graph.int64s(axes)] : inputs, {})];
    }
    case 'Slice': {
      const [starts, ends] = [list('starts'), list('ends')];
      if (!starts || !ends) return [op(opType, inputs)];
      return [slice(graph, x, { starts, ends, axes: list('axes') ?? starts.map((_, index) => index) })];
    }
    case 'Pad': {
      const pads = list('pads');
      return [op(opType, pads ? [x, graph.int64s(pads)] : inputs, without('pads', 'value'))];
    }
    case 'Clip': {
      if (opset >= 11) return [op(opType, inputs)];
      const bound = (key: string) =>
        attributes[key] === undefined ? '' : graph.floats([numberOf(attributes, key, 0)], []);
      return [op(opType, [x, bound('min'), bound('max')], {})];
    }
    case 'Softmax':
    case 'LogSoftmax':
      return [softmax(graph, node)];
    case 'HardSigmoid':
      return [hardSigmoid(graph, x, numberOf(attributes, 'alpha', 0.2), numberOf(attributes, 'beta', 0.5))];
    case 'HardSwish':
      return [graph.op('Mul', [x, hardSigmoid(graph, x, 1 / 6, 0.5)])];
    case 'Sum':
      return [inputs.reduce((sum, it) => graph.op('Add', [sum, it], {}, name))];
    case 'Split':
      return split(graph, node, second ? graph.integersOf(second) : list('split'));
    case 'BatchNormalization':
      return [batchNormalization(graph, node, options)];
    case 'Reshape':
    case 'Gemm':
    case 'Conv':
      return [op(opType, inputs, without('allowzero', 'axis', 'broadcast'))];
    default:
      return [op(opType, inputs)];
  }
}

/** Before operator set 13 everything from `axis` on was one axis, 1 by default. */
function softmax(graph: RecordedGraph, { opType, name, inputs, attributes, opset }: FileOperator): string {
  const [x = ''] = inputs;
  if (opset >= 13) return graph.op(opType, [x], attributes, name);
  const shape = graph.shapeOf(x);
  const given = numberOf(attributes, 'axis', 1);
  const axis = given < 0 ? given + shape.length : given;
  const flat = reshape(graph, x, [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis))]);
  if (axis === shape.length - 1) return graph.op(opType, [x], { axis: -1 }, name);
  return reshape(graph, graph.op(opType, [flat], { axis: -1 }, name), shape);
}

function hardSigmoid(graph: RecordedGraph, x: string, alpha: number, beta: number): string {
  return graph.op('Clip', [scaled(graph, x, alpha, beta), graph.floats([0], []), graph.floats([1], [])]);
}

function split(graph: RecordedGraph, node: FileOperator, sizes: readonly number[] | null | undefined): string[] {
  const [x = ''] = node.inputs;
  const shape = graph.shapeOf(x);
  const [axis = 0] = normalAxes([numberOf(node.attributes, 'axis', 0)], shape.length);
  const part = Math.ceil((shape[axis] ?? 1) / node.outputs);
  const parts = sizes ?? Array.from({ length: node.outputs }, () => part);
  let at = 0;
  return parts.map((size) => {
    const start = at;
    at += size;
    return slice(graph, x, { axes: [axis], starts: [start], ends: [Math.min(at, shape[axis] ?? 1)] });
  });
}

/** Ioffe and Szegedy, Batch Normalization, ICML 2015: as in inference, or with the batch's own statistics. */
function batchNormalization(
  graph: RecordedGraph,
  node: FileOperator,
  { batchNormalization: mode, statistic }: ReadingOptions,
): string {
  const [x = '', scale = '', bias = '', runningMean = '', runningVariance = ''] = node.inputs;
  const shape = graph.shapeOf(x);
  const channels = graph.shapeOf(scale);
  // Channels are the second axis.
  const column = (it: string) => reshape(graph, it, [...channels, ...shape.slice(2).map(() => 1)]);
  const epsilon = numberOf(node.attributes, 'epsilon', 1e-5);
  const deviation = (variance: string) => graph.op('Sqrt', [scaled(graph, variance, 1, epsilon)]);
  if (mode !== 'batch') {
    const running = mode === 'running';
    const factor = graph.op('Div', [scale, deviation(running ? graph.buffer(statistic(4)) : runningVariance)]);
    const centre = running ? graph.buffer(statistic(3)) : runningMean;
    const summand = graph.op('Sub', [bias, graph.op('Mul', [centre, factor])]);
    return graph.op('Add', [graph.op('Mul', [x, column(factor)]), column(summand)]);
  }
  const axes = shape.flatMap((_, index) => (index === 1 ? [] : [index]));
  const average = mean(graph, x, axes, 1);
  const centred = graph.op('Sub', [x, average]);
  const variance = mean(graph, graph.op('Mul', [centred, centred]), axes, 1);
  const momentum = numberOf(node.attributes, 'momentum', MOMENTUM);
  // The running variance is of all pictures, so it is taken unbiased.
  const count = sizeOf(shape) / (shape[1] ?? 1);
  const updates = [
    { parameter: statistic(3), batch: average, factor: 1 },
    { parameter: statistic(4), batch: variance, factor: count / Math.max(1, count - 1) },
  ];
  for (const { parameter, batch, factor } of updates) {
    const before = graph.buffer(parameter);
    const now = scaled(graph, reshape(graph, batch, channels), (1 - momentum) * factor);
    graph.updateBuffer(parameter.name, graph.op('Add', [scaled(graph, before, momentum), now]));
  }
  const normal = graph.op('Div', [centred, deviation(variance)]);
  return graph.op('Add', [graph.op('Mul', [normal, column(scale)]), column(bias)]);
}
