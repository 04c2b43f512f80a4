import type { Parameter, TensorGraph } from '../engine.ts';
import { scaled, sum } from '../graph/shorthand.ts';
import { average, cosines, normalised } from './building-blocks.ts';

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

/**
 * ArcFace of Deng et al., CVPR 2019: cross-entropy of scaled cosines to a learned centre of each person, the person's own
 * angle made larger by `margin` (radians) first.
 *
 * @param embeddings n x dimensions, of any length
 * @param centres a parameter, people x dimensions
 */
export function arcFace(
  graph: TensorGraph,
  {
    embeddings,
    labels,
    centres,
    margin = 0.5,
    scale = 64,
  }: {
    readonly embeddings: string;
    readonly labels: string;
    readonly centres: Parameter;
    readonly margin?: number;
    readonly scale?: number;
  },
): { loss: string; accuracy: string } {
  const cosine = cosines(graph, normalised(graph, embeddings), normalised(graph, graph.parameter(centres)));
  const [, people = 1] = graph.shapeOf(cosine);
  const own = oneHot(graph, labels, people);
  const within = graph.op('Clip', [cosine, graph.floats([-1 + 1e-6], []), graph.floats([1 - 1e-6], [])]);
  const sine = graph.op('Sqrt', [scaled(graph, graph.op('Mul', [within, within]), -1, 1)]);
  // cos(angle + margin) - cos(angle), by the addition theorem.
  const added = graph.op('Sub', [scaled(graph, within, Math.cos(margin) - 1), scaled(graph, sine, Math.sin(margin))]);
  const logits = scaled(graph, graph.op('Add', [cosine, graph.op('Mul', [own, added])]), scale);
  return { loss: crossEntropy(graph, { logits, labels }), accuracy: accuracy(graph, { logits: cosine, labels }) };
}

export function oneHot(graph: TensorGraph, labels: string, classes: number): string {
  return graph.op('OneHot', [labels, graph.int64s([classes]), graph.floats([0, 1])], { axis: -1 });
}
