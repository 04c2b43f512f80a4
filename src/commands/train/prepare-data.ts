import { realpath } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { Config } from '../../config/schema.ts';
import { EyelineError } from '../../core/errors.ts';
import { readPeopleFolder } from '../../evaluation/people-folder.ts';
import { leastScoreOf } from '../../faces/detectors/least-score.ts';
import { fingerprintOf } from '../../inference/manifest.ts';
import type { ModelStore } from '../../inference/store.ts';
import { PicturePool } from '../../pictures/picture-pool.ts';
import { placingModels } from '../../pictures/placing-models.ts';
import type { MaskFits } from '../../training/data/prepare-face.ts';
import { prepareFaces } from '../../training/data/prepare-set.ts';
import { type PeopleSource, trainingPictures } from '../../training/data/training-pictures.ts';
import { TIGHT_CROP_PAD } from '../eval/tight-crops.ts';

export interface PrepareDataOptions {
  readonly folders: readonly string[];
  /** Folders whose pictures all show real masks. */
  readonly wornFolders: readonly string[];
  /** Whether pictures in `masked/` are taken as well. */
  readonly realMasks: boolean;
  readonly cache: string;
  readonly masks: number;
  readonly fits?: MaskFits;
  readonly seed: number;
  readonly cores: number | null;
  readonly config: Config;
  readonly store: ModelStore;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  /** Told of a prepared set that is damaged, and made anew. */
  readonly warn: (line: string) => void;
  /** Told before the first picture, and after each. */
  readonly onPictures?: (total: number) => void;
  readonly onDone?: (done: number) => void;
}

export interface PreparedData {
  /** Where the prepared faces are. */
  readonly folder: string;
  /** Full paths of the people's own folders, by their number. */
  readonly people: readonly string[];
}

/**
 * The prepared faces of folders of people. Throws as `prepareFaces` and `readPeopleFolder` do, USAGE for a folder that is given twice,
 * and what opening the models throws.
 */
export async function prepareData(options: PrepareDataOptions): Promise<PreparedData> {
  const { config, store, env, masks, fits, seed } = options;
  await requireDistinct([...options.folders, ...options.wornFolders]);
  const sources: PeopleSource[] = [];
  const take = options.realMasks ? 'plain-and-masked' : 'plain';
  for (const folder of options.folders) sources.push({ folder, people: (await readPeopleFolder(folder)).people, take });
  for (const folder of options.wornFolders)
    sources.push({ folder, people: (await readPeopleFolder(folder)).people, take: 'all-worn' });
  const faces = trainingPictures(sources);
  const count = Math.max(1, Math.min(options.cores ?? availableParallelism(), faces.pictures.length));
  const { models, inference } = config;
  const detection = oneLook(config.detection);
  const folder = await prepareFaces(faces, {
    cache: options.cache,
    masks,
    ...(fits && { fits }),
    seed,
    finding: findingOf({ models, detection }, store),
    signal: options.signal,
    warn: options.warn,
    ...(options.onDone ? { onDone: options.onDone } : {}),
    startWorkers: async () => {
      options.onPictures?.(faces.pictures.length);
      const pool = new PicturePool(
        { models: placingModels(models), inference, detection },
        { workers: count, batching: 'repeatable', env },
      );
      await pool.start();
      return {
        prepare: (pictures, folder, signal) =>
          pool.run(
            Array.from(pictures, ({ file, name, worn }) => ({
              kind: 'prepare' as const,
              file,
              folder,
              name,
              masks: worn ? 0 : masks,
              ...(fits && { fits }),
              seed,
              pad: worn ? TIGHT_CROP_PAD : 0,
            })),
            signal,
          ),
        close: () => pool.close(),
      };
    },
  });
  return { folder, people: faces.folders };
}

/** Throws USAGE for a folder given twice: everybody in it would be two people, and could be trained on and held out at once. */
async function requireDistinct(folders: readonly string[]): Promise<void> {
  const seen = new Map<string, string>();
  for (const folder of folders) {
    const path = await realpath(folder).catch(() => folder);
    const before = seen.get(path);
    if (before !== undefined) {
      throw new EyelineError(
        'USAGE',
        `${before} and ${folder} are the same folder: give it once, with --data or --worn`,
      );
    }
    seen.set(path, folder);
  }
}

/** Of a portrait the largest face is sure at first sight: others are not taken. */
function oneLook(detection: Config['detection']): Config['detection'] {
  return { ...detection, closerLook: { ...detection.closerLook, most: 0 } };
}

/** What decides which faces are found, and where: all that takes effect of models and settings, and nothing that does not. */
export function findingOf(
  { models, detection }: Pick<Config, 'models' | 'detection'>,
  store: Pick<ModelStore, 'entry'>,
): object {
  const { closerLook, secondLook, ...limits } = detection;
  const { detector, secondDetector, landmarks } = models;
  const networks = (id: string) =>
    [id, ...(store.entry(id).stages ?? [])].map((network) => fingerprintOf(store.entry(network)));
  return {
    detector: networks(detector),
    landmarks: networks(landmarks),
    ...limits,
    minScore: leastScoreOf(store.entry(detector), limits.minScore),
    ...(closerLook.most > 0 && { closerLook }),
    ...(secondDetector !== null && { secondDetector: networks(secondDetector), secondLook }),
  };
}
