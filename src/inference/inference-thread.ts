import { SHARE_ENV, type Worker } from 'node:worker_threads';
import { type Clock, systemClock } from '../core/clock.ts';
import { endsWithin } from '../core/ends-within.ts';
import { entryBeside, startWorker } from '../core/entry-points.ts';
import { ERRORS, type ErrorCode, EyelineError, messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { FromInference, ThreadOptions, ToInference } from './inference-protocol.ts';
import type { GraphFiles } from './onnxruntime-model.ts';
import type { AligningModel, BatchModel, BatchResult } from './vision-model.ts';

/**
 * How long opening a model may take: on a processor seconds, a minute for large ones on a slow disk; on a GPU TensorRT builds
 * engines for minutes, and the unit gives the whole start as long.
 */
const OPEN_LIMIT_MS = { cpu: 300_000, gpu: 900_000 } as const;
/** A model of which no run has succeeded for so long, of so many at least, is not going to: the GPU is gone, or its memory taken. */
const FAILING_MS = 30_000;
const FAILING_RUNS = 10;

/** A question without its number. */
type Question = ToInference extends infer T ? (T extends ToInference ? Omit<T, 'call'> : never) : never;

interface Pending {
  resolve(answer: FromInference): void;
  reject(error: Error): void;
}

/**
 * The thread that ONNX Runtime works in. Everything it is asked for is answered in order; when it ends unasked, or a model's
 * runs fail for long and none succeeds, whatever waits for it is refused with INFERENCE_FAILED, and so is all that comes after.
 */
export class InferenceThread {
  readonly #logger: Logger;
  readonly #startWorker: () => Worker;
  readonly #clock: Pick<Clock, 'monotonic' | 'sleep'>;
  readonly #pending = new Map<number, Pending>();
  readonly #failed: Promise<never>;
  #worker: Worker | undefined;
  #calls = 0;
  #failure: EyelineError | undefined;
  #fail: (error: EyelineError) => void = () => {};

  constructor(
    logger: Logger,
    start: () => Worker = startInferenceWorker,
    clock: Pick<Clock, 'monotonic' | 'sleep'> = systemClock,
  ) {
    this.#logger = logger;
    this.#startWorker = start;
    this.#clock = clock;
    this.#failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    // Nobody may be listening, and a rejection without a listener would end the process without a word.
    this.#failed.catch(() => {});
  }

  /** Rejects with INFERENCE_FAILED when the thread ends though nobody closed it, or a model's runs only fail. */
  get failed(): Promise<never> {
    return this.#failed;
  }

  /**
   * Opens a model in the thread; see `openOnnxModel`. Throws what it throws, INFERENCE_FAILED, and MODEL_HANGS when it takes far
   * too long: the thread is left behind then, and the process must be killed.
   */
  async open(files: GraphFiles, id: string, options: ThreadOptions): Promise<BatchModel> {
    const entry = files.entry(id);
    const graph = await files.file(id);
    const answer = await this.#inTime(this.#ask({ type: 'open', entry, graph, options }), id, options);
    if (answer.type !== 'opened') throw new Error(`the inference thread answered ${answer.type}`);
    const { model, traits } = answer;
    const watched = this.#watchRuns(id);
    return {
      ...traits,
      runBatch: (pixels, count) => watched(() => this.#run(model, pixels, count)),
      close: async () => {
        if (this.#worker) await this.#ask({ type: 'close', model });
      },
    };
  }

  /** Opens an encoder with alignment in its graph; see `openAligningModel`. Throws what it throws, and as `open` does. */
  async openAligning(files: GraphFiles, id: string, options: ThreadOptions): Promise<AligningModel> {
    const entry = files.entry(id);
    const graph = await files.file(id);
    const answer = await this.#inTime(this.#ask({ type: 'openAligning', entry, graph, options }), id, options);
    if (answer.type !== 'openedAligning') throw new Error(`the inference thread answered ${answer.type}`);
    const { model, traits } = answer;
    const watched = this.#watchRuns(id);
    /** Frames' buffers that came back: garbage of their size would be collected late. */
    const spare: Uint8Array<ArrayBuffer>[] = [];
    return {
      ...traits,
      runAligned: async ({ bgr, width, height }, alignments) => {
        const kept = spare.pop();
        const pixels = kept && kept.length >= bgr.length ? kept : new Uint8Array(bgr.length);
        pixels.set(bgr);
        const frame = {
          type: 'align',
          model,
          pixels,
          length: bgr.length,
          size: { width, height },
          alignments,
        } as const;
        const ran = await watched(() => this.#ask(frame, [pixels.buffer]));
        if (ran.type !== 'ran') throw new Error(`the inference thread answered ${ran.type}`);
        spare.push(ran.pixels);
        return { outputs: ran.outputs, runMs: ran.runMs };
      },
      close: async () => {
        if (this.#worker) await this.#ask({ type: 'close', model });
      },
    };
  }

  /** Ends the thread; what it still works on is lost. Never rejects. */
  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    this.#failure ??= new EyelineError('INFERENCE_FAILED', 'the inference thread was closed');
    await worker?.terminate().catch(() => undefined);
    this.#refuseAll(this.#failure);
  }

  async #run(model: number, pixels: Uint8Array<ArrayBuffer>, count: number): Promise<BatchResult> {
    const answer = await this.#ask({ type: 'run', model, pixels, count }, [pixels.buffer]);
    if (answer.type !== 'ran') throw new Error(`the inference thread answered ${answer.type}`);
    return answer;
  }

  async #ask(question: Question, moved: ArrayBuffer[] = []): Promise<FromInference> {
    if (this.#failure) throw this.#failure;
    this.#worker ??= this.#start();
    const worker = this.#worker;
    const call = ++this.#calls;
    return new Promise((resolve, reject) => {
      this.#pending.set(call, { resolve, reject });
      worker.postMessage({ ...question, call }, moved);
    });
  }

  /** What opening a model gives. When it does not end, the thread is given up with all that waits for it: MODEL_HANGS. */
  async #inTime(opening: Promise<FromInference>, id: string, { providers }: ThreadOptions): Promise<FromInference> {
    const limitMs = OPEN_LIMIT_MS[providers.every((provider) => provider === 'cpu') ? 'cpu' : 'gpu'];
    if (!(await endsWithin(opening, limitMs, this.#clock))) {
      const tried = providers.join(', ');
      this.#giveUp(new EyelineError('MODEL_HANGS', `model ${id}: not open after ${limitMs / 1000} s (${tried})`));
    }
    return opening;
  }

  /** For the runs of one model: when for long none succeeds, the thread counts as failed. */
  #watchRuns(id: string): <T>(run: () => Promise<T>) => Promise<T> {
    let failed = 0;
    let sinceMs = 0;
    return async (run) => {
      try {
        const result = await run();
        failed = 0;
        return result;
      } catch (error) {
        const nowMs = this.#clock.monotonic();
        if (failed++ === 0) sinceMs = nowMs;
        if (failed >= FAILING_RUNS && nowMs - sinceMs >= FAILING_MS && !this.#failure) {
          const why = `model ${id}: no run has succeeded for ${FAILING_MS / 1000} s: ${messageOf(error)}`;
          this.#giveUp(new EyelineError('INFERENCE_FAILED', why));
        }
        throw error;
      }
    };
  }

  #start(): Worker {
    const worker = this.#startWorker();
    worker.on('message', (message: FromInference) => this.#receive(message));
    worker.on('error', (error) => this.#ended(error.message));
    worker.on('exit', (code) => this.#ended(`status ${code}`));
    return worker;
  }

  #receive(message: FromInference): void {
    if (message.type === 'log') {
      this.#logger[message.level](message.fields, message.message);
      return;
    }
    const pending = this.#pending.get(message.call);
    this.#pending.delete(message.call);
    if (message.type !== 'failed') pending?.resolve(message);
    else if (isErrorCode(message.code)) pending?.reject(new EyelineError(message.code, message.message));
    else pending?.reject(new Error(message.message));
  }

  #ended(reason: string): void {
    if (!this.#worker) return;
    this.#giveUp(new EyelineError('INFERENCE_FAILED', `the inference thread ended: ${reason}`));
  }

  /** The thread is of no use any more. Nobody waits for its end: what hangs in native code has none. */
  #giveUp(failure: EyelineError): void {
    const worker = this.#worker;
    this.#worker = undefined;
    this.#failure = failure;
    worker?.terminate().catch(() => undefined);
    this.#refuseAll(failure);
    this.#fail(failure);
  }

  #refuseAll(error: Error): void {
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}

/** Starts the thread itself. */
export function startInferenceWorker(): Worker {
  // The adapter sets variables that native code reads: a copy of the environment would keep them from it.
  return startWorker(entryBeside('inference-worker', import.meta.url), { env: SHARE_ENV, name: 'inference' });
}

function isErrorCode(code: string | null): code is ErrorCode {
  return code !== null && code in ERRORS;
}
