import type { Clock } from '../../core/clock.ts';
import { EyelineError } from '../../core/errors.ts';
import { collectYoungGarbage } from '../../core/young-garbage.ts';
import type { Batch, Trainer, Values } from '../engine.ts';
import { flatten, type Judgement, type LoopState, type RunFolder, unflatten } from './run-folder.ts';

/** What is trained, whichever model it is. */
export interface TrainingTask {
  readonly trainer: Trainer;
  /** Pictures a batch. */
  readonly batchSize: number;
  /** Adds to a batch what the teacher says of it, where it was not known before. */
  complete(batch: Batch): Promise<Batch>;
  /** How good a model with these weights is, on people it is not trained on. */
  judge(values: Values): Promise<Judgement>;
  /** The model with these weights, an ONNX file. */
  exportModel(values: Values): Uint8Array;
}

export interface RunSettings {
  readonly steps: number;
  readonly averageDecay: number;
  readonly validateEverySteps: number;
  readonly patience: number;
  readonly checkpointEverySteps: number;
  /** Time after which it ends, over all its starts; null for none. */
  readonly maxMs: number | null;
}

export interface RunProgress {
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
  readonly picturesPerSecond: number;
  readonly leftMs: number;
  readonly judgement: Judgement | null;
}

export interface RunParts {
  readonly folder: RunFolder;
  readonly task: TrainingTask;
  readonly settings: RunSettings;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Batches from this number on. */
  readonly batches: (first: number) => { next(number: number): Promise<Batch>; close(): Promise<void> };
  readonly onProgress: (progress: RunProgress) => void;
  /** Told of a damaged checkpoint that is passed over. */
  readonly warn: (line: string) => void;
}

export type RunEnd = 'done' | 'no gain' | 'time is up' | 'interrupted';

export interface RunOutcome {
  readonly end: RunEnd;
  readonly state: LoopState;
}

/** How a training that stands there has ended; null when there is something left to do. */
export function endOf(
  { step, withoutGain, elapsedMs }: LoopState,
  { steps, patience, maxMs }: Pick<RunSettings, 'steps' | 'patience' | 'maxMs'>,
): Exclude<RunEnd, 'interrupted'> | null {
  if (step >= steps) return 'done';
  if (withoutGain >= patience) return 'no gain';
  if (maxMs !== null && elapsedMs >= maxMs) return 'time is up';
  return null;
}

/** How the run of a folder has ended; null when there is something left to do. Looks at its files alone. */
export async function endedBefore(
  folder: RunFolder,
  settings: Parameters<typeof endOf>[1],
): Promise<RunOutcome | null> {
  const state = await folder.lastState();
  const end = state && endOf(state, settings);
  return state && end && (await isJudged(folder, state)) ? { end, state } : null;
}

/** Whether what was reached has been judged: it has not where a run was interrupted. */
async function isJudged(folder: RunFolder, { step }: LoopState): Promise<boolean> {
  return (await folder.readValidations()).some((it) => it.step === step);
}

/** Weights from which what a step leaves behind is cleared away after it. */
const LARGE_BYTES = 32e6;

/** Weight of the newest in the means that are shown. */
const NEWEST = 0.05;

/**
 * Trains until the steps are done, validations get no better, time is up or the signal is aborted; what was reached is then
 * saved. A run that was ended in whatever way goes on from its last whole checkpoint, and gives what it would have given.
 *
 * Throws TRAINING_DIVERGED when loss, gradients or what the model says are no numbers any more: the model written is then the best until there, and
 * the last checkpoint is from before; CHECKPOINT_UNREADABLE when there are checkpoints and none is whole; OUTPUT_UNWRITABLE when
 * the disk is full.
 */
export async function trainRun(parts: RunParts): Promise<RunOutcome> {
  const { folder, task, settings, clock, signal } = parts;
  const { trainer } = task;
  const before = await folder.restoreCheckpoint(trainer, parts.warn);
  const average = before?.average ?? flatten(trainer.values);
  let state: LoopState = before?.state ?? { step: 0, best: null, withoutGain: 0, elapsedMs: 0 };
  const startedMs = clock.monotonic() - state.elapsedMs;
  const elapsedMs = () => clock.monotonic() - startedMs;
  const begun = { step: state.step, ms: clock.monotonic() };
  let metrics: object[] = [];
  let shownLoss: number | null = null;
  let judgement: Judgement | null = null;

  const judge = async () => {
    judgement = await task.judge(unflatten(average, trainer.values));
    const { score, figures } = judgement;
    requireNumber(score, state.step);
    const gained = state.best === null || score > state.best.score;
    if (gained) await folder.writeModel(task.exportModel(unflatten(average, trainer.values)));
    state = {
      ...state,
      best: gained ? { step: state.step, score } : state.best,
      withoutGain: gained ? 0 : state.withoutGain + 1,
    };
    await folder.addValidation({ step: state.step, score, ...figures });
  };
  const save = async () => {
    await folder.addMetrics(metrics);
    metrics = [];
    state = { ...state, elapsedMs: elapsedMs() };
    await folder.saveCheckpoint({ state, trainer: trainer.save(), average });
  };
  const endReason = (): RunEnd | null =>
    endOf({ ...state, elapsedMs: elapsedMs() }, settings) ?? (signal.aborted ? 'interrupted' : null);

  // What the model is worth before anything is trained: the first point of the curve.
  if (!before) await judge();
  const source = parts.batches(state.step);
  try {
    let end = endReason();
    while (end === null) {
      const trained = await trainer.train(await task.complete(await source.next(state.step)));
      state = { ...state, step: trained.step };
      blend(average, trainer.values, decayAt(state.step, settings.averageDecay));
      // Gradients of many weights would lie about until after the next step.
      if (average.byteLength >= LARGE_BYTES) collectYoungGarbage();
      metrics.push({
        step: trained.step,
        loss: trained.loss,
        ...trained.metrics,
        learningRate: trained.learningRate,
        gradientNorm: trained.gradientNorm,
        ms: Math.round(elapsedMs()),
      });
      shownLoss = shownLoss === null ? trained.loss : shownLoss + NEWEST * (trained.loss - shownLoss);
      const due = (every: number) => state.step % every === 0;
      if (due(settings.validateEverySteps)) await judge();
      if (due(settings.checkpointEverySteps) || due(settings.validateEverySteps)) await save();
      const msPerStep = (clock.monotonic() - begun.ms) / (state.step - begun.step);
      const leftMs = (settings.steps - state.step) * msPerStep;
      parts.onProgress({
        step: state.step,
        steps: settings.steps,
        loss: shownLoss,
        picturesPerSecond: (task.batchSize * 1000) / Math.max(msPerStep, 1e-3),
        leftMs: settings.maxMs === null ? leftMs : Math.min(leftMs, Math.max(0, settings.maxMs - elapsedMs())),
        judgement,
      });
      end = endReason();
    }
    if (end !== 'interrupted' && !(await isJudged(folder, state))) await judge();
    await save();
    return { end, state };
  } catch (error) {
    // What was measured until then belongs to the run; the checkpoint stays that of before.
    if (error instanceof EyelineError && error.code === 'TRAINING_DIVERGED') await folder.addMetrics(metrics);
    throw error;
  } finally {
    await source.close();
  }
}

/** Weights can be too large for a model to answer with numbers before any loss says so. */
function requireNumber(score: number, step: number): void {
  if (Number.isFinite(score)) return;
  throw new EyelineError(
    'TRAINING_DIVERGED',
    `what the model of step ${step} says of the people held out is no number`,
  );
}

/** An average of few steps is of the last few only: weights from before training would weigh on it for long. */
function decayAt(step: number, decay: number): number {
  return Math.min(decay, (1 + step) / (10 + step));
}

/** Moves the average towards the values, in place. */
function blend(average: Float32Array, values: Values, decay: number): void {
  let at = 0;
  for (const name of Object.keys(values).sort()) {
    const value = values[name];
    if (!value) continue;
    for (let index = 0; index < value.length; index++, at++) {
      average[at] = (value[index] ?? 0) + decay * ((average[at] ?? 0) - (value[index] ?? 0));
    }
  }
}
