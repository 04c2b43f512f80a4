import { inputOf, numberOf, type Operator, type OperatorGraph, type OperatorNode } from '../operator.ts';
import { normalAxes, sizeOf } from '../shapes.ts';
import { expand, scaled, sum, unreduced } from '../shorthand.ts';

/** Operators that make one number of many, and those that normalise along an axis. */

function axesOf(graph: OperatorGraph, node: Omit<OperatorNode, 'output'>): readonly number[] {
  const rank = graph.shapeOf(inputOf(node, 0)).length;
  const [, axes] = node.inputs;
  const given = axes ? graph.integersOf(axes) : [];
  if (!given) throw new Error('its axes are not constant');
  return given.length > 0 ? normalAxes(given, rank) : Array.from({ length: rank }, (_, index) => index);
}

type Rule = (
  graph: OperatorGraph,
  at: { readonly x: string; readonly y: string; readonly g: string; readonly count: number },
) => string;

/** @param rule the gradient by x; y and g come with the reduced axes as size 1 */
function reduction(rule: Rule): Operator {
  return {
    infer: (graph, node) => {
      const { shape, type } = graph.infoOf(inputOf(node, 0));
      const axes = new Set(axesOf(graph, node));
      const kept = numberOf(node.attributes, 'keepdims', 1) === 1;
      return { type, shape: shape.flatMap((size, index) => (axes.has(index) ? (kept ? [1] : []) : [size])) };
    },
    gradient: (graph, node, gradient) => {
      const x = inputOf(node, 0);
      const shape = graph.shapeOf(x);
      const axes = axesOf(graph, node);
      const kept = numberOf(node.attributes, 'keepdims', 1) === 1;
      const count = sizeOf(axes.map((axis) => shape[axis] ?? 1));
      const [y, g] = [node.output, gradient].map((it) => unreduced(graph, it, shape, axes, kept));
      return [expand(graph, rule(graph, { x, y: y ?? '', g: g ?? '', count }), shape), null];
    },
  };
}

const times = (graph: OperatorGraph, a: string, b: string) => graph.op('Mul', [a, b]);

/** To the elements that are the extreme, in equal parts. */
const extreme: Rule = (graph, { x, y, g }) => {
  const equal = graph.op('Cast', [graph.op('Equal', [x, y])], { to: 1 });
  const [from, to] = [graph.shapeOf(x), graph.shapeOf(y)];
  const axes = from.flatMap((size, index) => (size !== to[index] ? [index] : []));
  return times(graph, equal, graph.op('Div', [g, sum(graph, equal, axes, 1)]));
};

function lastAxis(graph: OperatorGraph, node: Omit<OperatorNode, 'output'>): number {
  const rank = graph.shapeOf(inputOf(node, 0)).length;
  const axis = numberOf(node.attributes, 'axis', -1);
  return axis < 0 ? axis + rank : axis;
}

export const reductions: Readonly<Record<string, Operator>> = {
  ReduceSum: reduction((_, { g }) => g),
  ReduceMean: reduction((graph, { g, count }) => scaled(graph, g, 1 / count)),
  ReduceSumSquare: reduction((graph, { x, g }) => times(graph, scaled(graph, g, 2), x)),
  ReduceLogSumExp: reduction((graph, { x, y, g }) => times(graph, g, graph.op('Exp', [graph.op('Sub', [x, y])]))),
  // A vector of zeros has no direction: its gradient is 0, not 0 / 0.
  ReduceL2: reduction((graph, { x, y, g }) =>
    times(graph, x, graph.op('Div', [g, graph.op('Max', [y, graph.floats([1e-12], [])])])),
  ),
  ReduceMax: reduction(extreme),
  ReduceMin: reduction(extreme),
  Softmax: {
    infer: (graph, node) => graph.infoOf(inputOf(node, 0)),
    gradient: (graph, node, g) => {
      const y = node.output;
      const inner = sum(graph, times(graph, g, y), [lastAxis(graph, node)], 1);
      return [times(graph, y, graph.op('Sub', [g, inner]))];
    },
  },
  LogSoftmax: {
    infer: (graph, node) => graph.infoOf(inputOf(node, 0)),
    gradient: (graph, node, g) => {
      const total = sum(graph, g, [lastAxis(graph, node)], 1);
      return [graph.op('Sub', [g, times(graph, graph.op('Exp', [node.output]), total)])];
    },
  },
  // x over its length: dx = (g - y (y . g)) / length.
  LpNormalization: {
    infer: (graph, node) => {
      if (numberOf(node.attributes, 'p', 2) !== 2) throw new Error('only p = 2 is known');
      return graph.infoOf(inputOf(node, 0));
    },
    gradient: (graph, node, g) => {
      const axis = lastAxis(graph, node);
      const [x, y] = [inputOf(node, 0), node.output];
      const length = graph.op('ReduceL2', [x, graph.int64s([axis])], { keepdims: 1 });
      const along = times(graph, y, sum(graph, times(graph, g, y), [axis], 1));
      return [graph.op('Div', [graph.op('Sub', [g, along]), graph.op('Max', [length, graph.floats([1e-12], [])])])];
    },
  },
};
