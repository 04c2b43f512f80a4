import { inputOf, intsOf, numberOf, type Operator, type OperatorGraph } from '../operator.ts';
import { broadcast, normalAxes, reshaped, sizeOf } from '../shapes.ts';
import { reshape, slice, sumTo, transpose } from '../shorthand.ts';

/** Operators that move numbers and change none. */

function constantInts(graph: OperatorGraph, name: string | undefined, what: string): readonly number[] {
  const values = name ? graph.integersOf(name) : null;
  if (!values) throw new Error(`its ${what} is not constant`);
  return values;
}

export const reshaping: Readonly<Record<string, Operator>> = {
  Reshape: {
    infer: (graph, node) => {
      const { shape, type } = graph.infoOf(inputOf(node, 0));
      return { type, shape: reshaped(shape, constantInts(graph, node.inputs[1], 'shape')) };
    },
    gradient: (graph, node, g) => [reshape(graph, g, graph.shapeOf(inputOf(node, 0))), null],
  },
  Flatten: {
    lower: (graph, node) => {
      const x = inputOf(node, 0);
      const shape = graph.shapeOf(x);
      const axis = numberOf(node.attributes, 'axis', 1);
      const split = axis < 0 ? axis + shape.length : axis;
      return reshape(graph, x, [sizeOf(shape.slice(0, split)), sizeOf(shape.slice(split))]);
    },
  },
  Squeeze: {
    lower: (graph, node) => {
      const x = inputOf(node, 0);
      const shape = graph.shapeOf(x);
      const axes = node.inputs[1] ? constantInts(graph, node.inputs[1], 'list of axes') : null;
      const gone = new Set(
        axes ? normalAxes(axes, shape.length) : shape.flatMap((size, index) => (size === 1 ? [index] : [])),
      );
      return reshape(
        graph,
        x,
        shape.filter((_, index) => !gone.has(index)),
      );
    },
  },
  Unsqueeze: {
    lower: (graph, node) => {
      const x = inputOf(node, 0);
      const shape = graph.shapeOf(x);
      const axes = constantInts(graph, node.inputs[1], 'list of axes');
      const added = new Set(normalAxes(axes, shape.length + axes.length));
      const rest = [...shape];
      return reshape(
        graph,
        x,
        Array.from({ length: shape.length + axes.length }, (_, index) => (added.has(index) ? 1 : (rest.shift() ?? 1))),
      );
    },
  },
  Transpose: {
    infer: (graph, node) => {
      const { shape, type } = graph.infoOf(inputOf(node, 0));
      const perm = intsOf(node.attributes, 'perm') ?? shape.map((_, index) => shape.length - 1 - index);
      return { type, shape: perm.map((axis) => shape[axis] ?? 1) };
    },
    gradient: (graph, node, g) => {
      const rank = graph.shapeOf(g).length;
      const perm = intsOf(node.attributes, 'perm') ?? Array.from({ length: rank }, (_, index) => rank - 1 - index);
      return [
        transpose(
          graph,
          g,
          perm.map((_, index) => perm.indexOf(index)),
        ),
      ];
    },
  },
  Expand: {
    infer: (graph, node) => {
      const { shape, type } = graph.infoOf(inputOf(node, 0));
      return { type, shape: broadcast(shape, constantInts(graph, node.inputs[1], 'shape')) };
    },
    gradient: (graph, node, g) => [sumTo(graph, g, graph.shapeOf(inputOf(node, 0))), null],
  },
  Pad: {
    infer: (graph, node) => {
      const { shape, type } = graph.infoOf(inputOf(node, 0));
      if (node.attributes.mode !== undefined && node.attributes.mode !== 'constant') {
        throw new Error(`padding by ${node.attributes.mode} is not known`);
      }
      const pads = constantInts(graph, node.inputs[1], 'list of pads');
      const sizes = shape.map((size, index) => size + (pads[index] ?? 0) + (pads[index + shape.length] ?? 0));
      return { type, shape: sizes };
    },
    gradient: (graph, node, g) => {
      const shape = graph.shapeOf(inputOf(node, 0));
      const pads = constantInts(graph, node.inputs[1], 'list of pads');
      if (pads.some((pad) => pad < 0)) throw new Error('negative pads are not known');
      const axes = shape.map((_, index) => index);
      const starts = pads.slice(0, shape.length);
      return [slice(graph, g, { axes, starts, ends: shape.map((size, index) => size + (starts[index] ?? 0)) }), null];
    },
  },
};
