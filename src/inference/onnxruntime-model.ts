import { availableParallelism } from 'node:os';
import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { EyelineError, messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { trivialGraph } from './graph/trivial.ts';
import { fingerprintOf, type ModelEntry, type OutputContract } from './manifest.ts';
import { type ProbeProvider, type ProbeResult, type Provider, probeProvider } from './providers.ts';
import { type BatchModel, type BatchResult, pictureBytes, type RunTiming, type Tensor } from './vision-model.ts';

/** The one file that touches onnxruntime-node. It is loaded on first use, so that `--help` need not wait for it. */

export interface OpenOptions {
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
 * Batches tried when a model is opened. A CPU's memory grows with the batch while a picture soon costs the same in any
 * (docs/performance.md); on a GPU it gets cheaper for long.
 */
const BATCHES = { cpu: [1, 2, 4], gpu: [1, 2, 4, 8, 16, 32] } as const;
/** Runs of each batch at the start; the first is slower and does not count. */
const WARM_UP_ROUNDS = 3;

/**
 * Opens a model by its id in the manifest, on the first provider of the list that loads it and passes a warm-up run
 * with finite numbers of the contract's shape. Each provider that is passed over is one line in the log.
 *
 * Throws what `files.file` throws, and PROVIDER_UNAVAILABLE, with the reason of each, when no provider runs it.
 */
export async function openOnnxModel(files: GraphFiles, id: string, options: OpenOptions): Promise<BatchModel> {
  const { providers, threads, logger, probe = probeOnce } = options;
  const entry = files.entry(id);
  const graph = await files.file(id);
  const asked = providers[0];
  const refused: string[] = [];
  for (const [index, provider] of providers.entries()) {
    try {
      if (provider !== 'cpu') {
        const { works, reason } = await probe(provider);
        if (!works) throw new Error(reason ?? 'does not work');
      }
      const model = new OnnxruntimeModel(entry, provider, await createSession(graph, provider, threads));
      await model.warmUp();
      logger.info({ model: id, asked, used: provider }, `model ${id} runs on ${provider}`);
      return model;
    } catch (error) {
      const why = messageOf(error).replaceAll(/\s+/g, ' ').trim();
      refused.push(`${provider}: ${why}`);
      const next = providers[index + 1];
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
export async function probeProviders(providers: readonly Provider[]): Promise<ProbeResult[]> {
  const results: ProbeResult[] = [];
  for (const provider of providers) results.push(await probeProvider(provider));
  return results;
}

/** Runs a one-node graph on `provider`; rejects when that fails. In the process itself: see `probeProvider`. */
export async function runTrivialGraph(provider: Provider): Promise<void> {
  const x = new Float32Array([1, 2, 3, 4]);
  const { y } = await evaluateGraph(trivialGraph(), { type: 'float32', data: x, shape: [4] }, provider);
  if (y?.data.join() !== '2,4,6,8') throw new Error(`computed 1+1, 2+2, 3+3, 4+4 as ${y?.data.join(', ')}`);
}

export type GraphInput =
  | { readonly type: 'float32'; readonly data: Float32Array; readonly shape: readonly number[] }
  | { readonly type: 'uint8'; readonly data: Uint8Array; readonly shape: readonly number[] };

/** Runs any graph that has one input, once. Gives its FLOAT outputs by name. */
export async function evaluateGraph(
  graph: Uint8Array,
  input: GraphInput,
  provider: Provider = 'cpu',
): Promise<Record<string, Tensor>> {
  const { Tensor: RuntimeTensor } = await loadRuntime();
  const session = await createSession(graph, provider, 1);
  try {
    const [name = ''] = session.inputNames;
    const tensor =
      input.type === 'uint8'
        ? new RuntimeTensor('uint8', input.data, input.shape)
        : new RuntimeTensor('float32', input.data, input.shape);
    return floatOutputs(await session.run({ [name]: tensor }));
  } finally {
    await session.release();
  }
}

/** A provider that works for one model is not tried again for the next: its libraries take seconds to load. */
const probes = new Map<Provider, Promise<ProbeResult>>();

function probeOnce(provider: Provider): Promise<ProbeResult> {
  const known = probes.get(provider) ?? probeProvider(provider);
  probes.set(provider, known);
  return known;
}

async function loadRuntime() {
  // The npm build of 1.30 reports models, sessions and a device id to its maker, and leaves files in the temporary
  // folder. This is the opt-out it documents; it counts only before the library is loaded. A device that watches a
  // door tells nobody.
  process.env.ORT_DISABLE_TELEMETRY = '1';
  const runtime = await import('onnxruntime-node');
  // Taken when the first session is made; warnings about a graph's unused weights help nobody.
  runtime.env.logLevel = 'error';
  return runtime;
}

/**
 * Threads a run uses unless configured: one core stays free for what feeds it, decoding and the daemon itself; a run
 * that wants all cores waits for the busiest of them.
 */
export function defaultThreads(cores: number): number {
  return Math.min(MAX_THREADS, Math.max(1, cores - 1));
}

async function createSession(
  graph: string | Uint8Array,
  provider: Provider,
  threads: number,
): Promise<InferenceSession> {
  const { InferenceSession: Session } = await loadRuntime();
  const options: InferenceSession.SessionOptions = {
    executionProviders: [provider],
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
    intraOpNumThreads: threads > 0 ? threads : defaultThreads(availableParallelism()),
    // A pattern is kept for each shape seen: useless and growing with batches of any size.
    enableMemPattern: false,
    // Threads that spin between two frames cost a whole core at 10 frames a second (docs/models.md).
    extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
  };
  return typeof graph === 'string' ? Session.create(graph, options) : Session.create(graph, options);
}

function floatOutputs(results: InferenceSession.OnnxValueMapType): Record<string, Tensor> {
  const outputs: Record<string, Tensor> = {};
  for (const [name, value] of Object.entries(results)) {
    const { data, dims } = value as OrtTensor;
    if (!(data instanceof Float32Array)) throw new Error(`output ${name} is not FLOAT`);
    outputs[name] = { data, shape: dims };
  }
  return outputs;
}

class OnnxruntimeModel implements BatchModel {
  readonly id: string;
  readonly fingerprint: string;
  readonly provider: Provider;
  readonly input: BatchModel['input'];
  readonly timings: RunTiming[] = [];
  readonly #outputs: readonly OutputContract[];
  #session: InferenceSession | null;
  /** The run before: one at a time, so that closing can wait for it. */
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
    for (const count of this.provider === 'cpu' ? BATCHES.cpu : BATCHES.gpu) {
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
  }

  async runBatch(pixels: Uint8Array<ArrayBuffer>, count: number): Promise<BatchResult> {
    const turn = this.#last.then(() => this.#run(pixels, count));
    this.#last = turn.catch(() => undefined);
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
