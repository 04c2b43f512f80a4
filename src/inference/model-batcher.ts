import type { Clock } from '../core/clock.ts';
import { type BatchPolicy, chooseBatchPolicy, planBatch } from './batch-plan.ts';
import {
  type BatchModel,
  type Outputs,
  pictureBytes,
  type RunTrace,
  type Tensor,
  type VisionModel,
} from './vision-model.ts';

/**
 * Batches a model is given beside those it runs, for each of these: it goes on with that one, and need not wait for the way
 * here and back between two runs.
 */
const AHEAD = 1;

/** A lane that asked within this time may ask again any moment. */
const ACTIVE_MS = 1000;

export interface BatcherOptions {
  /** The one that fits the model's timings when left out. */
  readonly policy?: BatchPolicy;
  /** Told of every run. */
  readonly onRun?: (run: { readonly model: string; readonly pictures: number; readonly runMs: number }) => void;
}

/** Pictures of one `run`, served by one batch or several. */
interface Request {
  readonly lane: string;
  readonly pictures: readonly Uint8Array[];
  readonly sinceMs: number;
  readonly trace: RunTrace | undefined;
  /** What came back, in any order; `from` is the place of its first picture among those of the request. */
  readonly pieces: { readonly from: number; readonly outputs: Outputs }[];
  /** Pictures that are in a batch already, the first of all, and how many of them have their result. */
  taken: number;
  done: number;
  runMs: number;
  resolve(outputs: Outputs): void;
  reject(error: unknown): void;
}

/**
 * Runs the pictures of several lanes (cameras) on one model, in batches that mix them fairly (batch-plan.ts). A lane
 * that waits for its answer before it asks again, as a camera's pipeline does, has at most one request here.
 */
export class ModelBatcher {
  readonly policy: BatchPolicy;
  readonly #model: BatchModel;
  readonly #clock: Clock;
  readonly #onRun: BatcherOptions['onRun'];
  readonly #parallelRuns: number;
  readonly #lastAskedMs = new Map<string, number>();
  #waiting: Request[] = [];
  readonly #running = new Set<Promise<void>>();
  #timer: AbortController | undefined;
  #servedLast: string | undefined;
  readonly #pixels: Uint8Array<ArrayBuffer>[] = [];
  #closed = false;

  constructor(model: BatchModel, clock: Clock, { policy, onRun }: BatcherOptions = {}) {
    this.#model = model;
    this.#clock = clock;
    this.policy = policy ?? chooseBatchPolicy(model.timings);
    this.#onRun = onRun;
    this.#parallelRuns = model.parallelRuns ?? 1;
  }

  /** The model as one of several users sees it. Lanes of one name share their turn. */
  lane(name: string): VisionModel {
    const { id, fingerprint, provider, input } = this.#model;
    return { id, fingerprint, provider, input, run: (pictures, trace) => this.#ask(name, pictures, trace) };
  }

  /** Finishes what was asked for, then closes the model. Lanes must not be used after. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.abort();
    this.#pump();
    while (this.#running.size > 0) await Promise.all(this.#running);
    await this.#model.close();
  }

  async #ask(lane: string, pictures: readonly Uint8Array[], trace: RunTrace | undefined): Promise<Outputs> {
    const size = pictureBytes(this.#model);
    for (const [index, picture] of pictures.entries()) {
      if (picture.length === size) continue;
      const { id, input } = this.#model;
      throw new RangeError(
        `model ${id}: picture ${index} has ${picture.length} bytes; ${input.height}x${input.width}x${input.channels} are ${size}`,
      );
    }
    if (this.#closed) throw new Error(`model ${this.#model.id} is closed`);
    if (pictures.length === 0) return {};
    const sinceMs = this.#clock.monotonic();
    this.#lastAskedMs.set(lane, sinceMs);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ lane, pictures, sinceMs, trace, pieces: [], taken: 0, done: 0, runMs: 0, resolve, reject });
      this.#pump();
    });
  }

  /** Gives the model what it is time for. */
  #pump(): void {
    const most = this.#parallelRuns * (1 + AHEAD);
    while (this.#waiting.length > 0 && this.#running.size < most && this.#next());
  }

  /** Starts the next batch, or sees to it that it is started in time; false when it is not started now. */
  #next(): boolean {
    const nowMs = this.#clock.monotonic();
    const waiting = this.#waiting.map((it) => ({ ...it, pictures: it.pictures.length - it.taken }));
    const policy = this.#closed ? { ...this.policy, maxWaitMs: 0 } : this.policy;
    const situation = { nowMs, activeLanes: this.#activeLanes(nowMs), servedLast: this.#servedLast };
    const plan = planBatch(waiting, policy, situation);
    this.#timer?.abort();
    const total = plan.kind === 'run' ? plan.take.reduce((sum, count) => sum + count, 0) : 0;
    // While it runs, others may still come: only a batch that is full has nothing to wait for.
    if (this.#running.size >= this.#parallelRuns && total < this.policy.maxBatch) return false;
    if (plan.kind === 'wait') {
      this.#timer = new AbortController();
      this.#clock.sleep(plan.untilMs - nowMs, this.#timer.signal).then(
        () => this.#pump(),
        () => undefined,
      );
      return false;
    }
    this.#servedLast = plan.servedLast;
    const parts = this.#waiting.flatMap((request, index) => {
      const count = plan.take[index] ?? 0;
      return count > 0 ? [{ request, count }] : [];
    });
    const running = this.#runBatch(parts).finally(() => {
      this.#running.delete(running);
      this.#pump();
    });
    this.#running.add(running);
    return true;
  }

  async #runBatch(parts: readonly { readonly request: Request; readonly count: number }[]): Promise<void> {
    const size = pictureBytes(this.#model);
    const pixels = this.#pixels.pop() ?? new Uint8Array(size * this.policy.maxBatch);
    let count = 0;
    const placed = parts.map(({ request, count: rows }) => ({ request, rows, from: request.taken }));
    for (const { request, count: taken } of parts) {
      for (const picture of request.pictures.slice(request.taken, request.taken + taken)) {
        pixels.set(picture, size * count++);
      }
      request.taken += taken;
    }
    this.#waiting = this.#waiting.filter(({ pictures, taken }) => taken < pictures.length);
    try {
      const result = await this.#model.runBatch(pixels, count);
      this.#pixels.push(result.pixels);
      this.#onRun?.({ model: this.#model.id, pictures: count, runMs: result.runMs });
      let row = 0;
      for (const { request, rows, from } of placed) {
        request.pieces.push({ from, outputs: rowsOf(result.outputs, row, rows, count) });
        request.runMs += result.runMs;
        request.done += rows;
        row += rows;
        if (request.done === request.pictures.length) this.#finish(request);
      }
    } catch (error) {
      const failed = new Set(parts.map(({ request }) => request));
      this.#waiting = this.#waiting.filter((request) => !failed.has(request));
      for (const request of failed) request.reject(error);
    }
  }

  #finish({ pieces, resolve, runMs, sinceMs, trace }: Request): void {
    if (trace) {
      trace.runMs += runMs;
      trace.queuedMs += Math.max(0, this.#clock.monotonic() - sinceMs - runMs);
    }
    const inOrder = pieces.toSorted((a, b) => a.from - b.from);
    resolve(joined(inOrder.map(({ outputs }) => outputs)));
  }

  #activeLanes(nowMs: number): number {
    for (const [lane, askedMs] of this.#lastAskedMs) {
      if (nowMs - askedMs > ACTIVE_MS && this.#waiting.every((request) => request.lane !== lane)) {
        this.#lastAskedMs.delete(lane);
      }
    }
    return this.#lastAskedMs.size;
  }
}

/** Rows of each output, as a view. */
function rowsOf(outputs: Outputs, from: number, rows: number, batch: number): Outputs {
  if (rows === batch) return outputs;
  return mapped(outputs, ({ data, shape }) => {
    const width = data.length / batch;
    return { data: data.subarray(from * width, (from + rows) * width), shape: [rows, ...shape.slice(1)] };
  });
}

function joined(pieces: readonly Outputs[]): Outputs {
  const [first = {}, ...others] = pieces;
  if (others.length === 0) return first;
  return mapped(first, (head, name) => {
    const parts = [head, ...others.flatMap((piece) => piece[name] ?? [])];
    const data = new Float32Array(parts.reduce((sum, part) => sum + part.data.length, 0));
    let at = 0;
    for (const part of parts) {
      data.set(part.data, at);
      at += part.data.length;
    }
    const rows = parts.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
    return { data, shape: [rows, ...head.shape.slice(1)] };
  });
}

function mapped(outputs: Outputs, change: (tensor: Tensor, name: string) => Tensor): Outputs {
  return Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, change(tensor, name)]));
}
