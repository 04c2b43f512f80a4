import type { TensorGraph } from '../engine.ts';
import { scaled, transposed } from '../graph/shorthand.ts';
import { average, cosines, normalised, pairedCosines, samePerson, unitMatrix } from './building-blocks.ts';

/** Added to what must not count in a softmax. */
const NEVER = -1e4;

/**
 * InfoNCE (van den Oord et al., 2018; both ways as in CLIP): each face must be more like its own positive than like the
 * positives of the others of the batch. Mean over the batch.
 *
 * @param anchors, positives n x dimensions, of any length; row by row the same person
 * @param people FLOAT vector of n person numbers: another picture of one's own person is no negative
 */
export function infoNce(
  graph: TensorGraph,
  {
    anchors,
    positives,
    people,
    temperature,
  }: { readonly anchors: string; readonly positives: string; readonly people?: string; readonly temperature: number },
): string {
  const [count = 1] = graph.shapeOf(anchors);
  const [a, b] = [normalised(graph, anchors), normalised(graph, positives)];
  const alike = scaled(graph, cosines(graph, a, b), 1 / temperature);
  const others = people ? graph.op('Sub', [samePerson(graph, people), unitMatrix(graph, count)]) : null;
  const logits = others ? graph.op('Add', [alike, scaled(graph, others, NEVER)]) : alike;
  const own = scaled(graph, pairedCosines(graph, a, b), 1 / temperature);
  const spread = (matrix: string) => graph.op('ReduceLogSumExp', [matrix, graph.int64s([1])], { keepdims: 0 });
  const bothWays = graph.op('Add', [spread(logits), spread(transposed(graph, logits))]);
  return average(graph, graph.op('Sub', [scaled(graph, bothWays, 0.5), own]));
}
