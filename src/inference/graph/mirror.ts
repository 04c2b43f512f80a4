import { nodeBuilder } from './node-builder.ts';
import type { OnnxGraph } from './onnx-proto.ts';
import type { Layout } from './pixel-input.ts';

/**
 * Makes a graph look at every picture twice, as it is and mirrored left to right, and give the mean of both answers. A face and
 * its mirror image are the same person: what differs between the two embeddings is noise, and the mean has less of it.
 *
 * @param floatInput name of the graph's input, whose batch is free
 * @param width      of the input, pixels
 * @param output     its only output: name, and shape of one picture's
 */
export function lookTwice(
  graph: OnnxGraph,
  {
    floatInput,
    layout,
    width,
    output,
  }: {
    readonly floatInput: string;
    readonly layout: Layout;
    readonly width: number;
    readonly output: { readonly name: string; readonly shape: readonly number[] };
  },
): void {
  const before = nodeBuilder(graph, 'mirror');
  const columns = before.int64s(Array.from({ length: width }, (_, column) => width - 1 - column));
  const mirrored = before.op('Gather', [floatInput, columns], { axis: layout === 'nchw' ? 3 : 2 });
  const both = before.op('Concat', [floatInput, mirrored], { axis: 0 });
  const answers = `${both}_${output.name}`;
  for (const node of graph.node) {
    node.input = node.input.map((name) => (name === floatInput ? both : name === output.name ? answers : name));
    node.output = node.output.map((name) => (name === output.name ? answers : name));
  }
  // Operators whose meaning is the same in every version: no Split, no ReduceMean.
  const after = nodeBuilder({ ...graph, node: [...graph.node, ...before.nodes] }, 'mean');
  const paired = after.op('Reshape', [answers, after.int64s([2, -1, ...output.shape])]);
  const [first, second] = [0, 1].map((at) => after.op('Gather', [paired, after.int64s([at], [])], { axis: 0 }));
  const sum = after.op('Add', [first ?? '', second ?? '']);
  after.op('Mul', [sum, after.floats([0.5], [])]);
  const last = after.nodes.at(-1);
  if (last) last.output = [output.name];
  graph.node = [...before.nodes, ...graph.node, ...after.nodes];
}
