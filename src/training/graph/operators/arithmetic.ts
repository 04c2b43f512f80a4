import type { Operator, OperatorGraph, OperatorNode } from '../operator.ts';
import { inputOf } from '../operator.ts';
import { broadcast } from '../shapes.ts';
import { sumTo } from '../shorthand.ts';

/** Operators of two tensors, element by element, with broadcasting. */

type Rule = (
  graph: OperatorGraph,
  at: { readonly a: string; readonly b: string; readonly y: string; readonly g: string },
) => readonly [a: () => string, b: () => string];

function binary(rule: Rule): Operator {
  return {
    infer: (graph, node) => {
      const [a, b] = [graph.infoOf(inputOf(node, 0)), graph.infoOf(inputOf(node, 1))];
      return { shape: broadcast(a.shape, b.shape), type: a.type };
    },
    gradient: (graph, node, g, wanted) => {
      const [a, b] = [inputOf(node, 0), inputOf(node, 1)];
      const parts = rule(graph, { a, b, y: node.output, g });
      return [a, b].map((input, index) =>
        wanted[index] ? sumTo(graph, (parts[index] ?? parts[0])(), graph.shapeOf(input)) : null,
      );
    },
  };
}

function comparison(): Operator {
  return {
    infer: (graph, node) => ({
      shape: broadcast(graph.shapeOf(inputOf(node, 0)), graph.shapeOf(inputOf(node, 1))),
      type: 'bool',
    }),
  };
}

/** The part of the gradient that goes to the operand that was chosen; where both are equal, half to each. */
function chosen(graph: OperatorGraph, g: string, one: string, other: string, by: 'Greater' | 'Less'): string {
  const float = (condition: string) => graph.op('Cast', [condition], { to: 1 });
  const strictly = float(graph.op(by, [one, other]));
  const equally = graph.op('Mul', [float(graph.op('Equal', [one, other])), graph.floats([0.5], [])]);
  return graph.op('Mul', [g, graph.op('Add', [strictly, equally])]);
}

const times = (graph: OperatorGraph, ...factors: readonly string[]) =>
  factors.reduce((product, factor) => graph.op('Mul', [product, factor]));

export const arithmetic: Readonly<Record<string, Operator>> = {
  Add: binary((_, { g }) => [() => g, () => g]),
  Sub: binary((graph, { g }) => [() => g, () => graph.op('Neg', [g])]),
  Mul: binary((graph, { a, b, g }) => [() => times(graph, g, b), () => times(graph, g, a)]),
  Div: binary((graph, { b, y, g }) => [
    () => graph.op('Div', [g, b]),
    () => graph.op('Neg', [graph.op('Div', [times(graph, g, y), b])]),
  ]),
  Pow: binary((graph, { a, b, y, g }) => [
    () => times(graph, g, b, graph.op('Pow', [a, graph.op('Sub', [b, graph.floats([1], [])])])),
    () => times(graph, g, y, graph.op('Log', [a])),
  ]),
  Max: binary((graph, { a, b, g }) => [
    () => chosen(graph, g, a, b, 'Greater'),
    () => chosen(graph, g, b, a, 'Greater'),
  ]),
  Min: binary((graph, { a, b, g }) => [() => chosen(graph, g, a, b, 'Less'), () => chosen(graph, g, b, a, 'Less')]),
  Greater: comparison(),
  Less: comparison(),
  Equal: comparison(),
  GreaterOrEqual: comparison(),
  LessOrEqual: comparison(),
  And: comparison(),
  PRelu: {
    infer: (graph, node) => graph.infoOf(inputOf(node, 0)),
    gradient: preluGradient,
  },
  Where: {
    infer: (graph, node) => {
      const [condition, a, b] = [0, 1, 2].map((index) => graph.infoOf(inputOf(node, index)));
      if (!condition || !a || !b) throw new Error('an input is missing');
      return { shape: broadcast(condition.shape, broadcast(a.shape, b.shape)), type: a.type };
    },
    gradient: (graph, node, g, wanted) => {
      const [condition, a, b] = [0, 1, 2].map((index) => inputOf(node, index));
      if (!condition || !a || !b) throw new Error('an input is missing');
      const zero = graph.floats([0], []);
      return [
        null,
        wanted[1] ? sumTo(graph, graph.op('Where', [condition, g, zero]), graph.shapeOf(a)) : null,
        wanted[2] ? sumTo(graph, graph.op('Where', [condition, zero, g]), graph.shapeOf(b)) : null,
      ];
    },
  },
};

/**
 * y = max(x, 0) + slope min(x, 0). The gradient is split at the sign of x by a product with zeros and ones: ONNX Runtime's
 * Where takes three times as long.
 */
function preluGradient(graph: OperatorGraph, node: OperatorNode, g: string, wanted: readonly boolean[]) {
  const [x, slope] = [inputOf(node, 0), inputOf(node, 1)];
  const positive = graph.op('Cast', [graph.op('Greater', [x, graph.floats([0], [])])], { to: 1 });
  const above = graph.op('Mul', [g, positive]);
  const below = graph.op('Sub', [g, above]);
  return [
    wanted[0] ? graph.op('Add', [above, graph.op('Mul', [below, slope])]) : null,
    wanted[1] ? sumTo(graph, graph.op('Mul', [below, x]), graph.shapeOf(slope)) : null,
  ];
}
