import { availableParallelism } from 'node:os';
import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { EyelineError, messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { cpuGraph } from './cpu-graph.ts';
import { holdsEngine, makeEngineFolder } from './engine-cache.ts';
import { trivialGraph } from './graph/trivial.ts';
import { fingerprintOf, type ModelEntry, type OutputContract } from './manifest.ts';
import {
  DEFAULT_SETTINGS,
  nativeEnvironment,
  type ProviderAttempt,
  type ProviderSettings,
  providerAttempts,
} from './provider-options.ts';
import { type ProbeProvider, type ProbeResult, type Provider, probeProvider } from './providers.ts';
import {
  type BatchModel,
  type BatchResult,
  type Outputs,
  pictureBytes,
  type RunTiming,
  type Tensor,
} from './vision-model.ts';

/** The one file that touches onnxruntime-node. It is loaded on first use, so that `--help` need not wait for it. */

export interface OpenOptions extends Partial<ProviderSettings> {
  /** Best first; the next is taken where one does not work. */
  readonly providers: readonly Provider[];
  /** Threads a run may use; 0 takes what fits the machine (`defaultThreads`). */
  readonly threads: number;
  readonly logger: Logger;
  /** Tries a provider other than `cpu` where it can do no harm. */
  readonly probe?: ProbeProvider;
}

/** Where the prepared graphs come from: the store (store.ts), or a test. */
export interface GraphFiles {
  entry(id: string): ModelEntry;
  /** Path of the prepared graph, checked. */
  file(id: string): Promise<string>;
}

/** These models are too small to gain from more threads than this. */
const MAX_THREADS = 4;
/**
 * Batches tried when a model is opened. On a CPU a picture costs the same in any batch from two on, while memory grows with
 * the batch: 25 MB for these models from two to four. On a GPU it gets cheaper for long.
 */
const BATCHES = { cpu: [1, 2], gpu: [1, 2, 4, 8, 16, 32] } as const;
/** Runs of each batch at the start; the first is slower and does not count. */
const WARM_UP_ROUNDS = 5;

/**
 * Opens a model by its id in the manifest, on the first provider of the list that loads it and passes a warm-up run
 * with finite numbers of the contract's shape. Each provider that is passed over is one line in the log.
 *
 * Throws what `files.file` throws, and PROVIDER_UNAVAILABLE, with the reason of each, when no provider runs it.
 */
export async function openOnnxModel(files: GraphFiles, id: string, options: OpenOptions): Promise<BatchModel> {
  const { providers, threads, logger, probe = probeOnce } = options;
  const settings = { ...DEFAULT_SETTINGS, ...options };
  const entry = files.entry(id);
  const graph = await files.file(id);
  const asked = providers[0];
  const refused: string[] = [];
  for (const attempt of providerAttempts(providers, settings)) {
    const { provider, next } = attempt;
    try {
      if (provider !== 'cpu') {
        const { works, reason } = await probe(provider, settings.device);
        if (!works) throw new Error(reason ?? 'does not work');
      }
      const fitting = provider === 'cpu' ? await cpuGraph(graph) : graph;
      const { session, engines } = await createSession(fitting, attempt, { ...settings, model: id, threads });
      const model = new OnnxruntimeModel(entry, provider, session);
      await model.warmUp();
      if (engines !== null && !(await holdsEngine(engines))) {
        logger.warn(
          { model: id, engines },
          `model ${id}: TensorRT keeps no engines in ${engines}: this build of ONNX Runtime's binding does not pass ` +
            'inference.engineCache and inference.fp16 on (docs/models.md)',
        );
      }
      logger.info({ model: id, asked, used: provider }, `model ${id} runs on ${provider}`);
      return model;
    } catch (error) {
      const why = messageOf(error).replaceAll(/\s+/g, ' ').trim();
      refused.push(`${provider}: ${why}`);
      logger.warn(
        { model: id, asked: provider, used: next ?? null, why },
        `model ${id}: provider ${provider} does not work (${why}); ${next ? `trying ${next}` : 'no other is configured'}`,
      );
    }
  }
  throw new EyelineError('PROVIDER_UNAVAILABLE', `model ${id}: no provider works: ${refused.join('; ')}`);
}

/** Providers this build of ONNX Runtime has code for; whether they work shows only when tried. */
export async function supportedProviders(): Promise<string[]> {
  const { listSupportedBackends } = await loadRuntime();
  return listSupportedBackends().map(({ name }) => name);
}

/** Tries each provider, one after the other, with the reason where one does not work: what `eyeline doctor` shows. */
export async function probeProviders(providers: readonly Provider[], device?: number): Promise<ProbeResult[]> {
  const results: ProbeResult[] = [];
  for (const provider of providers) results.push(await probeProvider(provider, device));
  return results;
}

/** Runs a one-node graph on `provider`; rejects when that fails. In the process itself: see `probeProvider`. */
export async function runTrivialGraph(provider: Provider, device: number): Promise<void> {
  const x = new Float32Array([1, 2, 3, 4]);
  const graph = await openGraph(trivialGraph(), { providers: [provider], threads: 1, device }, 'trivial');
  try {
    const { y } = await graph.run([{ type: 'float32', data: x, shape: [4] }]);
    if (y?.data.join() !== '2,4,6,8') throw new Error(`computed 1+1, 2+2, 3+3, 4+4 as ${y?.data.join(', ')}`);
  } finally {
    await graph.release();
  }
}

export type GraphInput =
  | { readonly type: 'float32'; readonly data: Float32Array; readonly shape: readonly number[] }
  | { readonly type: 'uint8'; readonly data: Uint8Array; readonly shape: readonly number[] }
  | { readonly type: 'int64'; readonly data: BigInt64Array; readonly shape: readonly number[] };

/** Runs any graph that has one input, once, on the CPU. Gives its FLOAT outputs by name. */
export async function evaluateGraph(graph: Uint8Array, input: GraphInput): Promise<Outputs> {
  const opened = await openGraph(graph, { providers: ['cpu'], threads: 1 }, 'graph');
  try {
    return await opened.run([input]);
  } finally {
    await opened.release();
  }
}

/** A session of any graph; nothing is checked of it. */
export interface OpenGraph {
  /** One tensor an input, in the graph's order. Gives its FLOAT outputs by name. */
  run(inputs: readonly GraphInput[]): Promise<Outputs>;
  release(): Promise<void>;
}

/**
 * Opens a graph on the first of the providers, and on no other.
 *
 * @param options `steady`: for training, where it does nothing else for minutes: numbers next to zero count as zero;
 *   `frugal`: holds no memory between runs, which costs small graphs a tenth of their time and large ones nothing
 * @param name what its engines are kept under
 */
export async function openGraph(
  graph: Uint8Array,
  options: Pick<OpenOptions, 'providers' | 'threads'> &
    Partial<ProviderSettings> & { readonly steady?: boolean; readonly frugal?: boolean },
  name: string,
): Promise<OpenGraph> {
  const { Tensor: RuntimeTensor } = await loadRuntime();
  const settings = { ...DEFAULT_SETTINGS, ...options, model: name };
  const [attempt] = providerAttempts(options.providers, settings);
  if (!attempt) throw new RangeError('no provider to open a graph on');
  const { session } = await createSession(graph, attempt, settings);
  return {
    run: async (inputs) => {
      const tensors = inputs.map((input, index) => {
        return [session.inputNames[index] ?? '', runtimeTensor(RuntimeTensor, input)] as const;
      });
      return floatOutputs(await session.run(Object.fromEntries(tensors)));
    },
    release: () => session.release(),
  };
}

function runtimeTensor(RuntimeTensor: typeof OrtTensor, input: GraphInput): OrtTensor {
  if (input.type === 'uint8') return new RuntimeTensor('uint8', input.data, input.shape);
  if (input.type === 'int64') return new RuntimeTensor('int64', input.data, input.shape);
  return new RuntimeTensor('float32', input.data, input.shape);
}

/** A provider that works for one model is not tried again for the next: its libraries take seconds to load. */
const probes = new Map<string, Promise<ProbeResult>>();

function probeOnce(provider: Provider, device?: number): Promise<ProbeResult> {
  const key = `${provider} ${device}`;
  const known = probes.get(key) ?? probeProvider(provider, device);
  probes.set(key, known);
  return known;
}

let runtime: Promise<typeof import('onnxruntime-node')> | undefined;

function loadRuntime(): Promise<typeof import('onnxruntime-node')> {
  runtime ??= importRuntime();
  return runtime;
}

async function importRuntime(): Promise<typeof import('onnxruntime-node')> {
  // The npm build of 1.30 reports models, sessions and a device id to its maker, and leaves files in the temporary
  // folder. This is the opt-out it documents; it counts only before the library is loaded. A device that watches a
  // door tells nobody.
  process.env.ORT_DISABLE_TELEMETRY = '1';
  const imported = await import('onnxruntime-node');
  // Taken when the first session is made; warnings about a graph's unused weights help nobody.
  imported.env.logLevel = 'error';
  return imported;
}

/**
 * Threads a run uses unless configured: one core stays free for what feeds it, decoding and the daemon itself; a run
 * that wants all cores waits for the busiest of them.
 */
export function defaultThreads(cores: number): number {
  return Math.min(MAX_THREADS, Math.max(1, cores - 1));
}

/** Threads that spin between two frames cost a whole core at 10 frames a second (docs/models.md). */
const SPARING = { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } };
/** Numbers next to zero, which gradients are full of, cost many times the others. */
const STEADY = { ...SPARING, set_denormal_as_zero: '1' };

/** Sessions are made one after another: the environment is one for the whole process. */
let lastSession: Promise<unknown> = Promise.resolve();

async function createSession(
  graph: string | Uint8Array,
  { provider, entries }: ProviderAttempt,
  settings: ProviderSettings & {
    readonly model: string;
    readonly threads: number;
    readonly steady?: boolean;
    readonly frugal?: boolean;
  },
): Promise<{ session: InferenceSession; engines: string | null }> {
  const { env, InferenceSession: Session } = await loadRuntime();
  const { model, threads, steady = false, frugal = false } = settings;
  const runtimeVersion = env.versions.node ?? env.versions.common;
  const engines = await makeEngineFolder(graph, { model, provider, runtimeVersion }, settings);
  const options: InferenceSession.SessionOptions = {
    executionProviders: entries,
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
    intraOpNumThreads: threads > 0 ? threads : defaultThreads(availableParallelism()),
    // A pattern is kept for each shape seen: useless and growing with batches of any size. In training, where the shape is
    // always the same, it doubles the memory and saves no time.
    enableMemPattern: false,
    enableCpuMemArena: !frugal,
    extra: { session: steady ? STEADY : SPARING },
  };
  const created = lastSession.then(() => {
    Object.assign(process.env, nativeEnvironment(provider, settings, engines));
    return typeof graph === 'string' ? Session.create(graph, options) : Session.create(graph, options);
  });
  lastSession = created.catch(() => undefined);
  return { session: await created, engines };
}

function floatOutputs(results: InferenceSession.OnnxValueMapType): Outputs {
  const outputs: Record<string, Tensor> = {};
  for (const [name, value] of Object.entries(results)) {
    const { data, dims } = value as OrtTensor;
    if (!(data instanceof Float32Array)) throw new Error(`output ${name} is not FLOAT`);
    outputs[name] = { data, shape: dims };
  }
  return outputs;
}

/** A run blocks its thread. The next one of any model begins when it is over: else its time would count the wait for this. */
let lastRun: Promise<unknown> = Promise.resolve();

class OnnxruntimeModel implements BatchModel {
  readonly id: string;
  readonly fingerprint: string;
  readonly provider: Provider;
  readonly input: BatchModel['input'];
  readonly timings: RunTiming[] = [];
  readonly #outputs: readonly OutputContract[];
  #session: InferenceSession | null;
  /** The last run of this model, for closing to wait for. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(entry: ModelEntry, provider: Provider, session: InferenceSession) {
    const { id, input, outputs } = entry;
    this.id = id;
    this.fingerprint = fingerprintOf(entry);
    this.provider = provider;
    this.input = { width: input.width, height: input.height, channels: input.channels };
    this.#outputs = outputs;
    this.#session = session;
  }

  /**
   * Runs batches of each size that may be used: kernels are chosen and memory is taken now, not at the first face; the
   * results are checked, and how long each size takes is kept.
   */
  async warmUp(): Promise<void> {
    const [smallest, ...larger] = this.provider === 'cpu' ? BATCHES.cpu : BATCHES.gpu;
    // The largest right after the smallest: TensorRT builds an engine whenever a size is outside of those it has seen.
    for (const count of [smallest, ...larger.toReversed()]) {
      let pixels = new Uint8Array(pictureBytes(this) * count);
      let ms = Number.POSITIVE_INFINITY;
      for (let round = 0; round < WARM_UP_ROUNDS; round++) {
        const result = await this.runBatch(pixels, count);
        pixels = result.pixels;
        if (round > 0) ms = Math.min(ms, result.runMs);
        for (const { name, shape } of this.#outputs) {
          const found = result.outputs[name]?.shape.join('x');
          const wanted = [count, ...shape].join('x');
          if (found !== wanted) throw new Error(`output ${name} of a batch of ${count} is ${found}, not ${wanted}`);
          const data = result.outputs[name]?.data;
          if (!data?.every(Number.isFinite)) throw new Error(`output ${name} holds no finite numbers`);
        }
      }
      this.timings.push({ pictures: count, ms });
    }
    this.timings.sort((a, b) => a.pictures - b.pictures);
  }

  async runBatch(pixels: Uint8Array<ArrayBuffer>, count: number): Promise<BatchResult> {
    const turn = lastRun.then(() => this.#run(pixels, count));
    this.#last = turn.catch(() => undefined);
    lastRun = this.#last;
    return turn;
  }

  async close(): Promise<void> {
    await this.#last;
    const session = this.#session;
    this.#session = null;
    await session?.release();
  }

  async #run(pixels: Uint8Array<ArrayBuffer>, count: number): Promise<BatchResult> {
    const session = this.#session;
    if (!session) throw new Error(`model ${this.id} is closed`);
    const { Tensor: RuntimeTensor } = await loadRuntime();
    const { width, height, channels } = this.input;
    const data = pixels.subarray(0, pictureBytes(this) * count);
    const [name = ''] = session.inputNames;
    const batch = new RuntimeTensor('uint8', data, [count, height, width, channels]);
    const started = performance.now();
    const outputs = floatOutputs(await session.run({ [name]: batch }));
    return { outputs, runMs: performance.now() - started, pixels };
  }
}
