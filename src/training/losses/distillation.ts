import type { TensorGraph } from '../engine.ts';
import { scaled, sum } from '../graph/shorthand.ts';
import { average, complement, normalised, pairedCosines, total, weightedMean } from './building-blocks.ts';
import { smoothL1Of } from './regression.ts';

/**
 * 1 - cosine between what the student says and what the teacher said of the same face, mean over the batch.
 *
 * @param embeddings, targets n x dimensions, of any length
 */
export function cosineDistillation(
  graph: TensorGraph,
  { embeddings, targets }: { readonly embeddings: string; readonly targets: string },
): string {
  return complement(
    graph,
    average(graph, pairedCosines(graph, normalised(graph, embeddings), normalised(graph, targets))),
  );
}

/** Mean squared difference of all numbers. */
export function meanSquaredError(
  graph: TensorGraph,
  { values, targets }: { readonly values: string; readonly targets: string },
): string {
  const difference = graph.op('Sub', [values, targets]);
  return average(graph, graph.op('Mul', [difference, difference]));
}

export interface DetectorDistillation {
  /** Probabilities of background and face of each anchor, n x anchors x 2. */
  readonly scores: string;
  /** Corners in 0..1, n x anchors x 4. */
  readonly boxes: string;
  readonly teacherScores: string;
  readonly teacherBoxes: string;
  /** Weight of the boxes against the scores. */
  readonly boxWeight?: number;
  /** Difference of corners up to which their loss is a square. */
  readonly boxBeta?: number;
}

/**
 * A detector learns what a teacher says of the same scene: cross-entropy to the teacher's scores (less the teacher's entropy,
 * so that 0 is perfect), and smooth L1 of the boxes, weighted by the teacher's score of a face. Both are divided by the
 * number of anchors that the teacher takes for a face (its scores summed): nearly all anchors are background and easy.
 */
export function detectorDistillation(graph: TensorGraph, parts: DetectorDistillation) {
  const { scores, boxes, teacherScores, teacherBoxes, boxWeight = 10, boxBeta = 0.02 } = parts;
  const faces = sum(graph, graph.op('Mul', [teacherScores, graph.floats([0, 1], [1, 1, 2])]), [2]);
  const count = graph.op('Max', [total(graph, faces), graph.floats([1], [])]);
  const logarithm = (probabilities: string) => graph.op('Log', [scaled(graph, probabilities, 1, 1e-7)]);
  const surprise = graph.op('Sub', [logarithm(teacherScores), logarithm(scores)]);
  const divergence = graph.op('Div', [total(graph, graph.op('Mul', [teacherScores, surprise])), count]);
  const corners = sum(graph, smoothL1Of(graph, graph.op('Sub', [boxes, teacherBoxes]), boxBeta), [2]);
  const distance = weightedMean(graph, corners, faces);
  return { loss: graph.op('Add', [divergence, scaled(graph, distance, boxWeight)]), divergence, distance };
}
