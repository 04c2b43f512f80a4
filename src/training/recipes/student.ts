import { EyelineError } from '../../core/errors.ts';
import type { Batch, BatchTensor, OpenSession, Shape, TrainableGraph, Values } from '../engine.ts';
import { sizeOf } from '../graph/shapes.ts';
import { buildStepGraph } from '../step-graph.ts';
import { openTrainStep } from '../train-step.ts';
import { openTrainableGraph } from '../trainable-graph.ts';

/** What a recipe cuts a model by: as `TrainableOptions` has it. */
export type Cut = string | { readonly layers: number } | null;

/** Pictures that are run forwards at once: more are no faster, and what each takes meanwhile would be held for all. */
const MOST_AT_ONCE = 16;

/** A model that can be trained and, with any weights, run. */
export interface Student {
  readonly graph: TrainableGraph;
  /** What a step is given: the batch with its `input` taken through the frozen part. */
  activations(batch: Batch): Promise<Batch>;
  /**
   * Runs pictures through the model with these weights.
   *
   * @param pictures numbers of `count` pictures as the model takes them, one after another
   * Gives each output by name, a row a picture.
   */
  run(pictures: Float32Array, count: number, values: Values): Promise<Readonly<Record<string, Float32Array>>>;
  /** The weights it began with. */
  readonly initial: Values;
  readonly inputShape: Shape;
  close(): Promise<void>;
}

export interface StudentOptions {
  readonly onnx: Uint8Array;
  /** Of one picture: channels, height, width. */
  readonly input: Shape;
  readonly cut: Cut;
  /** Pictures a run at most. */
  readonly batch: number;
  readonly open: OpenSession;
  /** Channels of the runtime's blocked layout, or null: `probeBlock`. */
  readonly block: number | null;
  /** As `TrainableOptions` has it; `batch` for what begins with weights that have learned nothing. */
  readonly batchNormalization?: 'frozen' | 'batch';
}

/** Throws GRAPH_UNTRAINABLE when the model has an operator that cannot be trained, or cannot be cut there. */
export async function openStudent(options: StudentOptions): Promise<Student> {
  const { onnx, input, cut, open, block, batchNormalization = 'frozen' } = options;
  const batch = Math.min(options.batch, MOST_AT_ONCE);
  const graph = openTrainableGraph(onnx, { input, cut, batchNormalization });
  const initial = Object.fromEntries([...graph.parameters, ...graph.buffers].map((it) => [it.name, it.initial]));
  const frozen = graph.frozenOnnx ? await open(graph.frozenOnnx, 'frozen part') : null;
  const through = async (tensor: BatchTensor): Promise<BatchTensor> => {
    if (!frozen) return tensor;
    const [count = 0, ...rest] = tensor.shape;
    const shape = [count, ...graph.cut.shape];
    const data = new Float32Array(sizeOf(shape));
    const [taken, given] = [sizeOf(rest), sizeOf(graph.cut.shape)];
    for (let from = 0; from < count; from += MOST_AT_ONCE) {
      const to = Math.min(count, from + MOST_AT_ONCE);
      const part = { ...tensor, data: tensor.data.subarray(from * taken, to * taken), shape: [to - from, ...rest] };
      const [output] = Object.values(await frozen.run([part as BatchTensor]));
      if (!output) throw new EyelineError('GRAPH_UNTRAINABLE', 'the frozen part of the model gives nothing');
      data.set(output.data, from * given);
    }
    return { type: 'float32', data, shape };
  };
  const evaluation = await openTrainStep(
    buildStepGraph(
      (step) => {
        const activations = step.input('input', [batch, ...graph.cut.shape]);
        const outputs = graph.apply(step, activations, { evaluates: true });
        return { loss: step.floats([0], []), outputs };
      },
      { gradients: false, block },
    ),
    open,
  );
  return {
    graph,
    initial,
    inputShape: input,
    async activations(given) {
      const { input: pictures } = given;
      if (!pictures) throw new RangeError('a batch has no input');
      return frozen ? { ...given, input: await through(pictures) } : given;
    },
    async run(pictures, count, values) {
      const size = sizeOf(input);
      const rows: Record<string, Float32Array> = {};
      for (let from = 0; from < count; from += batch) {
        const here = Math.min(batch, count - from);
        const data = new Float32Array(batch * size);
        data.set(pictures.subarray(from * size, (from + here) * size));
        const tensor = await through({ type: 'float32', data, shape: [batch, ...input] });
        const { outputs } = await evaluation.run({ input: tensor }, values);
        for (const [name, { data: given }] of Object.entries(outputs)) {
          const width = given.length / batch;
          rows[name] ??= new Float32Array(count * width);
          rows[name].set(given.subarray(0, here * width), from * width);
        }
      }
      return rows;
    },
    async close() {
      await Promise.allSettled([frozen?.release(), evaluation.release()]);
    },
  };
}
