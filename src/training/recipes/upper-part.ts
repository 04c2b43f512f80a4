import { decodeModel, encodeModel, type OnnxNode, type OnnxTensor } from '../../inference/graph/onnx-proto.ts';
import { toNumber } from '../../inference/graph/tensor-values.ts';

/**
 * Makes of an encoder for whole aligned faces one for their upper rows: convolutions slide over fewer rows as they are; one whose
 * kernel spans the whole height of the last feature map (MobileFaceNet's global depthwise convolution) keeps its upper rows.
 *
 * @param height of the picture the model takes
 * @param rows   of it that are left, from the top
 * Throws a plain Error when nothing in the model is as high as its last feature map.
 */
export function keepUpperRows(onnx: Uint8Array, height: number, rows: number): Uint8Array {
  if (rows === height) return onnx;
  const model = decodeModel(onnx);
  const { graph } = model;
  const weights = new Map(graph.initializer.map((tensor) => [tensor.name ?? '', tensor]));
  let cutAny = false;
  let above = height;
  let left = rows;
  for (const node of graph.node) {
    if (node.opType !== 'Conv') continue;
    const kernel = weights.get(node.input[1] ?? '');
    const kernelRows = toNumber(kernel?.dims[2]);
    const pads = intsOf(node, 'pads');
    if (kernel && kernelRows === above && kernelRows > 1 && (pads[0] ?? 0) === 0) {
      cutKernel(kernel, left);
      setKernelRows(node, left);
      cutAny = true;
      above = 1;
      left = 1;
    } else {
      const stride = intsOf(node, 'strides')[0] ?? 1;
      above = Math.ceil(above / stride);
      left = Math.ceil(left / stride);
    }
  }
  if (!cutAny) throw new Error('no convolution spans the whole height of the last feature map');
  for (const { name, type } of graph.input) {
    const dims = type?.tensorType?.shape?.dim;
    if (!weights.has(name ?? '') && dims?.[2]) dims[2].dimValue = rows;
  }
  // Shapes of what is computed inside were those of the whole face.
  graph.valueInfo = [];
  return encodeModel(model);
}

function intsOf(node: OnnxNode, name: string): number[] {
  return (node.attribute?.find((it) => it.name === name)?.ints ?? []).map(toNumber);
}

function setKernelRows(node: OnnxNode, rows: number): void {
  const shape = node.attribute?.find(({ name }) => name === 'kernel_shape');
  if (shape) shape.ints = [rows, ...(shape.ints ?? []).slice(1)];
}

/** Keeps the first rows of a convolution's kernel [out, in, rows, columns]. */
function cutKernel(kernel: OnnxTensor, rows: number): void {
  const [out = 0, into = 0, before = 0, columns = 0] = kernel.dims.map(toNumber);
  if (!kernel.rawData) throw new Error('a kernel has no raw data');
  const row = columns * 4;
  const cut = new Uint8Array(out * into * rows * row);
  for (let plane = 0; plane < out * into; plane++) {
    const from = plane * before * row;
    cut.set(kernel.rawData.subarray(from, from + rows * row), plane * rows * row);
  }
  kernel.rawData = cut;
  kernel.dims = [out, into, rows, columns];
}
