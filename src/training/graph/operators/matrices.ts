import { inputOf, numberOf, type Operator, type OperatorGraph } from '../operator.ts';
import { broadcast, sizeOf } from '../shapes.ts';
import { reshape, scaled, sum, sumTo, transpose, transposed } from '../shorthand.ts';

export const matrices: Readonly<Record<string, Operator>> = {
  MatMul: {
    infer: (graph, node) => {
      const [a, b] = [graph.infoOf(inputOf(node, 0)), graph.infoOf(inputOf(node, 1))];
      if (a.shape.length < 2 || b.shape.length < 2) throw new Error('vectors are not known');
      if (a.shape.at(-1) !== b.shape.at(-2))
        throw new Error(`${a.shape.join(' x ')} times ${b.shape.join(' x ')} does not fit`);
      const batch = broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2));
      return { type: a.type, shape: [...batch, a.shape.at(-2) ?? 1, b.shape.at(-1) ?? 1] };
    },
    gradient: (graph, node, g, wanted) => {
      const [a, b] = [inputOf(node, 0), inputOf(node, 1)];
      return [wanted[0] ? gradientOfLeft(graph, a, b, g) : null, wanted[1] ? gradientOfRight(graph, a, b, g) : null];
    },
  },
  Gemm: {
    infer: (graph, node) => {
      const [a, b] = [graph.shapeOf(inputOf(node, 0)), graph.shapeOf(inputOf(node, 1))];
      const turned = (name: string) => numberOf(node.attributes, name, 0) === 1;
      const [rows, inner] = turned('transA') ? [a[1], a[0]] : a;
      const [other, columns] = turned('transB') ? [b[1], b[0]] : b;
      if (a.length !== 2 || b.length !== 2 || inner !== other)
        throw new Error(`${a.join(' x ')} and ${b.join(' x ')} do not fit`);
      return { type: 'float32', shape: [rows ?? 1, columns ?? 1] };
    },
    gradient: (graph, node, g, wanted) => {
      const [a, b, c] = node.inputs;
      if (!a || !b) throw new Error('an input is missing');
      const alpha = numberOf(node.attributes, 'alpha', 1);
      const transA = numberOf(node.attributes, 'transA', 0);
      const transB = numberOf(node.attributes, 'transB', 0);
      const product = (one: string, other: string, transOne: number, transOther: number) =>
        graph.op('Gemm', [one, other], { alpha, transA: transOne, transB: transOther });
      return [
        wanted[0] ? (transA ? product(b, g, transB, 1) : product(g, b, 0, 1 - transB)) : null,
        wanted[1] ? (transB ? product(g, a, 1, transA) : product(a, g, 1 - transA, 0)) : null,
        c && wanted[2] ? scaled(graph, sumTo(graph, g, graph.shapeOf(c)), numberOf(node.attributes, 'beta', 1)) : null,
      ];
    },
  },
};

/**
 * One matrix against many: the gradient is a sum over the batch. Either of products, one a picture, or one product of the
 * whole batch laid side by side: what moves fewer numbers.
 */
function gradientOfLeft(graph: OperatorGraph, a: string, b: string, g: string): string {
  const [shape, other] = [graph.shapeOf(a), graph.shapeOf(b)];
  const [rows = 1, inner = 1] = shape;
  const [count = 1, , columns = 1] = other;
  if (shape.length !== 2 || other.length !== 3) {
    return sumTo(graph, graph.op('MatMul', [g, transposed(graph, b)]), shape);
  }
  if (rows * inner > (rows + inner) * columns) {
    const sideBySide = (it: string, height: number) =>
      reshape(graph, transpose(graph, it, [1, 0, 2]), [height, count * columns]);
    return graph.op('Gemm', [sideBySide(g, rows), sideBySide(b, inner)], { transB: 1 });
  }
  return sum(graph, graph.op('MatMul', [g, transposed(graph, b)]), [0]);
}

/** Many rows against one matrix are one tall matrix. */
function gradientOfRight(graph: OperatorGraph, a: string, b: string, g: string): string {
  const [shape, other] = [graph.shapeOf(a), graph.shapeOf(b)];
  if (other.length !== 2) return sumTo(graph, graph.op('MatMul', [transposed(graph, a), g]), other);
  const tall = (it: string) =>
    reshape(graph, it, [sizeOf(graph.shapeOf(it).slice(0, -1)), graph.shapeOf(it).at(-1) ?? 1]);
  if (shape.length < 2) throw new Error('vectors are not known');
  return graph.op('Gemm', [tall(a), tall(g)], { transA: 1 });
}
