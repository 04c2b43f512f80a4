import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EyelineError, messageOf } from '../../core/errors.ts';
import { sha256 } from '../../inference/files.ts';
import { prepareGraph } from '../../inference/graph/prepare.ts';
import type { InputContract, ModelEntry } from '../../inference/manifest.ts';
import { readContract } from '../../inference/model-contract.ts';
import type { GraphFiles } from '../../inference/onnxruntime-model.ts';
import { parseSource } from '../../inference/source.ts';

export interface EncoderFileOptions {
  /** How it takes pixels where the file does not say. */
  readonly pixels: InputContract;
  readonly licence: string;
  /** Folder for the graph that is made of it. */
  readonly scratch: string;
}

/** An encoder that is a file and in no manifest. Throws MODEL_MISSING, and MODEL_UNSUPPORTED, which says what does not fit. */
export async function encoderFile(file: string, { pixels, licence, scratch }: EncoderFileOptions): Promise<GraphFiles> {
  const onnx = await readFile(file).catch((error: unknown) => {
    throw new EyelineError('MODEL_MISSING', `${file} cannot be read: ${messageOf(error)}`, { cause: error });
  });
  const hash = sha256(new Uint8Array(onnx));
  let contract: ReturnType<typeof readContract>;
  try {
    contract = readContract(new Uint8Array(onnx), pixels);
  } catch (error) {
    throw new EyelineError('MODEL_UNSUPPORTED', `${file}: ${messageOf(error)}`, { cause: error });
  }
  const entry: ModelEntry = {
    id: file,
    role: 'encoder',
    source: parseSource(`file:${file}`, '.'),
    sha256: hash,
    licence,
    description: '',
    ...contract,
  };
  const path = join(scratch, `${hash.slice(0, 16)}.onnx`);
  await writeFile(path, prepareGraph(new Uint8Array(onnx), entry));
  return { entry: () => entry, file: async () => path };
}
