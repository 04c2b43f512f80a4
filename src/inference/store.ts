import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import { EyelineError, messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { EvaluateGraph } from './check-graph.ts';
import { toOnnx } from './convert/to-onnx.ts';
import { downloadsOf, type FetchOptions, type FetchProgress, fetchTogether } from './fetch.ts';
import { inFolder, publishFile, sha256OfFile } from './files.ts';
import { type Asset, loadManifest, type Manifest, type ModelEntry, TRAINED_MANIFEST } from './manifest.ts';
import { corrupt, PreparedGraph } from './prepared-graph.ts';
import { describeSource } from './source.ts';

export type PullProgress =
  | ({ readonly phase: 'download' } & FetchProgress)
  | { readonly phase: 'prepare' | 'ready'; readonly ids: readonly string[] };

export interface PullOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: PullProgress) => void;
}

/** What the store has of a model or picture; `corrupt` only tells that it was looked at. */
export interface StoreItem {
  readonly id: string;
  /** Role of a model, or `picture`. */
  readonly kind: ModelEntry['role'] | 'picture';
  readonly state: 'ready' | 'missing' | 'corrupt';
  readonly description: string;
  readonly licence: string;
  readonly source: string;
}

export interface StoreOptions {
  /** Folder of the cache; outside git, made when first needed. */
  readonly dir: string;
  readonly manifest: Manifest;
  readonly logger: Logger;
  readonly env: NodeJS.ProcessEnv | undefined;
  /** Tries prepared graphs out; null leaves that away. */
  readonly evaluate: EvaluateGraph | null;
}

/**
 * The models and pictures of a manifest, in a folder: `sources/<sha256>.*` as they were fetched, `prepared/` the graphs
 * made of them. A file is used only while its bytes have the hash that the manifest, or the preparation, gave it.
 * Several processes may pull into one folder at once.
 */
export class ModelStore {
  readonly dir: string;
  readonly #options: StoreOptions;

  constructor(options: StoreOptions) {
    this.dir = resolve(options.dir);
    this.#options = options;
  }

  get modelIds(): string[] {
    return [...this.#options.manifest.models.keys()];
  }

  get pictureIds(): string[] {
    return [...this.#options.manifest.pictures.keys()];
  }

  /** The model's manifest entry. Throws MODEL_UNKNOWN. */
  entry(id: string): ModelEntry {
    const entry = this.#options.manifest.models.get(id);
    if (!entry) throw unknown(id, this.modelIds);
    return entry;
  }

  /**
   * Fetches what is missing, checks it and prepares the graphs. What is there and has its hash is left as it is, and
   * no network is touched for it; what has another hash is fetched again, with a warning.
   *
   * @param ids of models and pictures; all models when left out
   * Throws MODEL_UNKNOWN, MODEL_UNFETCHABLE, MODEL_CORRUPT (what came is not what the manifest says), MODEL_UNSUPPORTED,
   * OUTPUT_UNWRITABLE (the folder, or the disk is full).
   */
  async pull(ids: readonly string[] = this.modelIds, options: PullOptions = {}): Promise<void> {
    await inFolder(this.dir, () => this.#pull(ids, options));
  }

  async #pull(ids: readonly string[], { signal, onProgress }: PullOptions): Promise<void> {
    const assets = [...new Set(ids)].map((id) => this.#asset(id));
    const missing: Asset[] = [];
    for (const file of assets.flatMap((asset) => this.#filesOf(asset))) {
      if (!(await this.#hasSource(file))) missing.push(file);
    }
    if (missing.length > 0) await this.#fetchAll(missing, signal, onProgress);
    for (const { id } of assets) {
      signal?.throwIfAborted();
      const entry = this.#options.manifest.models.get(id);
      if (entry) await this.#pullGraph(entry, onProgress);
      onProgress?.({ phase: 'ready', ids: [id] });
    }
  }

  /**
   * Path of a model's prepared graph, or of a picture, after its bytes were checked. A model that was fetched but not
   * prepared by this version yet is prepared now; a `file:` source need not have been pulled. Throws MODEL_UNKNOWN,
   * MODEL_MISSING, MODEL_CORRUPT, OUTPUT_UNWRITABLE.
   */
  async file(id: string): Promise<string> {
    return inFolder(this.dir, () => this.#file(id));
  }

  async #file(id: string): Promise<string> {
    const asset = this.#asset(id);
    for (const file of this.#filesOf(asset)) {
      await this.#takeLocal(file);
      await this.#checkSource(file);
    }
    const entry = this.#options.manifest.models.get(id);
    if (!entry) return this.#sourcePath(asset);
    const graph = this.#graph(entry);
    if (!(await graph.isReady())) await graph.prepare(await this.#original(entry), null);
    return graph.path;
  }

  /** Path of a model's file as it was fetched, after its bytes were checked: what training starts from. Throws as `file`. */
  async sourceFile(id: string): Promise<string> {
    const asset = this.#asset(id);
    await this.#takeLocal(asset);
    await this.#checkSource(asset);
    return this.#sourcePath(asset);
  }

  /**
   * Checks files against the manifest, and graphs against their record and against preparing them once more. Throws as
   * `file` does.
   *
   * @param ids of models and pictures; all models when left out
   */
  async verify(ids: readonly string[] = this.modelIds): Promise<void> {
    for (const id of ids) {
      await this.file(id);
      const entry = this.#options.manifest.models.get(id);
      if (entry) await this.#graph(entry).compare(await this.#original(entry));
    }
  }

  /** Every model and picture with its state, in the manifest's order. */
  async list(): Promise<StoreItem[]> {
    return inFolder(this.dir, () => this.#list());
  }

  async #list(): Promise<StoreItem[]> {
    const { models, pictures } = this.#options.manifest;
    const items: StoreItem[] = [];
    for (const asset of [...models.values(), ...pictures.values()]) {
      const { id, description, licence } = asset;
      const model = models.get(id);
      const state = await this.#stateOf(asset, model);
      items.push({
        id,
        kind: model?.role ?? 'picture',
        state,
        description,
        licence,
        source: describeSource(asset.source),
      });
    }
    return items;
  }

  async #stateOf(asset: Asset, model: ModelEntry | undefined): Promise<StoreItem['state']> {
    for (const file of this.#filesOf(asset)) {
      const found = await sha256OfFile(this.#sourcePath(file));
      if (found === null) return 'missing';
      if (found !== file.sha256) return 'corrupt';
    }
    if (!model) return 'ready';
    try {
      await this.#graph(model).isReady();
      return 'ready';
    } catch {
      return 'corrupt';
    }
  }

  #graph(entry: ModelEntry): PreparedGraph {
    return new PreparedGraph(join(this.dir, 'prepared'), entry);
  }

  async #pullGraph(entry: ModelEntry, onProgress: PullOptions['onProgress']): Promise<void> {
    const graph = this.#graph(entry);
    try {
      if (await graph.isReady()) return;
    } catch (error) {
      this.#options.logger.warn({ model: entry.id }, `${messageOf(error)}: preparing it again`);
    }
    onProgress?.({ phase: 'prepare', ids: [entry.id] });
    await graph.prepare(await this.#original(entry), this.#options.evaluate);
  }

  #asset(id: string): Asset {
    const { models, pictures } = this.#options.manifest;
    const asset = models.get(id) ?? pictures.get(id);
    if (!asset) throw unknown(id, [...this.modelIds, ...this.pictureIds]);
    return asset;
  }

  /** The files of an asset: itself, and the weights of a model that has them apart. */
  #filesOf(asset: Asset): Asset[] {
    const weights = this.#options.manifest.models.get(asset.id)?.weights;
    return weights ? [asset, weightsOf(asset, weights)] : [asset];
  }

  /** A model's file as ONNX. */
  async #original(entry: ModelEntry): Promise<Uint8Array> {
    const weights = entry.weights && (await readFile(this.#sourcePath(weightsOf(entry, entry.weights))));
    return toOnnx(entry, await readFile(this.#sourcePath(entry)), weights ?? null);
  }

  #sourcePath(asset: Asset): string {
    const { source } = asset;
    const extension = extname(source.kind === 'https' ? new URL(source.url).pathname : source.path);
    return join(this.dir, 'sources', `${asset.sha256}${/^\.\w{1,8}$/.test(extension) ? extension : ''}`);
  }

  /** What lies beside the manifest needs no pull: it is taken in when it is first used. */
  async #takeLocal(asset: Asset): Promise<void> {
    if (asset.source.kind !== 'file' || (await sha256OfFile(this.#sourcePath(asset))) !== null) return;
    await this.#fetchAll([asset], undefined, undefined);
  }

  async #checkSource(asset: Asset): Promise<void> {
    const path = this.#sourcePath(asset);
    const found = await sha256OfFile(path);
    if (found === null) throw new EyelineError('MODEL_MISSING', `${asset.id} is not in ${this.dir}`);
    if (found !== asset.sha256) throw corrupt(asset.id, path, asset.sha256, found);
  }

  async #hasSource(asset: Asset): Promise<boolean> {
    const found = await sha256OfFile(this.#sourcePath(asset));
    if (found === asset.sha256) return true;
    if (found !== null) {
      const path = this.#sourcePath(asset);
      this.#options.logger.warn({ path, expected: asset.sha256, found }, `${path} was changed: fetching it again`);
    }
    return false;
  }

  async #fetchAll(assets: readonly Asset[], signal: AbortSignal | undefined, onProgress: PullOptions['onProgress']) {
    const scratchDir = join(this.dir, `.incoming-${randomUUID()}`);
    await mkdir(scratchDir, { recursive: true });
    try {
      for (const together of downloadsOf(assets)) {
        signal?.throwIfAborted();
        const options: FetchOptions = {
          scratchDir,
          env: this.#options.env,
          signal,
          onProgress: (progress) => onProgress?.({ phase: 'download', ...progress }),
        };
        const fetched = await fetchTogether(together, options);
        for (const asset of together) await this.#takeIn(asset, fetched.get(asset.id));
      }
    } finally {
      await rm(scratchDir, { recursive: true, force: true });
    }
  }

  async #takeIn(asset: Asset, received: string | undefined): Promise<void> {
    if (received === undefined) throw new Error(`${asset.id} was not received`);
    const path = this.#sourcePath(asset);
    const found = await sha256OfFile(received);
    // Two entries may name one file; the first has taken it in.
    if (found === null && (await sha256OfFile(path)) === asset.sha256) return;
    if (found !== asset.sha256) throw corrupt(asset.id, describeSource(asset.source), asset.sha256, found);
    await mkdir(join(this.dir, 'sources'), { recursive: true });
    await publishFile(received, path);
  }
}

/**
 * The store of the product's manifest with the user's own over it.
 *
 * @param extraManifest path of the user's manifest, or null
 * Throws MANIFEST_INVALID.
 */
export async function createModelStore({
  dir,
  extraManifest,
  logger,
  env,
}: {
  dir: string;
  extraManifest: string | null;
  logger: Logger;
  /** Where npm's variables are read from; the process's own when left out. */
  env?: NodeJS.ProcessEnv;
}): Promise<ModelStore> {
  const manifest = await loadManifest(extraManifest, undefined, join(dir, TRAINED_MANIFEST));
  const evaluate: EvaluateGraph = async (graph, input) => {
    const { evaluateGraph } = await import('./onnxruntime-model.ts');
    return evaluateGraph(graph, input);
  };
  return new ModelStore({ dir, manifest, logger, env, evaluate });
}

function weightsOf(asset: Asset, weights: NonNullable<ModelEntry['weights']>): Asset {
  return { ...asset, ...weights, id: `${asset.id} (weights)` };
}

function unknown(id: string, known: readonly string[]): EyelineError {
  return new EyelineError('MODEL_UNKNOWN', `"${id}" is not in the manifest, which has ${known.join(', ')}`);
}
