import {
  inputOf,
  numberOf,
  type Operator,
  type OperatorGraph,
  type OperatorNode,
  type TensorInfo,
} from '../operator.ts';
import { sizeOf } from '../shapes.ts';
import { reshape, slice, sum } from '../shorthand.ts';
import { attributesOf, outputSize, type Window, windowOf } from '../window.ts';
import { blockedConvolution, blockedKernelGradient } from './blocked-convolution.ts';
import { gradientByInput } from './convolution-input-gradient.ts';
import { gradientByKernel } from './convolution-kernel-gradient.ts';

/** A convolution of batch x channels x rows x columns, with everything about it worked out. */
export interface ConvolutionParts {
  readonly x: string;
  readonly kernel: string;
  readonly bias: string | undefined;
  readonly window: Window;
  readonly group: number;
  readonly batch: number;
  readonly channels: number;
  readonly rows: number;
  readonly columns: number;
  readonly filters: number;
  /** Rows and columns of what comes out. */
  readonly output: readonly [number, number];
  /** Each channel has a filter of its own. */
  readonly depthwise: boolean;
}

export function convolutionParts(
  graph: OperatorGraph,
  node: Pick<OperatorNode, 'inputs' | 'attributes'>,
): ConvolutionParts {
  const [x, kernel] = [inputOf(node, 0), inputOf(node, 1)];
  const shape = graph.shapeOf(x);
  const [filters = 1, perGroup = 1, ...size] = graph.shapeOf(kernel);
  const window = windowOf(node.attributes, shape, size);
  const [batch = 1, channels = 1, rows = 1, columns = 1] = shape;
  const group = numberOf(node.attributes, 'group', 1);
  if (perGroup * group !== channels) throw new Error(`its filters take ${perGroup * group} channels, not ${channels}`);
  const output = outputSize(window, shape);
  const depthwise = group === channels && filters === channels;
  const bias = node.inputs[2] || undefined;
  return { x, kernel, bias, window, group, batch, channels, rows, columns, filters, output, depthwise };
}

/**
 * Convolutions are written in the form that runs fastest with weights that are no constants (ONNX Runtime chooses its own
 * forms only for constants): 1 x 1 as matrix products, depthwise in the blocked layout, a kernel as large as the picture as
 * what it is, a weighted sum. docs/decisions/0009-training-as-onnx-graphs.md has the figures.
 */
export const convolution: Readonly<Record<string, Operator>> = {
  Conv: {
    lower: (graph, node) => {
      const parts = convolutionParts(graph, node);
      const { window, group, depthwise, rows, columns } = parts;
      const padded = window.pads.some((pad) => pad !== 0);
      if (padded) return null;
      const [height, width] = window.kernel;
      if (height === 1 && width === 1 && group === 1) return pointwise(graph, parts);
      if (height === rows && width === columns && (group === 1 || depthwise)) return wholePicture(graph, parts);
      return null;
    },
    infer: (graph, node): TensorInfo => {
      const { batch, filters, output } = convolutionParts(graph, node);
      return { type: 'float32', shape: [batch, filters, ...output] };
    },
    emit: (graph, node) => {
      const parts = convolutionParts(graph, node);
      if (canBlock(graph, parts)) return blockedConvolution(graph, parts);
      const { batch, filters, output, window, group } = parts;
      const info: TensorInfo = { type: 'float32', shape: [batch, filters, ...output] };
      const attributes = { ...attributesOf(window), group };
      return graph.raw('Conv', node.inputs.filter(Boolean), [info], { attributes })[0] ?? '';
    },
    gradient: (graph, node, g, wanted) => {
      const parts = convolutionParts(graph, node);
      const byKernel = () =>
        canBlock(graph, parts) ? blockedKernelGradient(graph, parts, g) : gradientByKernel(graph, parts, g);
      return [
        wanted[0] ? gradientByInput(graph, parts, g) : null,
        wanted[1] ? byKernel() : null,
        wanted[2] ? sum(graph, g, [0, 2, 3]) : null,
      ];
    },
  },
};

function canBlock({ block }: OperatorGraph, { depthwise, channels }: ConvolutionParts): boolean {
  return block !== null && depthwise && channels % block === 0;
}

/** A 1 x 1 convolution: one matrix times the pixels of each picture. */
function pointwise(
  graph: OperatorGraph,
  { x, kernel, bias, window, batch, channels, filters, output }: ConvolutionParts,
): string {
  const [rowStep, columnStep] = window.strides;
  const ends = graph.shapeOf(x).slice(2);
  const seen =
    rowStep === 1 && columnStep === 1
      ? x
      : slice(graph, x, { axes: [2, 3], starts: [0, 0], ends, steps: [rowStep, columnStep] });
  const matrix = reshape(graph, kernel, [filters, channels]);
  const pixels = sizeOf(output);
  if (pixels === 1) {
    const flat = reshape(graph, seen, [batch, channels]);
    const result = graph.op('Gemm', bias ? [flat, matrix, bias] : [flat, matrix], { transB: 1 });
    return reshape(graph, result, [batch, filters, ...output]);
  }
  const product = graph.op('MatMul', [matrix, reshape(graph, seen, [batch, channels, pixels])]);
  const result = bias ? graph.op('Add', [product, reshape(graph, bias, [filters, 1])]) : product;
  return reshape(graph, result, [batch, filters, ...output]);
}

/** A kernel that covers the whole picture: a matrix product, or, depthwise, a weighted sum of each channel. */
function wholePicture(
  graph: OperatorGraph,
  { x, kernel, bias, group, batch, channels, rows, columns, filters }: ConvolutionParts,
): string {
  if (group === 1) {
    const inner = channels * rows * columns;
    const [flat, matrix] = [reshape(graph, x, [batch, inner]), reshape(graph, kernel, [filters, inner])];
    const result = graph.op('Gemm', bias ? [flat, matrix, bias] : [flat, matrix], { transB: 1 });
    return reshape(graph, result, [batch, filters, 1, 1]);
  }
  const weighted = graph.op('Mul', [x, reshape(graph, kernel, [channels, rows, columns])]);
  const result = sum(graph, weighted, [2, 3], 1);
  return bias ? graph.op('Add', [result, reshape(graph, bias, [channels, 1, 1])]) : result;
}
