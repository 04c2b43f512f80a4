import type { TensorGraph } from '../engine.ts';
import { average } from './building-blocks.ts';

/** A loss that any model can be given: mean squared difference of all numbers. */
export function meanSquaredError(
  graph: TensorGraph,
  { values, targets }: { readonly values: string; readonly targets: string },
): string {
  const difference = graph.op('Sub', [values, targets]);
  return average(graph, graph.op('Mul', [difference, difference]));
}
