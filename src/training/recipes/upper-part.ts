import {
  decodeModel,
  encodeModel,
  type OnnxGraph,
  type OnnxNode,
  type OnnxTensor,
} from '../../inference/graph/onnx-proto.ts';
import { toNumber } from '../../inference/graph/tensor-values.ts';

/** The convolution whose kernel spans the whole height of the last feature map: MobileFaceNet's global depthwise one. */
interface Spanning {
  readonly node: OnnxNode;
  /** What it convolves. */
  readonly map: string;
  /** Rows of the map, and how many of them are left. */
  readonly rows: number;
  readonly left: number;
}

/**
 * The last feature map of an encoder for whole aligned faces.
 *
 * @param height of the picture the model takes
 * Throws a plain Error when no convolution spans the whole height of a map.
 */
export function lastMap(onnx: Uint8Array, height: number): string {
  return spanning(decodeModel(onnx).graph, height, height).map;
}

/**
 * Makes of an encoder for whole aligned faces one for their upper rows. Convolutions slide over fewer rows as they are; the one
 * whose kernel spans the whole last feature map keeps its upper rows, and what the others would have added of a face whose
 * lower part is blank goes into its bias: so the model begins as the whole one does on faces that are blank below.
 *
 * @param height of the picture the model takes
 * @param rows   of it that are left, from the top
 * @param blank  the last feature map of faces that are blank below, their mean: channels, rows, columns
 * Throws a plain Error when no convolution spans the whole height of the last feature map.
 */
export function keepUpperRows(onnx: Uint8Array, height: number, rows: number, blank: Float32Array): Uint8Array {
  if (rows === height) return onnx;
  const model = decodeModel(onnx);
  const { graph } = model;
  const { node, rows: before, left } = spanning(graph, height, rows);
  const kernel = weightOf(graph, node.input[1]);
  const bias = weightOf(graph, node.input[2]);
  addLostRows(floatsOf(bias), floatsOf(kernel), blank, { before, left });
  cutKernel(kernel, left);
  const shape = node.attribute?.find(({ name }) => name === 'kernel_shape');
  if (shape) shape.ints = [left, ...(shape.ints ?? []).slice(1)];
  const weights = new Set(graph.initializer.map(({ name }) => name));
  for (const { name, type } of graph.input) {
    const dims = type?.tensorType?.shape?.dim;
    if (!weights.has(name) && dims?.[2]) dims[2].dimValue = rows;
  }
  // Shapes of what is computed inside were those of the whole face.
  graph.valueInfo = [];
  return encodeModel(model);
}

function spanning(graph: OnnxGraph, height: number, rows: number): Spanning {
  const weights = new Map(graph.initializer.map((tensor) => [tensor.name ?? '', tensor]));
  let above = height;
  let left = rows;
  for (const node of graph.node) {
    const kernel = node.opType === 'Conv' ? weights.get(node.input[1] ?? '') : undefined;
    if (!kernel) continue;
    const kernelRows = toNumber(kernel.dims[2]);
    if (kernelRows === above && kernelRows > 1 && (intsOf(node, 'pads')[0] ?? 0) === 0) {
      return { node, map: node.input[0] ?? '', rows: above, left };
    }
    const stride = intsOf(node, 'strides')[0] ?? 1;
    above = Math.ceil(above / stride);
    left = Math.ceil(left / stride);
  }
  throw new Error('no convolution spans the whole height of the last feature map');
}

function intsOf(node: OnnxNode, name: string): number[] {
  return (node.attribute?.find((it) => it.name === name)?.ints ?? []).map(toNumber);
}

function weightOf({ initializer }: OnnxGraph, name: string | undefined): OnnxTensor {
  const tensor = initializer.find((it) => it.name === name);
  if (!tensor) throw new Error('the convolution over the last feature map lacks a kernel or a bias');
  return tensor;
}

/** The numbers of a tensor, which holds them itself from now on. */
function floatsOf(tensor: OnnxTensor): Float32Array {
  if (!tensor.rawData) throw new Error('a weight has no raw data');
  const numbers = new Float32Array(new Uint8Array(tensor.rawData).buffer);
  tensor.rawData = new Uint8Array(numbers.buffer);
  return numbers;
}

function addLostRows(
  bias: Float32Array,
  kernel: Float32Array,
  blank: Float32Array,
  { before, left }: { before: number; left: number },
): void {
  const plane = kernel.length / bias.length;
  if (blank.length !== kernel.length) throw new Error('the last feature map is not convolved channel by channel');
  const columns = plane / before;
  for (let channel = 0; channel < bias.length; channel++) {
    for (let at = channel * plane + left * columns; at < (channel + 1) * plane; at++) {
      bias[channel] = (bias[channel] ?? 0) + (kernel[at] ?? 0) * (blank[at] ?? 0);
    }
  }
}

/** Keeps the first rows of a convolution's kernel [out, in, rows, columns]. */
function cutKernel(kernel: OnnxTensor, rows: number): void {
  const [out = 0, into = 0, before = 0, columns = 0] = kernel.dims.map(toNumber);
  const bytes = kernel.rawData ?? new Uint8Array();
  const row = columns * 4;
  const cut = new Uint8Array(out * into * rows * row);
  for (let plane = 0; plane < out * into; plane++) {
    const from = plane * before * row;
    cut.set(bytes.subarray(from, from + rows * row), plane * rows * row);
  }
  kernel.rawData = cut;
  kernel.dims = [out, into, rows, columns];
}
