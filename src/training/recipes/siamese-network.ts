import { normalNumbers, seededRandom } from '../../core/seeded-random.ts';
import { blockBounds, UPPER_BLOCKS } from '../../faces/occlusion.ts';
import { dropUnused } from '../../inference/graph/drop-unused.ts';
import { constant, freeName, node } from '../../inference/graph/nodes.ts';
import {
  decodeModel,
  encodeModel,
  ONNX_TYPE,
  type OnnxGraph,
  type OnnxNode,
} from '../../inference/graph/onnx-proto.ts';
import { opsetOf } from '../../inference/graph/prepare.ts';
import { floatTensor, int64Tensor, toNumber } from '../../inference/graph/tensor-values.ts';
import { describeEncoder } from '../../inference/model-contract.ts';

/** Output of a siamese network. */
export const EMBEDDING = 'embedding';
/** Where axes of a reduction became an input. */
const AXES_AS_INPUT = 18;

/**
 * Puts what the network sees into its file: of an aligned RGB crop, 0..255, the upper blocks alone, less their mean and divided
 * by their deviation (`standardise` of occlusion.ts), and zeros below. Whoever runs the file gives it the plain crop.
 *
 * @param side rows and columns of the crop
 * Throws a plain Error when the network has not one FLOAT input of n x 3 x rows x columns.
 */
export function seeUpperBlocks(onnx: Uint8Array, side: number): Uint8Array {
  const model = decodeModel(onnx);
  const { graph } = model;
  const input = pictureInput(graph, side);
  const { y, height } = blockBounds(UPPER_BLOCKS.last, { width: side, height: side });
  const rows = y + height;
  const seen = Float32Array.from({ length: side }, (_, row) => (row < rows ? 1 : 0));
  const name = (wanted: string) => freeName(graph, wanted);
  const names = {
    kept: name('upper_blocks'),
    mask: name('upper_mask'),
    share: name('upper_share'),
    least: name('least_deviation'),
    output: name('standardised'),
  };
  const fixed: readonly OnnxNode[] = [
    constant({ ...floatTensor(names.mask, [1, 1, side, 1], seen), name: names.mask }),
    constant({ ...floatTensor(names.share, [], [side / rows]), name: names.share }),
    constant({ ...floatTensor(names.least, [], [1 / Math.sqrt(3 * rows * side)]), name: names.least }),
  ];
  const added: OnnxNode[] = [...fixed];
  const op = (opType: string, inputs: readonly string[], output: string) => {
    added.push(node(opType, inputs, output));
    return output;
  };
  /** Mean over the upper part of what is zero below it. */
  const mean = (x: string, output: string) => {
    const whole = name(`${output}_of_all`);
    if (opsetOf(model) >= AXES_AS_INPUT) {
      const axes = name(`${output}_axes`);
      added.push(constant({ ...int64Tensor(axes, [1, 2, 3]), name: axes }));
      added.push(node('ReduceMean', [x, axes], whole, { keepdims: 1 }));
    } else added.push(node('ReduceMean', [x], whole, { axes: [1, 2, 3], keepdims: 1 }));
    return op('Mul', [whole, names.share], output);
  };
  op('Mul', [input, names.mask], names.kept);
  const average = mean(names.kept, name('upper_mean'));
  const around = op('Sub', [input, average], name('around_mean'));
  const centred = op('Mul', [around, names.mask], name('centred'));
  const variance = mean(op('Mul', [centred, centred], name('squares')), name('variance'));
  const deviation = op('Sqrt', [variance], name('deviation'));
  op('Div', [centred, op('Max', [deviation, names.least], name('divisor'))], names.output);
  for (const it of graph.node) it.input = it.input.map((from) => (from === input ? names.output : from));
  graph.node = [...added, ...graph.node];
  graph.valueInfo = [];
  describeEncoder(model, { mean: [0, 0, 0], scale: [1, 1, 1], colour: 'rgb', part: 'upper' });
  return encodeModel(model);
}

/**
 * A classifier's body with a new last layer, He et al. 2015, that gives embeddings: its last matrix, and what comes after, go.
 *
 * Throws a plain Error when it has no such layer.
 */
export function withEmbedding(onnx: Uint8Array, embedding: number, seed: number): Uint8Array {
  const model = decodeModel(onnx);
  const { graph } = model;
  const weights = new Map(graph.initializer.map((tensor) => [tensor.name ?? '', tensor]));
  const last = graph.node.findLast(
    ({ opType, input }) => (opType === 'Gemm' || opType === 'MatMul') && weights.has(input[1] ?? ''),
  );
  const matrix = last && weights.get(last.input[1] ?? '');
  if (!last || !matrix) throw new Error('the network has no fully connected layer to replace');
  const turned = last.attribute?.some(({ name, i }) => name === 'transB' && toNumber(i) === 1) ?? false;
  const width = toNumber(matrix.dims[turned ? 1 : 0]);
  const features = last.input[0] ?? '';
  // The classifier goes before names are given: its output may have the one that is wanted.
  graph.output = [{ name: features }];
  dropUnused(graph);
  graph.output = [];
  const [kernel, bias] = [freeName(graph, 'embedding.weight'), freeName(graph, 'embedding.bias')];
  if (freeName(graph, EMBEDDING) !== EMBEDDING) throw new Error(`the network has a tensor named ${EMBEDDING} already`);
  const normal = normalNumbers(seededRandom(seed));
  const deviation = Math.sqrt(1 / width);
  graph.initializer.push(
    floatTensor(
      kernel,
      [embedding, width],
      Float32Array.from({ length: embedding * width }, () => deviation * normal()),
    ),
    floatTensor(bias, [embedding], new Float32Array(embedding)),
  );
  graph.node.push(node('Gemm', [features, kernel, bias], EMBEDDING, { transB: 1 }));
  const dim = [{ dimParam: 'n' }, { dimValue: embedding }];
  graph.output = [{ name: EMBEDDING, type: { tensorType: { elemType: ONNX_TYPE.float, shape: { dim } } } }];
  graph.valueInfo = [];
  return encodeModel(model);
}

/** Name of the only input, which becomes n x 3 x side x side. */
function pictureInput(graph: OnnxGraph, side: number): string {
  const weights = new Set(graph.initializer.map(({ name }) => name));
  const [input, ...others] = graph.input.filter(({ name }) => !weights.has(name));
  const tensor = input?.type?.tensorType;
  const dims = tensor?.shape?.dim ?? [];
  if (!input || others.length > 0 || tensor?.elemType !== ONNX_TYPE.float || dims.length !== 4) {
    throw new Error('the network must have one FLOAT input: pictures, channels, rows, columns');
  }
  const channels = toNumber(dims[1]?.dimValue);
  if (channels !== 0 && channels !== 3) throw new Error(`the network takes ${channels} channels, not 3`);
  tensor.shape = { dim: [{ dimParam: 'n' }, ...[3, side, side].map((dimValue) => ({ dimValue }))] };
  return input.name;
}
