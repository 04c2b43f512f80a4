import { normalNumbers, seededRandom } from '../../core/seeded-random.ts';
import type { TensorGraph } from '../engine.ts';
import { encodeGraph } from '../graph/encode-graph.ts';
import { createTensorGraph } from '../graph/tensor-graph.ts';

/** Name of the input, features in rows, and of the output, a logit a class. */
export const FEATURES = 'features';
export const LOGITS = 'logits';

export interface DenseNetwork {
  /** Features of a row. */
  readonly inputs: number;
  /** Neurons of the hidden layer (rectified); null for none, which makes it softmax regression. */
  readonly hidden: number | null;
  readonly classes: number;
  /** Draws the first weights (He et al., "Delving Deep into Rectifiers", 2015); offsets begin at nothing. */
  readonly seed: number;
}

/** Adds the layers to a graph, on `rows` of features; gives the logits. */
export function denseLogits(graph: TensorGraph, rows: string, { inputs, hidden, classes, seed }: DenseNetwork): string {
  const normal = normalNumbers(seededRandom(seed));
  const layer = (name: string, x: string, from: number, to: number) => {
    const initial = Float32Array.from({ length: from * to }, () => normal() * Math.sqrt(2 / from));
    const weight = graph.parameter({ name: `${name}.weight`, shape: [to, from], initial, decays: true });
    const zeros = new Float32Array(to);
    const bias = graph.parameter({ name: `${name}.bias`, shape: [to], initial: zeros, decays: false });
    return graph.op('Gemm', [x, weight, bias], { transB: 1 });
  };
  if (hidden === null) return layer('classes', rows, inputs, classes);
  return layer('classes', graph.op('Relu', [layer('hidden', rows, inputs, hidden)]), hidden, classes);
}

/** The network with its first weights as an ONNX file, for one row. */
export function denseNetwork(network: DenseNetwork): Uint8Array {
  const graph = createTensorGraph();
  const rows = graph.input(FEATURES, [1, network.inputs]);
  return encodeGraph(graph, [[LOGITS, denseLogits(graph, rows, network)]], new Set());
}

/** Probabilities of the classes, which add up to 1. */
export function softmax(logits: ArrayLike<number>): Float64Array {
  const values = Float64Array.from(logits);
  const largest = values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  const powers = values.map((value) => Math.exp(value - largest));
  const total = powers.reduce((sum, value) => sum + value, 0);
  return powers.map((value) => value / total);
}
