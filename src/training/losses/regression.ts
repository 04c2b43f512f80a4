import type { TensorGraph } from '../engine.ts';
import { scaled } from '../graph/shorthand.ts';
import { average } from './building-blocks.ts';

interface Regression {
  /** Any shape. */
  readonly values: string;
  readonly targets: string;
}

/**
 * Wing loss of Feng et al., CVPR 2018: logarithmic up to `width`, so that small errors count too, linear beyond.
 * Mean over all numbers, in the units of the values.
 */
export function wing(
  graph: TensorGraph,
  { values, targets, width, curvature }: Regression & { readonly width: number; readonly curvature: number },
): string {
  const error = graph.op('Abs', [graph.op('Sub', [values, targets])]);
  const bound = graph.floats([width], []);
  const small = scaled(
    graph,
    graph.op('Log', [scaled(graph, graph.op('Min', [error, bound]), 1 / curvature, 1)]),
    width,
  );
  const beyond = graph.op('Max', [scaled(graph, error, 1, -width), graph.floats([0], [])]);
  return average(graph, graph.op('Add', [small, beyond]));
}

/** Smooth L1 of Girshick, Fast R-CNN, ICCV 2015: a square up to `beta`, linear beyond. Mean over all numbers. */
export function smoothL1(
  graph: TensorGraph,
  { values, targets, beta }: Regression & { readonly beta: number },
): string {
  return average(graph, smoothL1Of(graph, graph.op('Sub', [values, targets]), beta));
}

/** Smooth L1 of each difference. */
export function smoothL1Of(graph: TensorGraph, differences: string, beta: number): string {
  const error = graph.op('Abs', [differences]);
  const near = graph.op('Min', [error, graph.floats([beta], [])]);
  const square = scaled(graph, graph.op('Mul', [near, near]), 1 / (2 * beta));
  return graph.op('Add', [square, graph.op('Sub', [error, near])]);
}
