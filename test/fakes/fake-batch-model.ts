import type { BatchModel, BatchResult } from '../../src/inference/vision-model.ts';

/** A model whose pictures have 3 bytes and whose output doubles the first; each run waits to be let go. */
export class FakeBatchModel implements BatchModel {
  readonly id = 'fake';
  readonly fingerprint = 'f';
  readonly provider = 'cpu';
  readonly input = { width: 1, height: 1, channels: 3 } as const;
  readonly timings = [{ pictures: 1, ms: 1 }];
  /** First bytes of the pictures of each run. */
  readonly runs: number[][] = [];
  closed = false;
  #waiting: { go(): void; fail(error: Error): void }[] = [];

  get running(): number {
    return this.#waiting.length;
  }

  async runBatch(pixels: Uint8Array<ArrayBuffer>, count: number): Promise<BatchResult> {
    const firsts = Array.from({ length: count }, (_, index) => pixels[index * 3] ?? Number.NaN);
    this.runs.push(firsts);
    await new Promise<void>((go, fail) => this.#waiting.push({ go, fail }));
    const data = Float32Array.from(firsts.flatMap((first) => [first * 2, first * 2 + 1]));
    return { outputs: { out: { data, shape: [count, 2] } }, runMs: 7, pixels };
  }

  /** Lets the oldest run finish. */
  finish(): void {
    this.#waiting.shift()?.go();
  }

  fail(message: string): void {
    this.#waiting.shift()?.fail(new Error(message));
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}
