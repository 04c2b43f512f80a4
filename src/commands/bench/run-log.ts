import { quantile, rounded } from '../../core/statistics.ts';
import type { BatchModel } from '../../inference/vision-model.ts';
import { pictureBytes } from '../../inference/vision-model.ts';

/** Runs of one model with one batch size. */
export interface RunCounts {
  readonly model: string;
  readonly pictures: number;
  readonly runs: number;
  /** As they ran, milliseconds. */
  readonly totalMs: number;
  /** One such run alone, nothing else going on; null until it was measured. */
  rawMs: number | null;
}

/** Runs of one batch size that are timed alone. */
const RAW_ROUNDS = 40;

/** Counts the runs of models, by model and batch size, while it is told to. */
export class RunLog {
  readonly models = new Map<string, BatchModel>();
  #counts = new Map<string, { model: string; pictures: number; runs: number; totalMs: number; rawMs: number | null }>();
  #counting = false;

  start(): void {
    this.#counts = new Map();
    this.#counting = true;
  }

  stop(): RunCounts[] {
    this.#counting = false;
    return [...this.#counts.values()]
      .map((counts) => ({ ...counts, totalMs: rounded(counts.totalMs, 1) }))
      .sort((a, b) => a.model.localeCompare(b.model) || a.pictures - b.pictures);
  }

  add({ model, pictures, runMs }: { model: string; pictures: number; runMs: number }): void {
    if (!this.#counting) return;
    const key = `${model} ${pictures}`;
    const counts = this.#counts.get(key) ?? { model, pictures, runs: 0, totalMs: 0, rawMs: null };
    counts.runs++;
    counts.totalMs += runMs;
    this.#counts.set(key, counts);
  }
}

/** What the same runs take when each is all there is: the sum over median times. Fills in `rawMs` of each. */
export async function rawRunMs(counts: readonly RunCounts[], { models }: Pick<RunLog, 'models'>): Promise<number> {
  let total = 0;
  for (const one of counts) {
    const model = models.get(one.model);
    if (!model) throw new Error(`model ${one.model} is not open`);
    one.rawMs = rounded(await rawMsOf(model, one.pictures), 3);
    total += one.rawMs * one.runs;
  }
  return total;
}

/** Median time of a run of so many pictures of noise, alone. */
export async function rawMsOf(model: BatchModel, pictures: number, rounds = RAW_ROUNDS): Promise<number> {
  let pixels = Uint8Array.from(
    { length: pictureBytes(model) * pictures },
    (_, index) => (index * 2_654_435_761) >>> 24,
  );
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const result = await model.runBatch(pixels, pictures);
    pixels = result.pixels;
    times.push(result.runMs);
  }
  return quantile(times, 0.5) ?? 0;
}
