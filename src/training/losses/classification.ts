import type { TensorGraph } from '../engine.ts';
import { scaled, sum } from '../graph/shorthand.ts';
import { average } from './building-blocks.ts';

interface Classification {
  /** n x classes. */
  readonly logits: string;
  /** INT64 vector of n class numbers. */
  readonly labels: string;
}

/**
 * Softmax cross-entropy, mean over the batch.
 *
 * @param smoothing share of the target that is spread over all classes (Szegedy et al., CVPR 2016)
 */
export function crossEntropy(
  graph: TensorGraph,
  { logits, labels, smoothing = 0 }: Classification & { readonly smoothing?: number },
): string {
  const [, classes = 1] = graph.shapeOf(logits);
  const targets = scaled(graph, oneHot(graph, labels, classes), 1 - smoothing, smoothing / classes);
  return softCrossEntropy(graph, { logits, targets });
}

/** Cross-entropy to any distribution, n x classes. */
export function softCrossEntropy(
  graph: TensorGraph,
  { logits, targets }: { readonly logits: string; readonly targets: string },
): string {
  const likely = graph.op('Mul', [targets, graph.op('LogSoftmax', [logits], { axis: -1 })]);
  return scaled(graph, average(graph, sum(graph, likely, [-1])), -1);
}

/** Share of the batch whose class has the largest logit. A metric: it has no gradient. */
export function accuracy(graph: TensorGraph, { logits, labels }: Classification): string {
  const [, classes = 1] = graph.shapeOf(logits);
  const own = sum(graph, graph.op('Mul', [logits, oneHot(graph, labels, classes)]), [-1], 1);
  const largest = graph.op('ReduceMax', [logits, graph.int64s([-1])], { keepdims: 1 });
  return average(graph, graph.op('Cast', [graph.op('GreaterOrEqual', [own, largest])], { to: 1 }));
}

function oneHot(graph: TensorGraph, labels: string, classes: number): string {
  return graph.op('OneHot', [labels, graph.int64s([classes]), graph.floats([0, 1])], { axis: -1 });
}
