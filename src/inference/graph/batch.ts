import { constant, constantTensors, freeName } from './nodes.ts';
import type { OnnxGraph, OnnxNode } from './onnx-proto.ts';
import { int64Tensor, int64Values } from './tensor-values.ts';

/**
 * Lets reshapes that an exporter fixed to a batch of one take any batch.
 *
 * A Reshape of something computed from the pixels to a constant shape whose first number is 1 gets -1 there (the rest
 * is known, so the batch follows) or, where -1 stands elsewhere already, 0 (keep the first dimension of what comes in).
 * Reshapes of weights stay as they are. A graph that fixes the batch in another way is left alone; it fails when the
 * prepared graph is tried out (check-graph.ts).
 *
 * @param pixelInput name of the graph's input
 */
export function freeBatchInReshapes(graph: OnnxGraph, pixelInput: string): void {
  const constants = constantTensors(graph);
  const computed = new Set([pixelInput]);
  const nodes: OnnxNode[] = [];
  for (const it of graph.node) {
    if (it.input.some((name) => computed.has(name))) for (const name of it.output) computed.add(name);
    const [data, shape, ...rest] = it.input;
    const fixed = shape === undefined ? undefined : constants.get(shape);
    const wanted =
      it.opType === 'Reshape' && data !== undefined && computed.has(data) && fixed ? int64Values(fixed) : null;
    const freed = wanted && freeBatch(wanted);
    if (!freed || data === undefined) {
      nodes.push(it);
      continue;
    }
    const name = freeName({ ...graph, node: [...graph.node, ...nodes] }, `${it.output[0]}_batch_shape`);
    nodes.push(constant({ ...int64Tensor(name, freed), name }));
    it.input = [data, name, ...rest];
    nodes.push(it);
  }
  graph.node = nodes;
}

/** The same shape for any batch, or null when it holds no batch of one. */
export function freeBatch(shape: readonly number[]): number[] | null {
  const [batch, ...picture] = shape;
  if (batch !== 1 || picture.length === 0) return null;
  return [picture.some((size) => size <= 0) ? 0 : -1, ...picture];
}
