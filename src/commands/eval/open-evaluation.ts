import { availableParallelism } from 'node:os';
import { loadConfig } from '../../config/load.ts';
import { systemClock } from '../../core/clock.ts';
import type { Logger } from '../../core/logger.ts';
import { FaceShelf } from '../../evaluation/face-shelf.ts';
import type { FaceSource } from '../../evaluation/face-source.ts';
import { createModelStore } from '../../inference/store.ts';
import { PicturePool } from '../../pictures/picture-pool.ts';
import type { CommandContext } from '../command.ts';
import { EvaluationModels } from './evaluation-models.ts';
import { type ReadingProgress, readingProgress } from './reading-progress.ts';

export interface ChainOptions {
  readonly config?: string;
  readonly modelsDir?: string;
  readonly manifest?: string;
  readonly workers?: number;
}

/** What every evaluation works with: pictures read once, on all cores, and models opened once. */
export interface OpenEvaluation {
  readonly shelf: FaceShelf;
  readonly models: EvaluationModels;
  readonly progress: ReadingProgress;
  close(): Promise<void>;
}

/** Opens the chain of the configuration. Throws the errors of configuration and models. */
export async function openEvaluation(options: ChainOptions, context: CommandContext): Promise<OpenEvaluation> {
  const { env, signal, warn } = context;
  const loaded = await loadConfig({ env, ...(options.config !== undefined && { file: options.config }) });
  const config = {
    ...loaded.config,
    models: {
      ...loaded.config.models,
      ...(options.modelsDir !== undefined && { dir: options.modelsDir }),
      ...(options.manifest !== undefined && { manifest: options.manifest }),
    },
  };
  const say = (_fields: object, message: string) => warn(message);
  const logger: Logger = { debug() {}, info() {}, warn: say, error: say };
  const store = await createModelStore({ dir: config.models.dir, extraManifest: config.models.manifest, logger, env });
  const { models: chain, inference, detection } = config;
  const pool = new PicturePool(
    { models: chain, inference, detection },
    { workers: options.workers ?? availableParallelism(), batching: 'repeatable', env },
  );
  await pool.start();
  const models = new EvaluationModels(config, store, logger);
  const source: FaceSource = {
    read: (files, read, stop) =>
      pool.run(
        files.map((file) => ({ kind: 'face' as const, file, options: read })),
        stop,
      ),
  };
  const progress = readingProgress(context);
  return {
    shelf: new FaceShelf(source, () => systemClock.monotonic(), signal),
    models,
    progress,
    close: async () => {
      progress.stop();
      await models.close();
      await pool.close();
    },
  };
}
