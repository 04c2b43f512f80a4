import { seededRandom, seedOf } from '../../core/seeded-random.ts';
import type { OpenSession, TensorGraph, Values } from '../engine.ts';
import { slice, sum } from '../graph/shorthand.ts';
import { buildStepGraph } from '../step-graph.ts';
import { openTrainStep } from '../train-step.ts';
import { createTrainer } from '../trainer.ts';
import { MASK_CROP_PX, maskNetwork } from './mask-network.ts';
import { type MaskExample, plainCrop, variedCrop } from './mask-samples.ts';

export interface MaskTraining {
  readonly train: readonly MaskExample[];
  /** Judged by as they are; whoever is in it is not in `train`. */
  readonly held: readonly MaskExample[];
  readonly steps: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly seed: number;
  /** Of the faces with a mask worn, how many are photographs of real masks where there are any, 0..1. */
  readonly realShare: number;
  readonly open: OpenSession;
  readonly onStep?: (step: number, loss: number) => void;
}

/** True state by told state, in the order of `MASK_STATES`. */
export type Confusion = readonly (readonly number[])[];

const STATES = 3;
const PIXELS = MASK_CROP_PX ** 2;
/** A label that is only nearly sure: some pictures show no mask, or another face. */
const SURE = 0.95;

/** Which state each sample of a batch has, by turns: half of all faces wear no mask, and few wear one wrongly. */
const TURNS = [0, 1, 0, 2, 0, 1] as const;

/** Trains the network; gives its weights and how the held-out faces are told. */
export async function trainMaskState(training: MaskTraining): Promise<{ values: Values; held: Confusion }> {
  const { batch, steps, seed, learningRate, open } = training;
  const step = await openTrainStep(
    buildStepGraph((graph) => {
      const logits = maskNetwork(
        graph,
        graph.input('faces', [batch, 1, MASK_CROP_PX, MASK_CROP_PX]),
        seededRandom(seed),
      );
      const target = graph.input('target', [batch, STATES]);
      return { loss: crossEntropy(graph, logits, target, batch), outputs: { logits } };
    }),
    open,
  );
  try {
    const trainer = createTrainer(step, {
      optimiser: { kind: 'adamw', weightDecay: 0.01 },
      schedule: { peak: learningRate, steps, warmUpSteps: Math.min(100, Math.ceil(steps / 10)) },
      clipNorm: 5,
    });
    const pick = picker(training);
    const size = [batch, 1, MASK_CROP_PX, MASK_CROP_PX];
    for (let number = 0; number < steps; number++) {
      const faces = new Float32Array(batch * PIXELS);
      const target = new Float32Array(batch * STATES).fill((1 - SURE) / (STATES - 1));
      for (let row = 0; row < batch; row++) {
        const random = seededRandom(seedOf(seed, `${number} ${row}`));
        const example = pick(TURNS[row % TURNS.length] ?? 0, random);
        variedCrop(example, faces, row * PIXELS, random);
        target[row * STATES + example.state] = SURE;
      }
      const { loss } = await trainer.train({
        faces: { type: 'float32', data: faces, shape: size },
        target: { type: 'float32', data: target, shape: [batch, STATES] },
      });
      training.onStep?.(number + 1, loss);
    }
    const confusion = Array.from({ length: STATES }, () => new Array<number>(STATES).fill(0));
    for (let from = 0; from < training.held.length; from += batch) {
      const examples = training.held.slice(from, from + batch);
      const faces = new Float32Array(batch * PIXELS);
      for (const [row, example] of examples.entries()) plainCrop(example, faces, row * PIXELS);
      const { outputs } = await step.run(
        {
          faces: { type: 'float32', data: faces, shape: size },
          target: { type: 'float32', data: new Float32Array(batch * STATES), shape: [batch, STATES] },
        },
        trainer.values,
      );
      const logits = outputs.logits?.data ?? new Float32Array();
      for (const [row, { state }] of examples.entries()) {
        const told = logits.subarray(row * STATES, (row + 1) * STATES);
        const best = told.indexOf(Math.max(...told));
        const counts = confusion[state];
        if (counts) counts[best] = (counts[best] ?? 0) + 1;
      }
    }
    return { values: trainer.values, held: confusion };
  } finally {
    await step.release();
  }
}

/** Mean over the batch of -sum(target log softmax(logits)). */
function crossEntropy(graph: TensorGraph, logits: string, target: string, batch: number): string {
  // Less the first logit all are small numbers soon, and the softmax stays what it is.
  const first = slice(graph, logits, { axes: [1], starts: [0], ends: [1] });
  const shifted = graph.op('Sub', [logits, first]);
  const total = graph.op('Log', [sum(graph, graph.op('Exp', [shifted]), [1], 1)]);
  const logs = graph.op('Sub', [shifted, total]);
  const all = sum(graph, graph.op('Mul', [logs, target]), [0, 1]);
  return graph.op('Mul', [all, graph.floats([-1 / batch], [])]);
}

/** Draws an example of a state; of worn masks the wanted share is real ones. */
function picker({ train, realShare }: MaskTraining): (state: number, random: () => number) => MaskExample {
  const lists = Array.from({ length: STATES }, (_, state) => {
    const all = train.filter((example) => example.state === state);
    return { drawn: all.filter(({ real }) => !real), real: all.filter(({ real }) => real), all };
  });
  return (state, random) => {
    const { drawn, real, all } = lists[state] ?? { drawn: [], real: [], all: [] };
    const wanted = state === 1 && real.length > 0 && random() < realShare ? real : drawn;
    const list = wanted.length > 0 ? wanted : all;
    const example = list[Math.floor(random() * list.length)];
    if (!example) throw new RangeError(`no face of state ${state} to train on`);
    return example;
  };
}
