import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EyelineError } from '../core/errors.ts';
import { checkPreparedGraph, type EvaluateGraph } from './check-graph.ts';
import { CONVERSION_VERSION } from './convert/to-onnx.ts';
import { isMissing, sha256, sha256OfFile, writeFileAtomic } from './files.ts';
import { PREPARATION_VERSION, prepareGraph } from './graph/prepare.ts';
import { fingerprintOf, type ModelEntry } from './manifest.ts';

/** The prepared graph of a model on disk, `<id>.<key>.onnx`, and beside it, in a `.json`, the hash it must have. */
export class PreparedGraph {
  readonly path: string;
  readonly #recordPath: string;
  readonly #entry: ModelEntry;

  constructor(dir: string, entry: ModelEntry) {
    // The name changes with everything the graph is made of, so that nothing outdated is ever found under it.
    const versions = isConverted(entry) ? `${PREPARATION_VERSION} ${CONVERSION_VERSION}` : `${PREPARATION_VERSION}`;
    const key = sha256(`${fingerprintOf(entry)} ${versions}`).slice(0, 16);
    this.path = join(dir, `${entry.id}.${key}.onnx`);
    this.#recordPath = join(dir, `${entry.id}.${key}.json`);
    this.#entry = entry;
  }

  /** Whether it is there and whole; false where it must be prepared. Throws MODEL_CORRUPT when it was changed. */
  async isReady(): Promise<boolean> {
    const expected = await this.#recordedHash();
    const found = await sha256OfFile(this.path);
    // The record is written last: without it, or without the graph, the preparation was not finished.
    if (expected === null || found === null) return false;
    if (found !== expected) throw corrupt(this.#entry.id, this.path, expected, found);
    return true;
  }

  /**
   * Prepares the graph and writes it with its record.
   *
   * @param evaluate tries it out against the original before it is written; null where that was done before
   * Throws MODEL_UNSUPPORTED.
   */
  async prepare(original: Uint8Array, evaluate: EvaluateGraph | null): Promise<void> {
    const prepared = prepareGraph(original, this.#entry);
    if (evaluate) await checkPreparedGraph({ original, prepared, entry: this.#entry, evaluate });
    await writeFileAtomic(this.path, prepared);
    await writeFileAtomic(this.#recordPath, `${JSON.stringify({ sha256: sha256(prepared) })}\n`);
  }

  /** Prepares it once more and compares. Throws MODEL_CORRUPT when the file is another. */
  async compare(original: Uint8Array): Promise<void> {
    const expected = sha256(prepareGraph(original, this.#entry));
    const found = await sha256OfFile(this.path);
    if (found !== expected) throw corrupt(this.#entry.id, this.path, expected, found);
  }

  async #recordedHash(): Promise<string | null> {
    try {
      const record: unknown = JSON.parse(await readFile(this.#recordPath, 'utf8'));
      if (typeof record === 'object' && record !== null && 'sha256' in record) return String(record.sha256);
    } catch (error) {
      if (isMissing(error)) return null;
    }
    return 'unreadable';
  }
}

function isConverted({ format = 'onnx' }: ModelEntry): boolean {
  return format !== 'onnx';
}

/** What a file is refused with when its bytes are not those expected. */
export function corrupt(id: string, path: string, expected: string, found: string | null): EyelineError {
  return new EyelineError('MODEL_CORRUPT', `${id}: ${path}: expected sha256 ${expected}, found ${found ?? 'no file'}`);
}
