import type { TensorGraph } from '../engine.ts';
import { scaled, sum, transpose } from '../graph/shorthand.ts';
import { average, complement, cosines, normalised, samePerson } from './building-blocks.ts';

export interface TripletOptions {
  readonly margin: number;
  /** Whether rows are brought to length 1 first, as in FaceNet; default true. */
  readonly normalise?: boolean;
}

export interface TripletLoss {
  readonly loss: string;
  /** Share of the triplets that still break the margin. */
  readonly active: string;
}

/**
 * Triplet loss of Schroff et al. (FaceNet, CVPR 2015): squared distance to the positive plus `margin` must be below that to
 * the negative. Mean over all triplets.
 *
 * @param embeddings n x dimensions
 * @param anchors, positives, negatives INT64 vectors of row numbers, one a triplet (mine-triplets.ts)
 */
export function tripletMargin(
  graph: TensorGraph,
  {
    embeddings,
    anchors,
    positives,
    negatives,
    ...options
  }: TripletOptions & {
    readonly embeddings: string;
    readonly anchors: string;
    readonly positives: string;
    readonly negatives: string;
  },
): TripletLoss {
  const rows = options.normalise === false ? embeddings : normalised(graph, embeddings);
  const picked = (indices: string) => graph.op('Gather', [rows, indices], { axis: 0 });
  const distance = (one: string, other: string) => {
    const difference = graph.op('Sub', [picked(one), picked(other)]);
    return sum(graph, graph.op('Mul', [difference, difference]), [1]);
  };
  return hinge(graph, distance(anchors, positives), distance(anchors, negatives), options.margin);
}

/**
 * Batch-hard triplet loss (Hermans et al., In Defense of the Triplet Loss, 2017): of each face the farthest picture of the
 * same person and the nearest of another in the batch. Every person needs at least two pictures.
 *
 * @param embeddings n x dimensions
 * @param people FLOAT vector of n person numbers
 */
export function batchHardTriplet(
  graph: TensorGraph,
  { embeddings, people, ...options }: TripletOptions & { readonly embeddings: string; readonly people: string },
): TripletLoss {
  const rows = options.normalise === false ? embeddings : normalised(graph, embeddings);
  const lengths = sum(graph, graph.op('Mul', [rows, rows]), [1], 1);
  const both = graph.op('Add', [lengths, transpose(graph, lengths, [1, 0])]);
  const squared = graph.op('Sub', [both, scaled(graph, cosines(graph, rows, rows), 2)]);
  const same = samePerson(graph, people);
  const extreme = (opType: string, matrix: string) => graph.op(opType, [matrix, graph.int64s([1])], { keepdims: 0 });
  const farthest = extreme('ReduceMax', graph.op('Sub', [squared, scaled(graph, complement(graph, same), FAR)]));
  const nearest = extreme('ReduceMin', graph.op('Add', [squared, scaled(graph, same, FAR)]));
  return hinge(graph, farthest, nearest, options.margin);
}

/** More than any squared distance. */
const FAR = 1e6;

function hinge(graph: TensorGraph, toPositive: string, toNegative: string, margin: number): TripletLoss {
  const missing = scaled(graph, graph.op('Sub', [toPositive, toNegative]), 1, margin);
  const active = graph.op('Cast', [graph.op('Greater', [missing, graph.floats([0], [])])], { to: 1 });
  return { loss: average(graph, graph.op('Relu', [missing])), active: average(graph, active) };
}
