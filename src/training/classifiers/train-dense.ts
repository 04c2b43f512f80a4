import { shuffled } from '../../core/shuffled.ts';
import type { OpenSession, Values } from '../engine.ts';
import { crossEntropy } from '../losses/classification.ts';
import { openStudent } from '../recipes/student.ts';
import { buildStepGraph } from '../step-graph.ts';
import { openTrainStep } from '../train-step.ts';
import { createTrainer } from '../trainer.ts';
import { denseLogits, denseNetwork, FEATURES, LOGITS, softmax } from './dense-network.ts';
import { type FeatureMatrix, matrixOf, rowOf } from './feature-matrix.ts';

export interface DenseTraining {
  readonly classes: number;
  /** Neurons of the hidden layer; null for none, which makes it softmax regression. */
  readonly hidden: number | null;
  /** Steps of the optimiser, each over a batch of examples: as many for a small gallery as for a large one. */
  readonly steps: number;
  readonly learningRate: number;
  /** Pull of the weights towards nothing a step, as a share of the learning rate. */
  readonly weightDecay: number;
  readonly seed: number;
  /** Draws the order of the examples. */
  readonly random: () => number;
  readonly open: OpenSession;
}

/** Probabilities of the classes of each row, which add up to 1. */
export type Classify = (rows: readonly Float32Array[]) => Promise<Float64Array[]>;

const BATCH = 32;

/**
 * Trains dense layers and softmax by cross-entropy on features that are all in memory, in the engine of all training.
 *
 * Throws RangeError when a label is no class.
 */
export async function trainDense(
  features: FeatureMatrix,
  labels: readonly number[],
  training: DenseTraining,
): Promise<Classify> {
  const { classes, hidden, steps, learningRate, weightDecay, seed, random, open } = training;
  if (labels.length !== features.rows || labels.some((label) => !(label >= 0 && label < classes))) {
    throw new RangeError(`${features.rows} rows need a label each, below ${classes}`);
  }
  const network = { inputs: features.columns, hidden, classes, seed };
  const step = await openTrainStep(
    buildStepGraph((graph) => {
      const logits = denseLogits(graph, graph.input(FEATURES, [BATCH, features.columns]), network);
      return { loss: crossEntropy(graph, { logits, labels: graph.input('labels', [BATCH], 'int64') }) };
    }),
    open,
  );
  try {
    const trainer = createTrainer(step, {
      optimiser: { kind: 'adamw', weightDecay },
      schedule: { peak: learningRate, steps },
    });
    const rows = labels.map((_, row) => row);
    let waiting: number[] = [];
    for (let done = 0; done < steps; done++) {
      while (waiting.length < BATCH) waiting = [...waiting, ...shuffled(rows, random)];
      const batch = waiting.splice(0, BATCH);
      await trainer.train({
        [FEATURES]: {
          type: 'float32',
          data: matrixOf(batch.map((row) => rowOf(features, row))).data,
          shape: [BATCH, features.columns],
        },
        labels: { type: 'int64', data: BigInt64Array.from(batch, (row) => BigInt(labels[row] ?? 0)), shape: [BATCH] },
      });
    }
    return denseClassifier(denseNetwork(network), trainer.values, open);
  } finally {
    await step.release();
  }
}

/**
 * Runs a dense network.
 *
 * @param onnx of `denseNetwork`
 * @param values other weights than those of the file
 */
export function denseClassifier(onnx: Uint8Array, values: Values | null, open: OpenSession): Classify {
  return async (rows) => {
    const [first] = rows;
    if (!first) return [];
    const options = { onnx, input: [first.length], cut: null, batch: BATCH, open, block: null };
    const student = await openStudent(options);
    try {
      const { data } = matrixOf(rows);
      const logits = (await student.run(data, rows.length, values ?? student.initial))[LOGITS] ?? new Float32Array();
      const classes = logits.length / rows.length;
      return rows.map((_, row) => softmax(logits.subarray(row * classes, (row + 1) * classes)));
    } finally {
      await student.close();
    }
  };
}
