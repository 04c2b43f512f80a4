import { readFile } from 'node:fs/promises';
import { decodeModel, encodeModel } from './graph/onnx-proto.ts';
import { splitPrelus } from './graph/prelu.ts';

/**
 * A prepared graph as the CPU provider runs it fastest; the numbers stay the same. A GPU runs it as it is.
 *
 * @param path of the prepared graph
 * @param arch of the processor, as `process.arch` has it: measured on x64 alone, elsewhere nothing is changed
 * @returns the path itself where there is nothing to change
 */
export async function cpuGraph(path: string, arch: string = process.arch): Promise<string | Uint8Array> {
  if (arch !== 'x64') return path;
  const model = decodeModel(await readFile(path));
  return splitPrelus(model.graph) > 0 ? encodeModel(model) : path;
}
