import type { EvaluateGraph } from '../check-graph.ts';
import type { InputContract } from '../manifest.ts';
import { decodeModel, encodeModel, ONNX_TYPE, type OnnxGraph, type OnnxNode } from './onnx-proto.ts';
import { BATCH } from './pixel-input.ts';

/** A graph cut off where it still has rows and columns. */
export interface FeatureMapGraph {
  readonly graph: Uint8Array;
  /** Its only output. */
  readonly output: {
    readonly name: string;
    readonly shape: readonly [channels: number, rows: number, columns: number];
  };
}

/** Layers of a convolutional network whose results are of FLOAT whatever else a graph computes. */
const LAYERS = new Set(['Conv', 'PRelu', 'Relu', 'LeakyRelu', 'BatchNormalization']);

/**
 * Makes the last feature map of a prepared graph its only output: the last result of a layer that has more than one row and
 * column. Which that is, shows when all of them are computed once.
 *
 * Throws a plain Error when there is none.
 */
export async function cutToFeatureMap(
  prepared: Uint8Array,
  { width, height, channels }: Pick<InputContract, 'width' | 'height' | 'channels'>,
  evaluate: EvaluateGraph,
): Promise<FeatureMapGraph> {
  const model = decodeModel(prepared);
  const names = model.graph.node.filter(({ opType }) => LAYERS.has(opType)).flatMap(({ output }) => output.slice(0, 1));
  const probe = decodeModel(prepared);
  probe.graph.output = names.map((name) => ({ name, type: { tensorType: { elemType: ONNX_TYPE.float } } }));
  const black = new Uint8Array(width * height * channels);
  const results = await evaluate(encodeModel(probe), {
    type: 'uint8',
    data: black,
    shape: [1, height, width, channels],
  });
  for (const name of names.reverse()) {
    const [, depth, rows, columns, ...more] = results[name]?.shape ?? [];
    if (depth === undefined || rows === undefined || columns === undefined || more.length > 0) continue;
    if (rows < 2 || columns < 2) continue;
    const dim = [{ dimParam: BATCH }, ...[depth, rows, columns].map((dimValue) => ({ dimValue }))];
    model.graph.output = [{ name, type: { tensorType: { elemType: ONNX_TYPE.float, shape: { dim } } } }];
    dropUnused(model.graph);
    return { graph: encodeModel(model), output: { name, shape: [depth, rows, columns] } };
  }
  throw new Error('no layer of it has rows and columns');
}

/** Removes nodes and weights that no output needs. */
function dropUnused(graph: OnnxGraph): void {
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
