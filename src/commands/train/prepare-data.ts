import { availableParallelism } from 'node:os';
import type { Config } from '../../config/schema.ts';
import { entryBeside } from '../../core/entry-points.ts';
import { readPeopleFolder } from '../../evaluation/people-folder.ts';
import { fingerprintOf } from '../../inference/manifest.ts';
import type { ModelStore } from '../../inference/store.ts';
import { type PrepareAnswer, type PrepareJob, prepareFaces } from '../../training/data/prepare-set.ts';
import { trainingPictures } from '../../training/data/training-pictures.ts';
import { startWorkers } from '../dataset/worker-processes.ts';
import type { PrepareWorkerData } from './prepare-worker.ts';

/** Jobs under way for each process: as many as it takes, and one that waits. */
const JOBS_PER_PROCESS = 4;

export interface PrepareDataOptions {
  readonly folders: readonly string[];
  readonly cache: string;
  readonly masks: number;
  readonly seed: number;
  readonly cores: number | null;
  readonly config: Config;
  readonly store: ModelStore;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  /** Told before the first picture, and after each. */
  readonly onPictures?: (total: number) => void;
  readonly onDone?: (done: number) => void;
}

/**
 * The prepared faces of folders of people; gives the folder they are in. Throws as `prepareFaces` and `readPeopleFolder` do,
 * and what opening the models throws.
 */
export async function prepareData(options: PrepareDataOptions): Promise<string> {
  const { config, store, env } = options;
  const sources = [];
  for (const folder of options.folders) sources.push({ folder, people: (await readPeopleFolder(folder)).people });
  const faces = trainingPictures(sources);
  const count = Math.max(1, Math.min(options.cores ?? availableParallelism(), faces.pictures.length));
  const { models, inference, detection } = config;
  return prepareFaces(faces, {
    cache: options.cache,
    masks: options.masks,
    seed: options.seed,
    models: [models.detector, models.landmarks].map((id) => fingerprintOf(store.entry(id))),
    signal: options.signal,
    ...(options.onDone ? { onDone: options.onDone } : {}),
    startWorkers: async () => {
      options.onPictures?.(faces.pictures.length);
      const workers = await startWorkers<PrepareWorkerData, PrepareJob, PrepareAnswer>({
        entry: entryBeside('prepare-worker', import.meta.url),
        count,
        data: { config: { models, inference, detection } },
        env,
      });
      return { ...workers, width: count * JOBS_PER_PROCESS };
    },
  });
}
