import { constant, node } from './nodes.ts';
import type { OnnxGraph, OnnxNode, OnnxTensor } from './onnx-proto.ts';
import { floatTensor, int32Tensor, int64Tensor } from './tensor-values.ts';

/** Adds nodes one after another, each under a name nothing else in the graph has; gives the name of what it computes. */
export interface NodeBuilder {
  readonly nodes: readonly OnnxNode[];
  op(opType: string, inputs: readonly string[], attributes?: Parameters<typeof node>[3]): string;
  /** Constants; a list without `dims` has one dimension. */
  floats(values: readonly number[], dims?: readonly number[]): string;
  int32s(values: readonly number[], dims?: readonly number[]): string;
  int64s(values: readonly number[], dims?: readonly number[]): string;
}

/** A builder of nodes for `graph`, which it leaves as it is. Names begin with `wanted`, or with that and a number. */
export function nodeBuilder(graph: OnnxGraph, wanted: string): NodeBuilder {
  const prefix = freePrefix(graph, wanted);
  const nodes: OnnxNode[] = [];
  const name = (kind: string) => `${prefix}_${nodes.length}_${kind.toLowerCase()}`;
  const fixed = (tensor: OnnxTensor, dims: readonly number[] | undefined) => {
    const output = name('constant');
    nodes.push(constant({ ...tensor, dims: dims ? [...dims] : tensor.dims, name: output }));
    return output;
  };
  return {
    nodes,
    op: (opType, inputs, attributes) => {
      const output = name(opType);
      nodes.push(node(opType, inputs, output, attributes));
      return output;
    },
    floats: (values, dims) => fixed(floatTensor('', [values.length], values), dims),
    int32s: (values, dims) => fixed(int32Tensor('', values), dims),
    int64s: (values, dims) => fixed(int64Tensor('', values), dims),
  };
}

function freePrefix(graph: OnnxGraph, wanted: string): string {
  const names = [
    ...[...graph.input, ...graph.output, ...graph.initializer].map((it) => it.name ?? ''),
    ...graph.node.flatMap(({ input, name, output }) => [...input, name ?? '', ...output]),
  ];
  let prefix = wanted;
  for (let count = 1; names.some((it) => it.startsWith(`${prefix}_`)); count++) prefix = `${wanted}${count}`;
  return prefix;
}
