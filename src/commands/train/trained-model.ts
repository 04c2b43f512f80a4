import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../../inference/files.ts';
import { prepareGraph } from '../../inference/graph/prepare.ts';
import type { ModelEntry } from '../../inference/manifest.ts';
import type { GraphFiles } from '../../inference/onnxruntime-model.ts';
import { writable } from '../../training/writable.ts';

/**
 * A model a run trained, as if it were in the manifest in place of the one it was trained from. Throws MODEL_UNSUPPORTED when
 * it does not fit that one's contract, and OUTPUT_UNWRITABLE.
 *
 * @param scratch folder for the graph that is made of it
 */
export async function trainedModel(file: string, like: ModelEntry, scratch: string): Promise<GraphFiles> {
  const onnx = new Uint8Array(await readFile(file));
  const entry = { ...like, sha256: sha256(onnx) };
  const path = join(scratch, `${like.id}.${entry.sha256.slice(0, 16)}.onnx`);
  const graph = prepareGraph(onnx, entry);
  await writable(scratch, () => writeFile(path, graph));
  return { entry: () => entry, file: async () => path };
}
