import { readFile } from 'node:fs/promises';
import { EyelineError, messageOf } from '../core/errors.ts';
import { type Affine, invert, type Size } from '../core/geometry.ts';
import { fuseAlignment } from './graph/align-crop.ts';
import { fingerprintOf, type ModelEntry } from './manifest.ts';
import { type GraphFiles, type OpenGraph, type OpenOptions, openGraph } from './onnxruntime-model.ts';
import type { Provider } from './providers.ts';
import type { AlignedResult, AligningModel, FramePixels, Outputs } from './vision-model.ts';

/** Faces a run takes at most; a picture with more takes several. As with crops, a CPU's memory grows with them. */
const MAX_FACES = { cpu: 2, gpu: 32 } as const;
/** What the warm-up runs on. */
const WARM_UP_FRAME: Size = { width: 1280, height: 720 };

export type AligningOptions = Omit<OpenOptions, 'logger' | 'probe'>;

/**
 * Opens an encoder with alignment in its graph, on the first of `providers`: one that runs the encoder itself.
 *
 * Throws what `files.file` throws, MODEL_UNSUPPORTED when its graph cannot take alignment, and PROVIDER_UNAVAILABLE when the
 * provider does not run it.
 */
export async function openAligningModel(
  files: GraphFiles,
  id: string,
  options: AligningOptions,
): Promise<AligningModel> {
  const entry = files.entry(id);
  const fused = fuseAlignment(await readFile(await files.file(id)), entry);
  const [provider = 'cpu'] = options.providers;
  try {
    const model = new OnnxAligningModel(entry, provider, await openGraph(fused, options, `${id}-aligned`));
    await model.warmUp();
    return model;
  } catch (error) {
    const message = `model ${id}: ${provider} does not run it with alignment in its graph: ${messageOf(error)}`;
    throw new EyelineError('PROVIDER_UNAVAILABLE', message, { cause: error });
  }
}

class OnnxAligningModel implements AligningModel {
  readonly id: string;
  readonly fingerprint: string;
  readonly provider: Provider;
  readonly input: Size;
  readonly #entry: ModelEntry;
  readonly #maxFaces: number;
  #graph: OpenGraph | null;
  /** The run before: one at a time, so that closing can wait for it. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(entry: ModelEntry, provider: Provider, graph: OpenGraph) {
    this.id = entry.id;
    this.fingerprint = fingerprintOf(entry);
    this.provider = provider;
    this.input = { width: entry.input.width, height: entry.input.height };
    this.#entry = entry;
    this.#maxFaces = provider === 'cpu' ? MAX_FACES.cpu : MAX_FACES.gpu;
    this.#graph = graph;
  }

  /** Runs the smallest and the largest batch, so that memory is taken and engines are built now. */
  async warmUp(): Promise<void> {
    const { width, height } = WARM_UP_FRAME;
    const frame = { width, height, bgr: new Uint8Array(width * height * 3) };
    for (const count of [1, this.#maxFaces]) {
      const { outputs } = await this.runAligned(frame, Array<Affine>(count).fill([1, 0, 0, 0, 1, 0]));
      for (const { name } of this.#entry.outputs) {
        if (!outputs[name]?.data.every(Number.isFinite)) throw new Error(`output ${name} holds no finite numbers`);
      }
    }
  }

  async runAligned(frame: FramePixels, alignments: readonly Affine[]): Promise<AlignedResult> {
    checkRun(this.id, frame, alignments);
    const turn = this.#last.then(() => this.#run(frame, alignments));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async close(): Promise<void> {
    await this.#last;
    const graph = this.#graph;
    this.#graph = null;
    await graph?.release();
  }

  async #run({ width, height, bgr }: FramePixels, alignments: readonly Affine[]): Promise<AlignedResult> {
    const graph = this.#graph;
    if (!graph) throw new Error(`model ${this.id} is closed`);
    const started = performance.now();
    const parts: Outputs[] = [];
    for (let from = 0; from < alignments.length; from += this.#maxFaces) {
      const matrices = alignments.slice(from, from + this.#maxFaces);
      const outputs = await graph.run([
        { type: 'uint8', data: bgr, shape: [height, width, 3] },
        { type: 'float32', data: Float32Array.from(matrices.flat()), shape: [matrices.length, 2, 3] },
      ]);
      parts.push(outputs);
    }
    return { outputs: this.#joined(parts, alignments.length), runMs: performance.now() - started };
  }

  #joined(parts: readonly Outputs[], faces: number): Outputs {
    const joined = this.#entry.outputs.map(({ name, shape }) => {
      const rows = parts.map((part) => part[name]?.data ?? new Float32Array());
      const numbers = shape.reduce((product, extent) => product * extent, faces);
      const found = rows.reduce((sum, { length }) => sum + length, 0);
      if (found !== numbers) throw new Error(`output ${name} of ${faces} faces has ${found} numbers, not ${numbers}`);
      const data = new Float32Array(numbers);
      let at = 0;
      for (const part of rows) {
        data.set(part, at);
        at += part.length;
      }
      return [name, { data, shape: [faces, ...shape] }] as const;
    });
    return Object.fromEntries(joined);
  }
}

/** The graph reads whatever place it is told to: nothing that leads beside the frame may reach it. */
function checkRun(id: string, { width, height, bgr }: FramePixels, alignments: readonly Affine[]): void {
  if (bgr.length !== width * height * 3) {
    throw new RangeError(`model ${id}: ${bgr.length} bytes are not ${width}x${height} pixels of 3`);
  }
  if (Math.min(width, height) < 2) throw new RangeError(`model ${id}: a picture of ${width}x${height} is too small`);
  for (const [index, alignment] of alignments.entries()) {
    try {
      if (!invert(alignment).every((value) => Number.isFinite(Math.fround(value))))
        throw new RangeError('it overflows');
    } catch (error) {
      throw new RangeError(`model ${id}: alignment ${index} is of no use: ${messageOf(error)}`, { cause: error });
    }
  }
}
