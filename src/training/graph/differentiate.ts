import { EyelineError, messageOf } from '../../core/errors.ts';
import { OPERATORS } from './operators.ts';
import { sizeOf } from './shapes.ts';
import { notScalar, type RecordedGraph, untrainable } from './tensor-graph.ts';

/**
 * Adds the nodes that compute the gradients of a scalar by `wanted`: reverse mode, one rule an operator
 * (Baydin et al., Automatic Differentiation in Machine Learning: a Survey, JMLR 2018). Gives the gradient's name for each
 * that the loss depends on.
 *
 * Comparisons, casts, signs and one-hot rows count as constant. Throws GRAPH_UNTRAINABLE.
 */
export function differentiate(
  graph: RecordedGraph,
  loss: string,
  wanted: readonly string[],
): ReadonlyMap<string, string> {
  const shape = graph.shapeOf(loss);
  if (sizeOf(shape) !== 1) throw notScalar(loss, shape);
  const tape = [...graph.tape];
  const moving = new Set(wanted);
  for (const { opType, inputs, output } of tape) {
    if (OPERATORS[opType]?.gradient && inputs.some((name) => moving.has(name))) moving.add(output);
  }

  const parts = new Map<string, string[]>();
  const arrived = (name: string) => {
    const [first, ...rest] = parts.get(name) ?? [];
    return first && rest.reduce((sum, part) => graph.op('Add', [sum, part]), first);
  };
  if (moving.has(loss)) parts.set(loss, [graph.floats([1], shape)]);
  for (const node of tape.toReversed()) {
    const gradient = moving.has(node.output) ? arrived(node.output) : undefined;
    const rule = OPERATORS[node.opType]?.gradient;
    if (!gradient || !rule) continue;
    let gradients: readonly (string | null)[];
    try {
      gradients = rule(
        graph,
        node,
        gradient,
        node.inputs.map((name) => moving.has(name)),
      );
    } catch (error) {
      if (error instanceof EyelineError) throw error;
      throw untrainable(node, messageOf(error));
    }
    for (const [index, name] of node.inputs.entries()) {
      const part = gradients[index];
      if (part && moving.has(name)) parts.set(name, [...(parts.get(name) ?? []), part]);
    }
  }
  return new Map(
    wanted.flatMap((name) => {
      const gradient = arrived(name);
      return gradient ? [[name, gradient] as const] : [];
    }),
  );
}
