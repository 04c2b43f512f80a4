import type { Operator, OperatorGraph, OperatorNode } from '../operator.ts';
import { inputOf, numberOf } from '../operator.ts';
import { scaled } from '../shorthand.ts';

/** Operators of one tensor, element by element: the gradient by x from that by y. */
type Rule = (
  graph: OperatorGraph,
  at: { readonly x: string; readonly y: string; readonly g: string; readonly node: OperatorNode },
) => string;

function unary(rule: Rule): Operator {
  return {
    infer: (graph, node) => graph.infoOf(inputOf(node, 0)),
    gradient: (graph, node, g) => [rule(graph, { x: inputOf(node, 0), y: node.output, g, node })],
  };
}

/** 1 where a condition holds, else 0. */
function mask(graph: OperatorGraph, comparison: string, a: string, b: string): string {
  return graph.op('Cast', [graph.op(comparison, [a, b])], { to: 1 });
}

const zero = (graph: OperatorGraph) => graph.floats([0], []);
const times = (graph: OperatorGraph, a: string, b: string) => graph.op('Mul', [a, b]);

export const elementwise: Readonly<Record<string, Operator>> = {
  Identity: unary((_, { g }) => g),
  Neg: unary((graph, { g }) => graph.op('Neg', [g])),
  Exp: unary((graph, { y, g }) => times(graph, g, y)),
  Log: unary((graph, { x, g }) => graph.op('Div', [g, x])),
  Sqrt: unary((graph, { y, g }) => graph.op('Div', [scaled(graph, g, 0.5), y])),
  Reciprocal: unary((graph, { y, g }) => graph.op('Neg', [times(graph, g, times(graph, y, y))])),
  Abs: unary((graph, { x, g }) => times(graph, g, graph.op('Sign', [x]))),
  Sin: unary((graph, { x, g }) => times(graph, g, graph.op('Cos', [x]))),
  Cos: unary((graph, { x, g }) => graph.op('Neg', [times(graph, g, graph.op('Sin', [x]))])),
  Tanh: unary((graph, { y, g }) => times(graph, g, scaled(graph, times(graph, y, y), -1, 1))),
  Sigmoid: unary((graph, { y, g }) => times(graph, g, times(graph, y, scaled(graph, y, -1, 1)))),
  Softplus: unary((graph, { x, g }) => times(graph, g, graph.op('Sigmoid', [x]))),
  Relu: unary((graph, { y, g }) => times(graph, g, mask(graph, 'Greater', y, zero(graph)))),
  LeakyRelu: unary((graph, { x, g, node }) => {
    const alpha = numberOf(node.attributes, 'alpha', 0.01);
    return times(graph, g, scaled(graph, mask(graph, 'Greater', x, zero(graph)), 1 - alpha, alpha));
  }),
  Clip: {
    infer: (graph, node) => graph.infoOf(inputOf(node, 0)),
    gradient: (graph, node, g) => {
      const [x = '', low, high] = node.inputs;
      let passed = g;
      if (low) passed = times(graph, passed, mask(graph, 'Greater', x, low));
      if (high) passed = times(graph, passed, mask(graph, 'Less', x, high));
      return [passed, null, null];
    },
  },
  Sign: { infer: (graph, node) => graph.infoOf(inputOf(node, 0)) },
  Not: { infer: (graph, node) => graph.infoOf(inputOf(node, 0)) },
  Floor: { infer: (graph, node) => graph.infoOf(inputOf(node, 0)) },
  Cast: {
    infer: (graph, node) => {
      const type = ({ 1: 'float32', 2: 'uint8', 7: 'int64', 9: 'bool' } as const)[numberOf(node.attributes, 'to', 1)];
      if (!type) throw new Error(`a cast to type ${numberOf(node.attributes, 'to', 1)} is not known`);
      return { shape: graph.shapeOf(inputOf(node, 0)), type };
    },
  },
};
