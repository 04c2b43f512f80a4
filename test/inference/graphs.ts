import { constant, node } from '../../src/inference/graph/nodes.ts';
import { encodeModel, ONNX_TYPE, type OnnxNode } from '../../src/inference/graph/onnx-proto.ts';
import { floatTensor, int64Tensor } from '../../src/inference/graph/tensor-values.ts';
import { fingerprintOf, type ModelEntry } from '../../src/inference/manifest.ts';

/**
 * A small embedder as an exporter writes it for one picture: a matrix product of the flattened picture with known
 * weights, `shape` being what the flattening Reshape is fixed to.
 */
export function tinyEmbedder({
  input,
  flatten,
  outputs = 4,
  tail = [],
  opset = 13,
  output = 'embedding',
}: {
  input: readonly number[];
  flatten: readonly number[];
  outputs?: number;
  /** Nodes from `product` to `embedding`; without them the product is the embedding. */
  tail?: OnnxNode[];
  opset?: number;
  output?: string;
}): Uint8Array {
  const numbers = input.slice(1).reduce((product, size) => product * size, 1);
  const weights = Array.from({ length: numbers * outputs }, (_, index) => Math.sin(index + 1));
  const value = (name: string, sizes: readonly number[]) => ({
    name,
    type: { tensorType: { elemType: ONNX_TYPE.float, shape: { dim: sizes.map((dimValue) => ({ dimValue })) } } },
  });
  const last = tail.length > 0 ? 'product' : output;
  return encodeModel({
    irVersion: 7,
    opsetImport: [{ domain: '', version: opset }],
    graph: {
      name: 'tiny',
      node: [
        constant({ ...int64Tensor('flat_shape', flatten), name: 'flat_shape' }),
        node('Reshape', ['picture', 'flat_shape'], 'flat'),
        node('MatMul', ['flat', 'weights'], last),
        ...tail,
      ],
      initializer: [floatTensor('weights', [numbers, outputs], weights)],
      input: [value('picture', input)],
      output: [value(output, [1, outputs])],
      valueInfo: [value('flat', [1, numbers])],
    },
  });
}

/** A graph whose output is its input, flattened: what reaches the first layer of an encoder. */
export function passThrough(width: number, height: number, opset = 13): Uint8Array {
  const value = (name: string, sizes: readonly number[]) => ({
    name,
    type: { tensorType: { elemType: ONNX_TYPE.float, shape: { dim: sizes.map((dimValue) => ({ dimValue })) } } },
  });
  return encodeModel({
    irVersion: 7,
    opsetImport: [{ domain: '', version: opset }],
    graph: {
      name: 'through',
      node: [
        constant({ ...int64Tensor('flat_shape', [1, -1]), name: 'flat_shape' }),
        node('Reshape', ['picture', 'flat_shape'], 'embedding'),
      ],
      initializer: [],
      input: [value('picture', [1, height, width, 3])],
      output: [value('embedding', [1, width * height * 3])],
      valueInfo: [],
    },
  });
}

/** A manifest entry for `passThrough`: pixels go in as they are. */
export function passThroughEntry(width: number, height: number): ModelEntry {
  return tinyEntry({
    input: { width, height, channels: 3, colour: 'rgb', mean: [0, 0, 0], scale: [1, 1, 1] },
    outputs: [{ name: 'embedding', shape: [width * height * 3] }],
    embedding: width * height * 3,
  });
}

/** The embedding of one picture, computed here: `weights[i][j] = sin(i * outputs + j + 1)`. */
export function tinyEmbedding(picture: readonly number[], outputs = 4): number[] {
  return Array.from({ length: outputs }, (_, column) =>
    picture.reduce((sum, value, row) => sum + value * Math.sin(row * outputs + column + 1), 0),
  );
}

/** A manifest entry for `tinyEmbedder`. */
export function tinyEntry(changes: Partial<ModelEntry> = {}): ModelEntry {
  return {
    id: 'tiny',
    role: 'encoder',
    source: { kind: 'file', path: '/nowhere' },
    sha256: '0'.repeat(64),
    licence: 'MIT',
    description: '',
    input: { width: 8, height: 9, channels: 3, colour: 'rgb', mean: [10, 20, 30], scale: [0.5, 0.25, 0.125] },
    outputs: [{ name: 'embedding', shape: [4] }],
    embedding: 4,
    ...changes,
  };
}

/** `GraphFiles` of one file. */
export function filesOf(entry: ModelEntry, path: string) {
  return { entry: () => entry, file: async () => path, fingerprint: fingerprintOf(entry) };
}
