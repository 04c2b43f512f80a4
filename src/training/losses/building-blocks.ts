import type { TensorGraph } from '../engine.ts';
import { mean, scaled, sum, transposed } from '../graph/shorthand.ts';

/** Parts that several losses are made of. */

/** Rows of length 1. */
export function normalised(graph: TensorGraph, rows: string): string {
  return graph.op('LpNormalization', [rows], { axis: -1, p: 2 });
}

/** The mean of all numbers of a tensor. */
export function average(graph: TensorGraph, x: string): string {
  return mean(graph, x, axesOf(graph, x));
}

/** The sum of all numbers of a tensor. */
export function total(graph: TensorGraph, x: string): string {
  return sum(graph, x, axesOf(graph, x));
}

/** The mean of numbers by their weights; where the weights are less than 1 together, the weighted sum. */
export function weightedMean(graph: TensorGraph, x: string, weights: string): string {
  const weight = graph.op('Max', [total(graph, weights), graph.floats([1], [])]);
  return graph.op('Div', [total(graph, graph.op('Mul', [x, weights])), weight]);
}

/** Cosines of every row of one matrix with every row of another, both of length 1. */
export function cosines(graph: TensorGraph, a: string, b: string): string {
  return graph.op('MatMul', [a, transposed(graph, b)]);
}

/** Cosine of each row with the row of the same number, both of length 1. */
export function pairedCosines(graph: TensorGraph, a: string, b: string): string {
  return sum(graph, graph.op('Mul', [a, b]), [-1]);
}

/** n x n: 1 on the diagonal. */
export function unitMatrix(graph: TensorGraph, size: number): string {
  const values = Float32Array.from({ length: size * size }, (_, index) => (index % (size + 1) === 0 ? 1 : 0));
  return graph.floats(values, [size, size]);
}

/**
 * n x n: 1 where two rows are of one person.
 *
 * @param people FLOAT vector of n numbers, one a person; whole numbers below 2^24
 */
export function samePerson(graph: TensorGraph, people: string): string {
  const [size = 1] = graph.shapeOf(people);
  const column = graph.op('Reshape', [people, graph.int64s([size, 1])]);
  const row = graph.op('Reshape', [people, graph.int64s([1, size])]);
  return graph.op('Cast', [graph.op('Equal', [column, row])], { to: 1 });
}

/** 1 - x. */
export function complement(graph: TensorGraph, x: string): string {
  return scaled(graph, x, -1, 1);
}

function axesOf(graph: TensorGraph, x: string): number[] {
  return graph.shapeOf(x).map((_, index) => index);
}
