import type { StepGraph, StepParts, TensorGraph } from './engine.ts';
import { differentiate } from './graph/differentiate.ts';
import { encodeGraph } from './graph/encode-graph.ts';
import { createTensorGraph } from './graph/tensor-graph.ts';

export interface StepOptions {
  /** Channels of ONNX Runtime's blocked layout, which makes depthwise convolutions fast (blocked-layout.ts); null: without. */
  readonly block?: number | null;
  /** False: the graph only evaluates. */
  readonly gradients?: boolean;
}

/** Names of a step's outputs. */
export const LOSS = 'loss';
export const metricName = (name: string) => `metric:${name}`;
export const outputName = (name: string) => `output:${name}`;
export const gradientName = (name: string) => `gradient:${name}`;
export const bufferName = (name: string) => `buffer:${name}`;

/**
 * Writes a step of training as one ONNX file.
 *
 * @param build adds inputs, the tail and the loss to the graph and says which tensors are wanted
 *
 * A parameter the loss does not depend on is not in the result: it stays as it is. Throws GRAPH_UNTRAINABLE.
 */
export function buildStepGraph(build: (graph: TensorGraph) => StepParts, options: StepOptions = {}): StepGraph {
  const { block = null, gradients = true } = options;
  const graph = createTensorGraph(block);
  const { loss, metrics = {}, outputs = {} } = build(graph);
  const derived = gradients ? differentiate(graph, loss, [...graph.parameters.keys()]) : new Map<string, string>();
  const parameters = [...graph.parameters.values()].filter(({ name }) => !gradients || derived.has(name));
  const updates = gradients ? [...graph.updates] : [];
  const wanted: [string, string][] = [
    [LOSS, loss],
    ...Object.entries(metrics).map(([name, tensor]): [string, string] => [metricName(name), tensor]),
    ...Object.entries(outputs).map(([name, tensor]): [string, string] => [outputName(name), tensor]),
    ...Array.from(derived, ([name, tensor]): [string, string] => [gradientName(name), tensor]),
    ...updates.map(([name, tensor]): [string, string] => [bufferName(name), tensor]),
  ];
  return {
    onnx: encodeGraph(graph, wanted, new Set(parameters.map(({ name }) => name))),
    inputs: Array.from(graph.inputs, ([name, input]) => ({ name, ...input })),
    parameters,
    buffers: [...graph.buffers.values()],
    metrics: Object.keys(metrics),
    outputs: Object.keys(outputs),
    hasGradients: gradients,
  };
}
