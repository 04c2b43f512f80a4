import type { Shape } from '../../engine.ts';
import { inputOf, numberOf, type Operator, type OperatorGraph, type OperatorNode } from '../operator.ts';
import { sizeOf } from '../shapes.ts';
import { reshape, slice, transpose } from '../shorthand.ts';

/** Operators that put tensors together and take parts of them. */

function axisOf(node: Pick<OperatorNode, 'attributes'>, rank: number, otherwise = 0): number {
  const axis = numberOf(node.attributes, 'axis', otherwise);
  return axis < 0 ? axis + rank : axis;
}

interface Cut {
  readonly axis: number;
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

/** Which elements of each axis a Slice takes (ONNX operator Slice, version 13: what is too far is cut off). */
function cutsOf(graph: OperatorGraph, node: Pick<OperatorNode, 'inputs'>): readonly Cut[] {
  const shape = graph.shapeOf(inputOf(node, 0));
  const lists = node.inputs.slice(1).map((name) => (name ? graph.integersOf(name) : undefined));
  if (lists.includes(null)) throw new Error('where it begins and ends is not constant');
  const [starts = [], ends = [], axes, steps] = lists as (readonly number[] | undefined)[];
  return starts.map((from, index) => {
    const given = axes?.[index] ?? index;
    const axis = given < 0 ? given + shape.length : given;
    const size = shape[axis] ?? 1;
    const step = steps?.[index] ?? 1;
    const place = (at: number, low: number, high: number) => Math.min(high, Math.max(low, at < 0 ? at + size : at));
    const start = step > 0 ? place(from, 0, size) : place(from, 0, size - 1);
    const end = step > 0 ? place(ends[index] ?? 0, 0, size) : place(ends[index] ?? 0, -1, size - 1);
    return { axis, start, step, count: Math.max(0, Math.ceil((end - start) / step)) };
  });
}

export const indexing: Readonly<Record<string, Operator>> = {
  Concat: {
    infer: (graph, node) => {
      const infos = node.inputs.map((name) => graph.infoOf(name));
      const [first] = infos;
      if (!first) throw new Error('it has no inputs');
      const axis = axisOf(node, first.shape.length);
      const total = infos.reduce((sum, { shape }) => sum + (shape[axis] ?? 0), 0);
      return { type: first.type, shape: first.shape.map((size, index) => (index === axis ? total : size)) };
    },
    gradient: (graph, node, g, wanted) => {
      const axis = axisOf(node, graph.shapeOf(g).length);
      let at = 0;
      return node.inputs.map((name, index) => {
        const start = at;
        at += graph.shapeOf(name)[axis] ?? 0;
        return wanted[index] ? slice(graph, g, { axes: [axis], starts: [start], ends: [at] }) : null;
      });
    },
  },
  Slice: {
    infer: (graph, node) => {
      const { shape, type } = graph.infoOf(inputOf(node, 0));
      const counts = new Map(cutsOf(graph, node).map(({ axis, count }) => [axis, count]));
      return { type, shape: shape.map((size, index) => counts.get(index) ?? size) };
    },
    gradient: (graph, node, g) => {
      const shape = graph.shapeOf(inputOf(node, 0));
      const cuts = cutsOf(graph, node);
      if (cuts.some(({ step }) => step < 0)) throw new Error('a slice that turns an axis has no gradient here');
      let spread = g;
      for (const { axis, step } of cuts) spread = withZeros(graph, spread, axis, step);
      const before = shape.map((_, index) => cuts.find(({ axis }) => axis === index)?.start ?? 0);
      const after = graph.shapeOf(spread).map((size, index) => (shape[index] ?? 0) - size - (before[index] ?? 0));
      const cropped = trimmed(graph, spread, after);
      const pads = [...before, ...after.map((size) => Math.max(0, size))];
      return [graph.op('Pad', [cropped, graph.int64s(pads)]), ...node.inputs.slice(1).map(() => null)];
    },
  },
  Gather: {
    infer: (graph, node) => {
      const { shape, type } = graph.infoOf(inputOf(node, 0));
      const axis = axisOf(node, shape.length);
      return { type, shape: [...shape.slice(0, axis), ...graph.shapeOf(inputOf(node, 1)), ...shape.slice(axis + 1)] };
    },
    gradient: gatherGradient,
  },
  OneHot: {
    infer: (graph, node) => {
      const indices = graph.shapeOf(inputOf(node, 0));
      const depth = graph.integersOf(inputOf(node, 1))?.[0];
      if (depth === undefined) throw new Error('its depth is not constant');
      if (axisOf(node, indices.length + 1, -1) !== indices.length) throw new Error('only the last axis is known');
      return { type: 'float32', shape: [...indices, depth] };
    },
  },
};

/**
 * Each element followed by step - 1 zeros along an axis, none after the last. Along the last axis as a product with a matrix of
 * zeros and ones: a Pad of single numbers took a third of a step's time.
 */
export function withZeros(graph: OperatorGraph, x: string, axis: number, step: number): string {
  if (step === 1) return x;
  const shape = graph.shapeOf(x);
  const size = shape[axis] ?? 1;
  const spreadSize = (size - 1) * step + 1;
  if (axis === shape.length - 1) {
    const places = new Float32Array(size * spreadSize);
    for (let at = 0; at < size; at++) places[at * spreadSize + at * step] = 1;
    return graph.op('MatMul', [x, graph.floats(places, [size, spreadSize])]);
  }
  const apart: Shape = [...shape.slice(0, axis + 1), 1, ...shape.slice(axis + 1)];
  const pads = [...apart.map(() => 0), ...apart.map((_, index) => (index === axis + 1 ? step - 1 : 0))];
  const spread = graph.op('Pad', [reshape(graph, x, apart), graph.int64s(pads)]);
  const joined = reshape(
    graph,
    spread,
    shape.map((it, index) => (index === axis ? it * step : it)),
  );
  return slice(graph, joined, { axes: [axis], starts: [0], ends: [spreadSize] });
}

/** Cuts off at the end of an axis what is too much. */
function trimmed(graph: OperatorGraph, x: string, room: readonly number[]): string {
  const axes = room.flatMap((size, index) => (size < 0 ? [index] : []));
  if (axes.length === 0) return x;
  const shape = graph.shapeOf(x);
  return slice(graph, x, {
    axes,
    starts: axes.map(() => 0),
    ends: axes.map((axis) => (shape[axis] ?? 0) + (room[axis] ?? 0)),
  });
}

/** Rows that were picked get the gradients of their copies: a product with the matrix of zeros and ones that picks them. */
function gatherGradient(graph: OperatorGraph, node: OperatorNode, g: string) {
  const [x, indices] = [inputOf(node, 0), inputOf(node, 1)];
  const shape = graph.shapeOf(x);
  const axis = axisOf(node, shape.length);
  const depth = shape[axis] ?? 1;
  const picked = graph.shapeOf(indices);
  const count = sizeOf(picked);
  const rest = [...shape.slice(0, axis), ...shape.slice(axis + 1)];

  const flat = reshape(graph, g, [...shape.slice(0, axis), count, ...shape.slice(axis + 1)]);
  const order = shape.map((_, index) => index);
  const front = [axis, ...order.filter((index) => index !== axis)];
  const rows = reshape(graph, axis === 0 ? flat : transpose(graph, flat, front), [count, sizeOf(rest)]);
  const values = graph.floats([0, 1]);
  const hot = graph.op('OneHot', [reshape(graph, indices, [count]), graph.int64s([depth]), values], { axis: -1 });
  const sums = reshape(graph, graph.op('Gemm', [hot, rows], { transA: 1 }), [depth, ...rest]);
  return [
    axis === 0
      ? sums
      : transpose(
          graph,
          sums,
          order.map((index) => front.indexOf(index)),
        ),
    null,
  ];
}
