import type { OnnxGraph, OnnxNode } from './onnx-proto.ts';

/** Removes nodes and weights that no output needs. */
export function dropUnused(graph: OnnxGraph): void {
  const needed = new Set(graph.output.map(({ name }) => name));
  const kept: OnnxNode[] = [];
  // Nodes come after what they use.
  for (const node of [...graph.node].reverse()) {
    if (!node.output.some((name) => needed.has(name))) continue;
    for (const name of node.input) needed.add(name);
    kept.unshift(node);
  }
  const weights = new Set(graph.initializer.map(({ name }) => name));
  graph.node = kept;
  graph.initializer = graph.initializer.filter(({ name }) => name !== undefined && needed.has(name));
  // Files before IR version 4 list the weights as inputs too.
  graph.input = graph.input.filter(({ name }) => !weights.has(name) || needed.has(name));
}
