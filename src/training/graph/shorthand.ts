import type { Shape, TensorGraph } from '../engine.ts';
import { normalAxes, sameShape } from './shapes.ts';

/** Nodes that are needed everywhere, in few words. */

export function reshape(graph: TensorGraph, x: string, shape: Shape): string {
  return sameShape(graph.shapeOf(x), shape) ? x : graph.op('Reshape', [x, graph.int64s(shape)]);
}

export function transpose(graph: TensorGraph, x: string, perm: readonly number[]): string {
  return graph.op('Transpose', [x], { perm });
}

/** Swaps the last two axes. */
export function transposed(graph: TensorGraph, x: string): string {
  const axes = graph.shapeOf(x).map((_, index) => index);
  return transpose(graph, x, [...axes.slice(0, -2), axes.length - 1, axes.length - 2]);
}

export function sum(graph: TensorGraph, x: string, axes: readonly number[], keepdims = 0): string {
  return axes.length === 0 ? x : graph.op('ReduceSum', [x, graph.int64s(axes)], { keepdims });
}

export function mean(graph: TensorGraph, x: string, axes: readonly number[], keepdims = 0): string {
  return axes.length === 0 ? x : graph.op('ReduceMean', [x, graph.int64s(axes)], { keepdims });
}

export function slice(
  graph: TensorGraph,
  x: string,
  {
    axes,
    starts,
    ends,
    steps,
  }: Readonly<Record<'axes' | 'starts' | 'ends', readonly number[]>> & {
    readonly steps?: readonly number[];
  },
): string {
  const inputs = [x, graph.int64s(starts), graph.int64s(ends), graph.int64s(axes)];
  return graph.op('Slice', steps ? [...inputs, graph.int64s(steps)] : inputs);
}

/** x * factor + summand, numbers; nothing is added that changes nothing. */
export function scaled(graph: TensorGraph, x: string, factor: number, summand = 0): string {
  const product = factor === 1 ? x : graph.op('Mul', [x, graph.floats([factor], [])]);
  return summand === 0 ? product : graph.op('Add', [product, graph.floats([summand], [])]);
}

/** Sums what was stretched by broadcasting, so that the result has `shape`: the gradient's way back. */
export function sumTo(graph: TensorGraph, x: string, shape: Shape): string {
  const from = graph.shapeOf(x);
  const lead = from.length - shape.length;
  const axes = from.flatMap((size, index) =>
    index < lead || (shape[index - lead] === 1 && size !== 1) ? [index] : [],
  );
  return reshape(graph, sum(graph, x, axes, 1), shape);
}

/** Stretches a reduced tensor to what it was reduced from; `kept` says whether its axes of size 1 are still there. */
export function unreduced(graph: TensorGraph, x: string, from: Shape, axes: readonly number[], kept: boolean): string {
  const reducedAxes = new Set(normalAxes(axes, from.length));
  return kept
    ? x
    : reshape(
        graph,
        x,
        from.map((size, index) => (reducedAxes.has(index) ? 1 : size)),
      );
}

/** A tensor of `shape` that repeats `x`. */
export function expand(graph: TensorGraph, x: string, shape: Shape): string {
  return sameShape(graph.shapeOf(x), shape) ? x : graph.op('Expand', [x, graph.int64s(shape)]);
}
