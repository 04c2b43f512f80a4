import type { BatchModel, BatchResult } from '../../src/inference/vision-model.ts';

/** A model whose pictures have 3 bytes and whose output doubles the first; each run waits to be let go. */
export class FakeBatchModel implements BatchModel {
  readonly id = 'fake';
  readonly fingerprint = 'f';
  readonly provider = 'cpu';
  readonly input = { width: 1, height: 1, channels: 3 } as const;
  readonly timings = [{ pictures: 1, ms: 1 }];
  readonly parallelRuns: number;
  /** First bytes of the pictures of each run. */
  readonly runs: number[][] = [];
  closed = false;
  #waiting: { firsts: readonly number[]; go(): void; fail(error: Error): void }[] = [];

  constructor(parallelRuns = 1) {
    this.parallelRuns = parallelRuns;
  }

  get running(): number {
    return this.#waiting.length;
  }

  async runBatch(pixels: Uint8Array<ArrayBuffer>, count: number): Promise<BatchResult> {
    const firsts = Array.from({ length: count }, (_, index) => pixels[index * 3] ?? Number.NaN);
    this.runs.push(firsts);
    await new Promise<void>((go, fail) => this.#waiting.push({ firsts, go, fail }));
    const data = Float32Array.from(firsts.flatMap((first) => [first * 2, first * 2 + 1]));
    return { outputs: { out: { data, shape: [count, 2] } }, runMs: 7, pixels };
  }

  /** First bytes of the pictures of a run under way. */
  underWay(which: number): readonly number[] {
    return this.#waiting[which]?.firsts ?? [];
  }

  /** Lets a run finish; the oldest of those under way is number 0. */
  finish(which = 0): void {
    this.#waiting.splice(which, 1)[0]?.go();
  }

  fail(message: string, which = 0): void {
    this.#waiting.splice(which, 1)[0]?.fail(new Error(message));
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}
