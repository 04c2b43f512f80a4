import { EyelineError, messageOf } from '../../core/errors.ts';
import { freeBatchInReshapes } from '../../inference/graph/batch.ts';
import {
  decodeModel,
  ONNX_TYPE,
  type OnnxModel,
  type OnnxNode,
  type OnnxValueInfo,
} from '../../inference/graph/onnx-proto.ts';
import { opsetOf } from '../../inference/graph/prepare.ts';
import type { Parameter, TensorType } from '../engine.ts';
import { foldIntegers, type Integers } from './fold-integers.ts';
import { attributesOfNode, type FixedTensor, fixedTensors } from './model-values.ts';
import { type ReadingOptions, readNode } from './read-node.ts';
import { type RecordedGraph, untrainable } from './tensor-graph.ts';
import { type NodeWeight, weightsOfNode } from './weights-of-node.ts';

/** A model's file, with what training asks of it. */
export interface ModelFile {
  readonly model: OnnxModel;
  readonly input: { readonly name: string; readonly type: TensorType };
  readonly outputs: readonly string[];
  /** Without the Constant nodes. */
  readonly nodes: readonly OnnxNode[];
  readonly fixed: ReadonlyMap<string, FixedTensor | null>;
  /** Weights of each node. */
  readonly weights: readonly (readonly NodeWeight[])[];
}

const INPUT_TYPES = { [ONNX_TYPE.float]: 'float32', [ONNX_TYPE.uint8]: 'uint8' } as const;

/** Reads a model that has one input. Throws GRAPH_UNTRAINABLE. */
export function readModelFile(bytes: Uint8Array): ModelFile {
  try {
    const model = decodeModel(bytes);
    const { graph } = model;
    const fixed = fixedTensors(graph);
    const [input, ...others] = graph.input.filter(({ name }) => !fixed.has(name));
    if (!input || others.length > 0) throw new Error('the model has more than one input, or none');
    const elements = input.type?.tensorType?.elemType;
    const type = INPUT_TYPES[elements as keyof typeof INPUT_TYPES];
    if (!type) throw new Error(`input ${input.name} is neither FLOAT nor UINT8`);
    freeBatchInReshapes(graph, input.name);
    freeBatch(input);
    // What was inferred for another batch.
    graph.valueInfo = [];
    for (const output of graph.output) output.type = { tensorType: { elemType: ONNX_TYPE.float } };
    const nodes = graph.node.filter(({ opType }) => opType !== 'Constant');
    // Reshapes that were freed brought constants.
    const all = fixedTensors(graph);
    const products = new Set(nodes.filter(({ opType }) => opType === 'MatMul').flatMap(({ output }) => output));
    const isInitialiser = (name: string) =>
      all.get(name)?.initialiser === true && all.get(name)?.values.type === 'float32';
    return {
      model,
      input: { name: input.name, type },
      outputs: graph.output.map(({ name }) => name),
      nodes,
      fixed: all,
      weights: nodes.map((node) => weightsOfNode(node, isInitialiser, products)),
    };
  } catch (error) {
    throw new EyelineError('GRAPH_UNTRAINABLE', messageOf(error), { cause: error });
  }
}

function freeBatch({ type }: OnnxValueInfo): void {
  const [batch] = type?.tensorType?.shape?.dim ?? [];
  if (!batch) return;
  delete batch.dimValue;
  batch.dimParam = 'n';
}

export interface ReadOptions {
  readonly batchNormalization: ReadingOptions['batchNormalization'];
  readonly trains: (name: string) => boolean;
}

/**
 * Adds a model's nodes from the `first` on to a graph.
 *
 * @param known tensors of the model that are there, to their names in the graph; completed with all that are added
 */
export function addNodes(
  graph: RecordedGraph,
  file: ModelFile,
  first: number,
  known: Map<string, string>,
  { batchNormalization, trains }: ReadOptions,
): void {
  const integers = new Map<string, Integers>();
  const kernels = new Map(file.weights.flat().map(({ name, kernel }) => [name, kernel]));
  const opset = opsetOf(file.model);
  const parameterOf = (name: string, decays: boolean): Parameter | null => {
    const tensor = file.fixed.get(name);
    if (tensor?.values.type !== 'float32') return null;
    return { name, shape: tensor.shape, initial: tensor.values.data, decays };
  };
  const fixed = (name: string, node: OnnxNode): string => {
    const kernel = kernels.get(name);
    const parameter = kernel !== undefined && trains(name) ? parameterOf(name, kernel) : null;
    if (parameter) return graph.parameter(parameter);
    const tensor = file.fixed.get(name);
    if (!tensor) {
      const why = file.fixed.has(name) ? 'is of a type that is not known here' : 'comes from before the cut';
      throw untrainable({ opType: node.opType, name: node.name ?? '' }, `its input ${name} ${why}`);
    }
    const { values, shape } = tensor;
    return values.type === 'float32' ? graph.floats(values.data, shape) : graph.int64s(values.data, shape);
  };
  const integersOf = (name: string): Integers | undefined => {
    const tensor = file.fixed.get(name);
    if (tensor?.values.type === 'int64') return { shape: tensor.shape, values: tensor.values.data };
    return integers.get(name);
  };

  for (const node of file.nodes.slice(first)) {
    const attributes = attributesOfNode(node);
    const [output = ''] = node.output;
    const folded = foldNode(node, attributes);
    if (folded) {
      integers.set(output, folded);
      known.set(output, graph.int64s(folded.values, folded.shape));
      continue;
    }
    const inputs = node.input.map((name) => {
      if (!name) return '';
      const there = known.get(name) ?? fixed(name, node);
      known.set(name, there);
      return there;
    });
    const statistic = (place: 3 | 4): Parameter => {
      const parameter = parameterOf(node.input[place] ?? '', false);
      if (!parameter)
        throw untrainable({ opType: node.opType, name: node.name ?? '' }, 'its running statistics are missing');
      return parameter;
    };
    const about = { opType: node.opType, name: node.name || output };
    let results: string[];
    try {
      results = readNode(
        graph,
        { ...about, inputs, outputs: node.output.length, attributes, opset },
        { batchNormalization, statistic },
      );
    } catch (error) {
      if (error instanceof EyelineError) throw error;
      throw untrainable(about, messageOf(error));
    }
    for (const [index, name] of node.output.entries()) {
      const result = results[index];
      if (result !== undefined) known.set(name, result);
    }
  }

  function foldNode(node: OnnxNode, attributes: ReturnType<typeof attributesOfNode>): Integers | null {
    const [x = ''] = node.input;
    if (node.opType === 'Shape') {
      const there = known.get(x);
      const shape = there === undefined ? null : graph.shapeOf(there);
      return shape && { shape: [shape.length], values: shape };
    }
    const inputs = node.input.map(integersOf);
    return inputs.every((it) => it !== undefined) ? foldIntegers(node.opType, inputs, attributes) : null;
  }
}
