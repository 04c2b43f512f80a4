import { availableParallelism } from 'node:os';
import { loadConfig } from '../../config/load.ts';
import type { Config } from '../../config/schema.ts';
import { systemClock } from '../../core/clock.ts';
import type { Logger } from '../../core/logger.ts';
import { FaceShelf } from '../../evaluation/face-shelf.ts';
import type { FaceSource } from '../../evaluation/face-source.ts';
import type { AlignmentPoints } from '../../faces/align.ts';
import { createModelStore, type ModelStore } from '../../inference/store.ts';
import { PicturePool } from '../../pictures/picture-pool.ts';
import type { CommandContext } from '../command.ts';
import { EvaluationModels } from './evaluation-models.ts';
import { type ReadingProgress, readingProgress } from './reading-progress.ts';

export interface ChainOptions {
  readonly config?: string;
  readonly modelsDir?: string;
  readonly manifest?: string;
  readonly workers?: number;
  readonly detector?: string;
  readonly secondDetector?: string;
  readonly landmarks?: string;
  readonly upperEncoder?: string;
  /** What every encoder's faces are aligned by, instead of its own. */
  readonly align?: AlignmentPoints;
}

/** Pictures worked on by the chain of the configuration, on all cores. */
export interface OpenPictures {
  readonly config: Config;
  readonly store: ModelStore;
  readonly logger: Logger;
  readonly pool: PicturePool;
  readonly progress: ReadingProgress;
  close(): Promise<void>;
}

/** What every evaluation works with: pictures read once, on all cores, and models opened once. */
export interface OpenEvaluation {
  readonly shelf: FaceShelf;
  readonly models: EvaluationModels;
  readonly progress: ReadingProgress;
  close(): Promise<void>;
}

/**
 * Opens the chain of the configuration, with what the options name instead. Throws the errors of configuration and models.
 *
 * @param lowScore what the detector is less sure of is given too, from this score on
 */
export async function openPictures(
  options: ChainOptions,
  context: CommandContext,
  { lowScore }: { lowScore?: number } = {},
): Promise<OpenPictures> {
  const { env, warn } = context;
  const loaded = await loadConfig({ env, ...(options.config !== undefined && { file: options.config }) });
  const config = {
    ...loaded.config,
    models: {
      ...loaded.config.models,
      ...(options.modelsDir !== undefined && { dir: options.modelsDir }),
      ...(options.manifest !== undefined && { manifest: options.manifest }),
      ...(options.detector !== undefined && { detector: options.detector }),
      ...(options.secondDetector !== undefined && {
        secondDetector: options.secondDetector === 'none' ? null : options.secondDetector,
      }),
      ...(options.landmarks !== undefined && { landmarks: options.landmarks }),
      ...(options.upperEncoder !== undefined && {
        upperEncoder: options.upperEncoder === 'none' ? null : options.upperEncoder,
      }),
    },
  };
  const say = (_fields: object, message: string) => warn(message);
  const logger: Logger = { debug() {}, info() {}, warn: say, error: say };
  const store = await createModelStore({ dir: config.models.dir, extraManifest: config.models.manifest, logger, env });
  const { models: chain, inference, detection } = config;
  const pool = new PicturePool(
    { models: chain, inference, detection, ...(lowScore !== undefined && { lowScore }) },
    { workers: options.workers ?? availableParallelism(), batching: 'repeatable', env },
  );
  await pool.start();
  const progress = readingProgress(context);
  const close = async () => {
    progress.stop();
    await pool.close();
  };
  return { config, store, logger, pool, progress, close };
}

/** Opens what evaluations of encoders work with. Throws the errors of configuration and models. */
export async function openEvaluation(options: ChainOptions, context: CommandContext): Promise<OpenEvaluation> {
  const { config, store, logger, pool, progress, close } = await openPictures(options, context);
  const models = new EvaluationModels(config, store, logger, options.align);
  const source: FaceSource = {
    read: (files, read, stop) =>
      pool.run(
        files.map((file) => ({ kind: 'face' as const, file, options: read })),
        stop,
      ),
  };
  return {
    shelf: new FaceShelf(source, () => systemClock.monotonic(), context.signal, models.alignments()),
    models,
    progress,
    close: async () => {
      await models.close();
      await close();
    },
  };
}
