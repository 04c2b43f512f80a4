import { existsSync } from 'node:fs';
import { appendFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EyelineError, messageOf } from '../../core/errors.ts';
import { publishFile, writeFileAtomic } from '../../inference/files.ts';
import type { Trainer, Values } from '../engine.ts';
import { writable } from '../writable.ts';

/** One training on disk: what it was given, what it measured, where it can go on, and its best model so far. */

/** Where a training stands, apart from weights and optimiser. */
export interface LoopState {
  readonly step: number;
  readonly best: { readonly step: number; readonly score: number } | null;
  /** Validations since the best one. */
  readonly withoutGain: number;
  /** Time it has been at work, over all its starts, milliseconds. */
  readonly elapsedMs: number;
}

export interface Checkpoint {
  readonly state: LoopState;
  /** Weights and optimiser, as the trainer saves them. */
  readonly trainer: Uint8Array;
  /** The averaged weights, in the order of the trainer's. */
  readonly average: Float32Array;
}

/** What is judged of a model: the higher `score`, the better. Figures are for people. */
export interface Judgement {
  readonly score: number;
  readonly figures: Readonly<Record<string, number>>;
}

const METRICS = 'metrics.jsonl';
const VALIDATIONS = 'validation.jsonl';
const RECORD = 'run.json';
const CHECKPOINTS = 'checkpoints';
const STATE = 'state.json';
const TRAINER = 'trainer.safetensors';
const AVERAGE = 'average.f32';
const MODEL = 'model.onnx';
/** Checkpoints that are kept: the last, and the one before it in case of a stop while it is removed. */
const KEPT = 2;

export class RunFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Whether a run has got so far that there is something to lose: a checkpoint or a model. */
  async holdsWork(): Promise<boolean> {
    return existsSync(this.modelFile) || (await this.#checkpoints()).length > 0;
  }

  /** Throws USAGE when a run that begins here would take the place of what another has reached. */
  async requireFree(): Promise<void> {
    if (!(await this.holdsWork())) return;
    const what =
      (await this.readRecord()) === null
        ? `holds a model or checkpoints of a run whose ${RECORD} cannot be read: --out names another folder`
        : 'holds a run already: --resume goes on with it, --out names another';
    throw new EyelineError('USAGE', `${this.path} ${what}`);
  }

  /** Makes the folder with what the run is given. Throws as `requireFree` does, and OUTPUT_UNWRITABLE. */
  async begin(record: object): Promise<void> {
    await this.requireFree();
    await this.#write(async () => {
      await mkdir(join(this.path, CHECKPOINTS), { recursive: true });
      await writeFileAtomic(join(this.path, RECORD), `${JSON.stringify(record, null, 2)}\n`);
    });
  }

  /** What the run was given; null when there is none. */
  async readRecord(): Promise<unknown> {
    try {
      return JSON.parse(await readFile(join(this.path, RECORD), 'utf8'));
    } catch {
      return null;
    }
  }

  async addMetrics(lines: readonly object[]): Promise<void> {
    await this.#append(METRICS, lines);
  }

  async addValidation(line: object): Promise<void> {
    await this.#append(VALIDATIONS, [line]);
  }

  async readMetrics(): Promise<Record<string, number>[]> {
    return this.#lines(METRICS);
  }

  async readValidations(): Promise<Record<string, number>[]> {
    return this.#lines(VALIDATIONS);
  }

  /** The validation with the highest score so far, the first of equals: the one whose model is kept. Null before any. */
  async bestValidation(): Promise<Record<string, number> | null> {
    // JSON has null for what was no number.
    const scoreOf = (it: Record<string, number>) => it.score ?? Number.NEGATIVE_INFINITY;
    return (await this.readValidations()).reduce<Record<string, number> | null>(
      (best, it) => (best === null || scoreOf(it) > scoreOf(best) ? it : best),
      null,
    );
  }

  /** Keeps the best model so far. */
  async writeModel(onnx: Uint8Array): Promise<void> {
    await this.#write(() => writeFileAtomic(join(this.path, MODEL), onnx));
  }

  get modelFile(): string {
    return join(this.path, MODEL);
  }

  /** A file of the run besides, its report for instance. */
  async writeFile(name: string, content: string | Uint8Array): Promise<void> {
    await this.#write(() => writeFileAtomic(join(this.path, name), content));
  }

  /** What `writeFile` wrote; null when there is none. */
  async readFile(name: string): Promise<string | null> {
    return readFile(join(this.path, name), 'utf8').catch(() => null);
  }

  /** Writes a checkpoint, its `trainer` in pieces, as a whole or not at all, after a power cut too, and removes old ones. */
  async saveCheckpoint({
    state,
    trainer,
    average,
  }: Omit<Checkpoint, 'trainer'> & { readonly trainer: readonly Uint8Array[] }): Promise<void> {
    const folder = join(this.path, CHECKPOINTS, String(state.step).padStart(8, '0'));
    const draft = `${folder}.part`;
    await this.#write(async () => {
      await rm(draft, { recursive: true, force: true });
      await mkdir(draft, { recursive: true });
      const averaged = new Uint8Array(average.buffer, average.byteOffset, average.byteLength);
      await writeFile(join(draft, TRAINER), trainer, { flush: true });
      await writeFile(join(draft, AVERAGE), averaged, { flush: true });
      await writeFile(join(draft, STATE), JSON.stringify(state), { flush: true });
      await rm(folder, { recursive: true, force: true });
      await publishFile(draft, folder);
      // A stop may have left a draft of another step.
      for (const old of [...(await this.#checkpoints()).slice(0, -KEPT), ...(await this.#checkpoints(/\.part$/))]) {
        await rm(join(this.path, CHECKPOINTS, old), { recursive: true, force: true });
      }
    });
  }

  /**
   * The last checkpoint that is whole, with all that came after it forgotten; null, and nothing measured, when there is none at
   * all. Throws CHECKPOINT_UNREADABLE when none of those there are is whole.
   *
   * @param trainer is given the weights
   * @param warn    told of each that is damaged and passed over, and where the run goes on instead
   */
  async restoreCheckpoint(
    trainer: Pick<Trainer, 'values' | 'restore'>,
    warn: (line: string) => void,
  ): Promise<Checkpoint | null> {
    const numbers = countOf(trainer.values);
    const names = (await this.#checkpoints()).reverse();
    const damages: EyelineError[] = [];
    for (const [damaged, name] of names.entries()) {
      const folder = join(this.path, CHECKPOINTS, name);
      let checkpoint: Checkpoint;
      try {
        checkpoint = await readCheckpoint(folder);
        const { average, trainer: saved } = checkpoint;
        inFile(AVERAGE, () => requireLength(average, numbers));
        inFile(TRAINER, () => trainer.restore(saved));
      } catch (error) {
        damages.push(new EyelineError('CHECKPOINT_UNREADABLE', `${folder}: ${messageOf(error)}`, { cause: error }));
        continue;
      }
      for (const { message } of damages) warn(`  damaged checkpoint: ${message}`);
      if (damages.length > 0) warn(`  going on from the one before, of step ${checkpoint.state.step}`);
      await this.#cutBack(checkpoint.state.step);
      for (const later of names.slice(0, damaged)) {
        await this.#write(() => rm(join(this.path, CHECKPOINTS, later), { recursive: true, force: true }));
      }
      return checkpoint;
    }
    if (damages[0]) throw damages[0];
    // It begins anew.
    await this.#cutBack(-1);
    return null;
  }

  /** Where the last checkpoint stands; null when there is none. */
  async lastState(): Promise<LoopState | null> {
    const last = (await this.#checkpoints()).at(-1);
    if (last === undefined) return null;
    try {
      return JSON.parse(await readFile(join(this.path, CHECKPOINTS, last, STATE), 'utf8')) as LoopState;
    } catch {
      return null;
    }
  }

  /** Forgets what was measured after a step. */
  async #cutBack(last: number): Promise<void> {
    for (const file of [METRICS, VALIDATIONS]) {
      const kept = (await this.#lines(file)).filter(({ step }) => (step ?? 0) <= last);
      await this.#write(() =>
        writeFileAtomic(join(this.path, file), kept.map((line) => `${JSON.stringify(line)}\n`).join('')),
      );
    }
  }

  async #checkpoints(named = /^\d+$/): Promise<string[]> {
    const names = await readdir(join(this.path, CHECKPOINTS)).catch(() => []);
    return names.filter((name) => named.test(name)).sort();
  }

  async #lines(file: string): Promise<Record<string, number>[]> {
    const text = await readFile(join(this.path, file), 'utf8').catch(() => '');
    const lines: Record<string, number>[] = [];
    for (const line of text.split('\n')) {
      try {
        if (line !== '') lines.push(JSON.parse(line));
      } catch {
        // A line that a stop cut in two; its step is done again.
      }
    }
    return lines;
  }

  async #append(file: string, lines: readonly object[]): Promise<void> {
    if (lines.length === 0) return;
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    await this.#write(() => appendFile(join(this.path, file), text, { flush: true }));
  }

  async #write(write: () => Promise<void>): Promise<void> {
    await writable(this.path, write);
  }
}

async function readCheckpoint(folder: string): Promise<Checkpoint> {
  const bytesOf = (file: string) => readFile(join(folder, file));
  const [state, trainer, average] = [await bytesOf(STATE), await bytesOf(TRAINER), await bytesOf(AVERAGE)];
  return {
    state: inFile(STATE, () => JSON.parse(state.toString()) as LoopState),
    trainer: new Uint8Array(trainer),
    average: inFile(AVERAGE, () => new Float32Array(new Uint8Array(average).buffer)),
  };
}

/** Reads what a file of a checkpoint holds; an error names the file. */
function inFile<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new EyelineError('CHECKPOINT_UNREADABLE', `${file}: ${messageOf(error)}`, { cause: error });
  }
}

function requireLength({ length }: Float32Array, numbers: number): void {
  if (length !== numbers) throw new RangeError(`it has ${length} numbers, not ${numbers}`);
}

/** How many numbers there are. */
export function countOf(values: Values): number {
  return Object.values(values).reduce((sum, { length }) => sum + length, 0);
}

/** All numbers one after another, in the order of their names. */
export function flatten(values: Values): Float32Array {
  const flat = new Float32Array(countOf(values));
  let at = 0;
  for (const name of Object.keys(values).sort()) {
    const value = values[name];
    if (!value) continue;
    flat.set(value, at);
    at += value.length;
  }
  return flat;
}

/** What `flatten` put in a row, by the names of `like`; views of it. */
export function unflatten(flat: Float32Array, like: Values): Record<string, Float32Array> {
  const values: Record<string, Float32Array> = {};
  let at = 0;
  for (const name of Object.keys(like).sort()) {
    const length = like[name]?.length ?? 0;
    values[name] = flat.subarray(at, at + length);
    at += length;
  }
  return values;
}
