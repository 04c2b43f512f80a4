import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../../config/schema.ts';
import type { TrainingRecipe } from '../../config/training-recipe.ts';
import { systemClock } from '../../core/clock.ts';
import { silentLogger } from '../../core/logger.ts';
import { InferenceThread } from '../../inference/inference-thread.ts';
import { ModelBatcher } from '../../inference/model-batcher.ts';
import { openGraph } from '../../inference/onnxruntime-model.ts';
import type { ModelStore } from '../../inference/store.ts';
import { probeBlock } from '../../training/blocked-layout.ts';
import { BatchSource } from '../../training/data/batch-source.ts';
import { FaceStore } from '../../training/data/face-store.ts';
import { PREPARATION, readRecord } from '../../training/data/prepare-set.ts';
import { joinPeople, type TrainedPeople } from '../../training/data/trained-people.ts';
import type { OpenSession } from '../../training/engine.ts';
import { type Example, type Lesson, type ModelContract, openTask } from '../../training/recipes/lesson.ts';
import type { Student } from '../../training/recipes/student.ts';
import type { Judgement, RunFolder } from '../../training/run/run-folder.ts';
import { type RunOutcome, type RunProgress, trainRun } from '../../training/run/train-run.ts';
import { modelWeights } from '../../training/write-weights.ts';
import { type LessonContext, modelOf, openLesson, peopleOf } from './open-lesson.ts';
import type { PreparedData } from './prepare-data.ts';
import { type ModelsOfRun, requireSameData, requireUnseen } from './same-run.ts';
import { begunSplit, splitOf } from './split-faces.ts';
import { trainedModel } from './trained-model.ts';
import { writeTrainingReport } from './training-report.ts';
import { sampleThreadsWithin, withinCores } from './within-cores.ts';

export interface RecipeRun {
  readonly name: string;
  readonly recipe: TrainingRecipe;
  readonly config: Config;
  readonly store: ModelStore;
  readonly prepared: PreparedData;
  /** Whom the model in use was trained on, as far as it was trained here. */
  readonly before: TrainedPeople | null;
  readonly folder: RunFolder;
  /** What the run's record says beside what is found out here. */
  readonly record: object;
  readonly models: ModelsOfRun;
  readonly resume: boolean;
  /** Also judge the model in use. */
  readonly compare: boolean;
  /** Models that runs before this one trained, by the id of the one in use they take the place of. */
  readonly trained: ReadonlyMap<string, string>;
  readonly cores: number;
  readonly maxMs: number | null;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
  readonly onProgress: (progress: RunProgress) => void;
}

/** Batches made ahead: the step never waits, and no more than that is held. */
const BATCHES_AHEAD = 4;
const CHECKPOINT_EVERY_STEPS = 100;

export interface RecipeOutcome extends RunOutcome {
  /** Of the model in use, on the same people; null unless asked for. */
  readonly inUse: Judgement | null;
  /** Of the best model of the run. */
  readonly best: Judgement;
  /** Its page; null when it was interrupted. */
  readonly report: string | null;
  /** What the trained model takes and gives. */
  readonly contract: ModelContract;
  /** Whom it was trained on, and all before it. */
  readonly people: TrainedPeople;
}

/** Trains one recipe on prepared faces, from the start or from where it was left. Throws as `trainRun` and `openLesson` do. */
export async function runRecipe(run: RecipeRun): Promise<RecipeOutcome> {
  const { recipe, config, store, folder, signal, cores } = run;
  const prepared = run.prepared.folder;
  const { providers, device } = config.inference;
  // A ResNet50 is large for the memory of a small device.
  const frugal = recipe.kind === 'siamese';
  const open: OpenSession = (onnx, name) =>
    openGraph(onnx, { providers: providers.slice(0, 1), threads: cores, device, steady: true, frugal }, name);
  const faces = await FaceStore.open(prepared);
  try {
    const record = await readRecord(prepared);
    if (run.resume) await requireSameData(folder, record?.fingerprint);
    const { people } = run.prepared;
    const split = run.resume
      ? await begunSplit(faces, recipe, { folder, of: record?.people.length })
      : splitOf(faces, recipe, { of: record?.people.length, folders: people, before: run.before });
    const [trainedOn, heldOut] = [peopleOf(faces, split.train), peopleOf(faces, split.validation)];
    const foldersOf = (some: ReadonlySet<number>) => Array.from(some, (person) => people[person] ?? '');
    if (run.compare) requireUnseen(folder, foldersOf(heldOut), run.before);
    if (!run.resume) {
      await folder.begin({
        recipe: run.name,
        settings: recipe,
        model: { id: modelOf(recipe.kind, config), sha256: store.entry(modelOf(recipe.kind, config)).sha256 },
        ...run.models,
        data: {
          fingerprint: record?.fingerprint,
          preparation: PREPARATION,
          pictures: record?.pictures,
          faces: record?.faces,
          people: record?.people.length,
          ...(recipe.kind === 'classifier'
            ? { picturesTrainedOn: split.train.length, picturesJudgedBy: split.validation.length }
            : {
                trainedOn: trainedOn.size,
                judgedBy: heldOut.size,
                heldOut: [...heldOut].sort((a, b) => a - b),
              }),
        },
        ...run.record,
      });
      const failed = record?.failed ?? [];
      await folder.writeFile('failed.txt', failed.map(({ file, reason }) => `${file}: ${reason}\n`).join(''));
    }
    const block = await probeBlock(open);
    const lesson = await withModels(run, (openModel) =>
      openLesson(recipe, {
        config,
        store,
        faces,
        folder: prepared,
        split,
        signal,
        open,
        block,
        cores,
        say: run.say,
        openModel,
      }),
    );
    for (const [file, content] of Object.entries(lesson.files ?? {})) await folder.writeFile(file, content);
    const task = await openTask(lesson, recipe, { open, block });
    try {
      const outcome = await trainRun({
        folder,
        task,
        settings: {
          steps: recipe.steps,
          averageDecay: recipe.averageDecay,
          validateEverySteps: recipe.validation.everySteps,
          patience: recipe.validation.patience,
          checkpointEverySteps: CHECKPOINT_EVERY_STEPS,
          maxMs: run.maxMs,
        },
        clock: systemClock,
        signal,
        batches: (first) =>
          new BatchSource(
            { folder: prepared, sampling: lesson.sampling },
            { threads: sampleThreadsWithin(lesson, cores), first, ahead: BATCHES_AHEAD },
          ),
        onProgress: run.onProgress,
        warn: run.say,
      });
      const inUse = run.compare && outcome.end !== 'interrupted' ? await lesson.judgeInUse(task.student) : null;
      const [channels = 3, height = 0, width = 0] = lesson.input;
      const { input, outputs, embedding } = store.entry(modelOf(recipe.kind, config));
      const asBefore = {
        input: { ...input, width, height, channels: channels === 1 ? 1 : 3 },
        outputs,
        embedding,
      } as const;
      const report =
        outcome.end === 'interrupted'
          ? null
          : await writeTrainingReport({
              name: run.name,
              folder,
              end: `${outcome.end} after ${outcome.state.step} steps, ${Math.round(outcome.state.elapsedMs / 1000)} s`,
              examples: await examplesOf(lesson, task.student, folder),
            });
      return {
        ...outcome,
        inUse,
        report,
        best: await bestOf(folder, outcome.state.best?.step ?? 0),
        contract: lesson.contract ?? asBefore,
        people: joinPeople(run.before, {
          fold: recipe.validation.fold,
          trainedOn: foldersOf(trainedOn),
          heldOut: foldersOf(heldOut),
        }),
      };
    } finally {
      await task.close();
    }
  } finally {
    faces.close();
  }
}

/** Models are open while faces are asked about, and not while the training needs their memory. */
async function withModels<T>(
  { config, store, folder, trained, cores }: RecipeRun,
  use: (openModel: LessonContext['openModel']) => Promise<T>,
): Promise<T> {
  const thread = new InferenceThread(silentLogger);
  const opened: ModelBatcher[] = [];
  try {
    return await use(async (id) => {
      const file = trained.get(id);
      const files = file === undefined ? store : await trainedModel(file, store.entry(id), folder.path);
      const model = new ModelBatcher(await thread.open(files, id, withinCores(config, cores).inference), systemClock);
      opened.push(model);
      return model.lane('');
    });
  } finally {
    await Promise.allSettled(opened.map((model) => model.close()));
    await thread.close();
  }
}

/** What the model looked like before and after; nothing where a recipe shows none. */
async function examplesOf(lesson: Lesson, student: Student, folder: RunFolder): Promise<Example[]> {
  if (!lesson.examples) return [];
  const trained = modelWeights(new Uint8Array(await readFile(folder.modelFile)));
  const after = Object.fromEntries(
    Object.entries(student.initial).map(([name, value]) => [name, trained.get(name) ?? value]),
  );
  return lesson.examples(student, student.initial, after);
}

async function bestOf(folder: RunFolder, step: number): Promise<Judgement> {
  const line = (await folder.readValidations()).find((it) => it.step === step);
  const { score = 0, ...figures } = line ?? {};
  return { score, figures };
}

/** Where runs are kept unless told otherwise. */
export function runsFolder(...names: string[]): string {
  return join('runs', ...names);
}
