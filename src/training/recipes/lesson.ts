import type { TrainingRecipe } from '../../config/training-recipe.ts';
import type { ModelEntry } from '../../inference/manifest.ts';
import type { Sampling } from '../data/sampling.ts';
import type { RgbImage } from '../data/warp.ts';
import type { Batch, OpenSession, Shape, StepParts, TensorGraph, Values } from '../engine.ts';
import type { Judgement } from '../run/run-folder.ts';
import type { TrainingTask } from '../run/train-run.ts';
import { buildStepGraph } from '../step-graph.ts';
import { openTrainStep } from '../train-step.ts';
import { createTrainer } from '../trainer.ts';
import { writeWeights } from '../write-weights.ts';
import { keepWeights } from './keep-weights.ts';
import { type Cut, openStudent, type Student } from './student.ts';

/** What a manifest says of a model's file. */
export type ModelContract = Pick<
  ModelEntry,
  'input' | 'outputs' | 'embedding' | 'alignedBy' | 'mirrored' | 'jointWith'
>;

/** Pictures side by side, for people to look at. */
export interface Example {
  readonly title: string;
  readonly pictures: readonly { readonly caption: string; readonly image: RgbImage }[];
}

/** What one recipe teaches a model: what it is shown, what is wrong with its answers, how it is judged. */
export interface Lesson {
  /** The model it begins with, whose file the result will be. */
  readonly onnx: Uint8Array;
  /** Of one picture: channels, height, width. */
  readonly input: Shape;
  readonly cut: Cut;
  /** `batch` for a model that has learned nothing yet; else `frozen`. */
  readonly batchNormalization?: 'frozen' | 'batch';
  /** What the trained model takes and gives, where that is not what the model it began with does. */
  readonly contract?: ModelContract;
  /** Files kept beside the model. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** Share of the weights it began with in the model that is judged and written; none where left out. */
  readonly keptShare?: number;
  /** Pictures a batch. */
  readonly batch: number;
  readonly sampling: Sampling;
  /** Threads that make batches, where there are as many cores. */
  readonly sampleThreads: number;
  /** Adds the loss to a step's graph, with the inputs it needs beside the pictures. */
  loss(graph: TensorGraph, outputs: Readonly<Record<string, string>>): StepParts;
  /** Adds to a batch what a teacher says of it. */
  complete(batch: Batch): Promise<Batch>;
  judge(student: Student, values: Values): Promise<Judgement>;
  /** People held out, as the model that the training began with sees them and as the trained one does; for the run's report. */
  examples?(student: Student, before: Values, after: Values): Promise<Example[]>;
  /** The same of the model it is to take the place of. */
  judgeInUse(student: Student): Promise<Judgement>;
  close(): Promise<void>;
}

/** Tunes what does not depend on the model's kind. */
export type TrainerChoice = Pick<TrainingRecipe, 'optimiser' | 'steps'>;

export interface OpenTask extends TrainingTask {
  readonly student: Student;
  close(): Promise<void>;
}

/** Builds the step of a lesson and opens it. Throws GRAPH_UNTRAINABLE. */
export async function openTask(
  lesson: Lesson,
  choice: TrainerChoice,
  { open, block }: { readonly open: OpenSession; readonly block: number | null },
): Promise<OpenTask> {
  const { onnx, input, cut, batch, batchNormalization = 'frozen', keptShare = 0 } = lesson;
  const student = await openStudent({ onnx, input, cut, batch, open, block, batchNormalization });
  const step = await openTrainStep(
    buildStepGraph(
      (graph) => {
        const activations = graph.input('input', [batch, ...student.graph.cut.shape]);
        return lesson.loss(graph, student.graph.apply(graph, activations));
      },
      { block },
    ),
    open,
  );
  const { kind, peak, final, warmUpSteps, weightDecay, momentum, clipNorm } = choice.optimiser;
  const trainer = createTrainer(step, {
    optimiser: kind === 'adamw' ? { kind, weightDecay } : { kind, momentum, weightDecay },
    schedule: { peak, final, warmUpSteps, steps: choice.steps },
    clipNorm,
  });
  const kept = (values: Values) => keepWeights(student.initial, values, keptShare);
  return {
    trainer,
    student,
    batchSize: batch,
    complete: async (given) => student.activations(await lesson.complete(given)),
    judge: (values) => lesson.judge(student, kept(values)),
    exportModel: (values) => writeWeights(onnx, kept(values)),
    async close() {
      await Promise.allSettled([step.release(), student.close(), lesson.close()]);
    },
  };
}
