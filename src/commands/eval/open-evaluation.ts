import { openFaceAnalyser } from '../../app.ts';
import { decodePicture } from '../../capture/opencv-picture.ts';
import { loadConfig } from '../../config/load.ts';
import { systemClock } from '../../core/clock.ts';
import type { Logger } from '../../core/logger.ts';
import { AnalysedFaceSource } from '../../evaluation/analysed-face-source.ts';
import { FaceShelf } from '../../evaluation/face-shelf.ts';
import { createModelStore } from '../../inference/store.ts';
import type { CommandContext } from '../command.ts';
import { EvaluationModels } from './evaluation-models.ts';
import { type ReadingProgress, readingProgress } from './reading-progress.ts';
import { simulateMask } from './simulate-mask.ts';

export interface ChainOptions {
  readonly config?: string;
  readonly modelsDir?: string;
  readonly manifest?: string;
}

/** What every evaluation works with: pictures read once, and models opened once. */
export interface OpenEvaluation {
  readonly shelf: FaceShelf;
  readonly models: EvaluationModels;
  readonly progress: ReadingProgress;
  close(): Promise<void>;
}

/** Opens the chain of the configuration. Throws the errors of configuration and models. */
export async function openEvaluation(options: ChainOptions, context: CommandContext): Promise<OpenEvaluation> {
  const { env, warn } = context;
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
  const encoderPx = store.entry(config.models.encoder).input.width;
  const faces = await openFaceAnalyser(config, logger);
  const models = new EvaluationModels(config, store, logger);
  const source = new AnalysedFaceSource({
    analyser: faces.analyser,
    alignedPx: encoderPx,
    decode: decodePicture,
    simulateMask,
  });
  const progress = readingProgress(context);
  return {
    shelf: new FaceShelf(source, () => systemClock.monotonic()),
    models,
    progress,
    close: async () => {
      progress.stop();
      await models.close();
      await faces.close();
    },
  };
}
