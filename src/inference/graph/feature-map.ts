import type { EvaluateGraph } from '../check-graph.ts';
import type { InputContract } from '../manifest.ts';
import { dropUnused } from './drop-unused.ts';
import { decodeModel, encodeModel, ONNX_TYPE } from './onnx-proto.ts';
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
