import type { TensorGraph } from '../engine.ts';
import { reshape, scaled, sum, transpose } from '../graph/shorthand.ts';
import { average, complement, cosines, normalised, samePerson, unitMatrix, weightedMean } from './building-blocks.ts';

interface TripletOptions {
  /** By how much the squared distance to the negative must be larger; rows are brought to length 1 first, as in FaceNet. */
  readonly margin: number;
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
    margin,
  }: TripletOptions & {
    readonly embeddings: string;
    readonly anchors: string;
    readonly positives: string;
    readonly negatives: string;
  },
): TripletLoss {
  const rows = normalised(graph, embeddings);
  const picked = (indices: string) => graph.op('Gather', [rows, indices], { axis: 0 });
  const distance = (one: string, other: string) => {
    const difference = graph.op('Sub', [picked(one), picked(other)]);
    return sum(graph, graph.op('Mul', [difference, difference]), [1]);
  };
  return hinge(graph, distance(anchors, positives), distance(anchors, negatives), margin);
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
  { embeddings, people, margin }: TripletOptions & { readonly embeddings: string; readonly people: string },
): TripletLoss {
  const squared = squaredDistances(graph, normalised(graph, embeddings));
  const same = samePerson(graph, people);
  const extreme = (opType: string, matrix: string) => graph.op(opType, [matrix, graph.int64s([1])], { keepdims: 0 });
  const farthest = extreme('ReduceMax', graph.op('Sub', [squared, scaled(graph, complement(graph, same), FAR)]));
  const nearest = extreme('ReduceMin', graph.op('Add', [squared, scaled(graph, same, FAR)]));
  return hinge(graph, farthest, nearest, margin);
}

/**
 * Semi-hard triplet loss (Schroff et al., FaceNet, CVPR 2015): of each pair of pictures of one person the nearest picture of
 * another that is farther away than they are from each other; where there is none, the farthest of another. Mean over all
 * such pairs. Which it is depends on the weights, so it is chosen in the graph, in every step.
 *
 * @param embeddings n x dimensions
 * @param people FLOAT vector of n person numbers
 */
export function semiHardTriplet(
  graph: TensorGraph,
  { embeddings, people, margin }: TripletOptions & { readonly embeddings: string; readonly people: string },
): TripletLoss {
  const squared = squaredDistances(graph, normalised(graph, embeddings));
  const [size = 1] = graph.shapeOf(people);
  const same = samePerson(graph, people);
  const stranger = complement(graph, same);
  // Anchor, positive, negative.
  const toNegative = reshape(graph, squared, [size, 1, size]);
  const toPositive = reshape(graph, squared, [size, size, 1]);
  const farther = graph.op('Cast', [graph.op('Greater', [toNegative, toPositive])], { to: 1 });
  const semiHard = graph.op('Mul', [farther, reshape(graph, stranger, [size, 1, size])]);
  const excluded = scaled(graph, complement(graph, semiHard), FAR);
  const along = (opType: string, x: string, axis: number) =>
    graph.op(opType, [x, graph.int64s([axis])], { keepdims: 0 });
  const nearest = along('ReduceMin', graph.op('Add', [toNegative, excluded]), 2);
  const farthest = along('ReduceMax', graph.op('Sub', [squared, scaled(graph, same, FAR)]), 1);
  const found = along('ReduceMax', semiHard, 2);
  const none = graph.op('Mul', [complement(graph, found), reshape(graph, farthest, [size, 1])]);
  const chosen = graph.op('Add', [graph.op('Mul', [found, nearest]), none]);
  const pairs = graph.op('Sub', [same, unitMatrix(graph, size)]);
  return hinge(graph, squared, chosen, margin, (x) => weightedMean(graph, x, pairs));
}

/** n x n squared distances of rows. */
function squaredDistances(graph: TensorGraph, rows: string): string {
  const lengths = sum(graph, graph.op('Mul', [rows, rows]), [1], 1);
  const both = graph.op('Add', [lengths, transpose(graph, lengths, [1, 0])]);
  return graph.op('Sub', [both, scaled(graph, cosines(graph, rows, rows), 2)]);
}

/** More than any squared distance. */
const FAR = 1e6;

/** @param mean over the triplets, of those that count */
function hinge(
  graph: TensorGraph,
  toPositive: string,
  toNegative: string,
  margin: number,
  mean: (x: string) => string = (x) => average(graph, x),
): TripletLoss {
  const missing = scaled(graph, graph.op('Sub', [toPositive, toNegative]), 1, margin);
  const active = graph.op('Cast', [graph.op('Greater', [missing, graph.floats([0], [])])], { to: 1 });
  return { loss: mean(graph.op('Relu', [missing])), active: mean(active) };
}
