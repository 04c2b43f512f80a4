import type { OperatorGraph } from '../operator.ts';
import { sizeOf } from '../shapes.ts';
import { reshape, slice, sum, transpose, transposed } from '../shorthand.ts';
import { attributesOf } from '../window.ts';
import type { ConvolutionParts } from './convolution.ts';

/** The gradient by the kernel of a convolution. */
export function gradientByKernel(graph: OperatorGraph, parts: ConvolutionParts, g: string): string {
  const { kernel, group, depthwise } = parts;
  const shape = graph.shapeOf(kernel);
  if (depthwise) return reshape(graph, ofDepthwise(graph, parts, g), shape);
  if (group === 1) return reshape(graph, ofGroup(graph, parts, parts.x, g), shape);
  const part = (it: string, index: number) => {
    const size = (graph.shapeOf(it)[1] ?? 0) / group;
    return slice(graph, it, { axes: [1], starts: [index * size], ends: [(index + 1) * size] });
  };
  const groups = Array.from({ length: group }, (_, index) =>
    ofGroup(graph, parts, part(parts.x, index), part(g, index)),
  );
  return reshape(graph, graph.op('Concat', groups, { axis: 0 }), shape);
}

/**
 * filters x (channels kernel rows kernel columns): the product of the output's gradient with the patches the window saw
 * (im2col), written as slices. The patches lie picture by picture, or, where that moves fewer numbers, all side by side.
 */
function ofGroup(
  graph: OperatorGraph,
  { window, output, batch, rows, columns }: ConvolutionParts,
  x: string,
  g: string,
): string {
  const [channels, filters] = [graph.shapeOf(x)[1] ?? 1, graph.shapeOf(g)[1] ?? 1];
  const pixels = sizeOf(output);
  const taps = sizeOf(window.kernel);
  const sideBySide = filters * channels * taps > channels * rows * columns + filters * pixels;
  const [first, second] = sideBySide ? [channels, batch] : [batch, channels];
  const around = window.pads.some((pad) => pad > 0)
    ? graph.op('Pad', [
        sideBySide ? transpose(graph, x, [1, 0, 2, 3]) : x,
        graph.int64s([0, 0, window.pads[0], window.pads[1], 0, 0, window.pads[2], window.pads[3]]),
      ])
    : sideBySide
      ? transpose(graph, x, [1, 0, 2, 3])
      : x;
  const patch = (row: number, column: number) => {
    const starts = [row * window.dilations[0], column * window.dilations[1]];
    const ends = starts.map((start, axis) => start + ((output[axis] ?? 1) - 1) * (window.strides[axis] ?? 1) + 1);
    return slice(graph, around, { axes: [2, 3], starts, ends, steps: window.strides });
  };
  const [height, width] = window.kernel;
  const patches = Array.from({ length: taps }, (_, index) => patch(Math.floor(index / width), index % width));
  if (height * width !== patches.length) throw new Error('a kernel without places');
  if (sideBySide) {
    const laid = patches.map((it) => reshape(graph, it, [first, 1, second * pixels]));
    const matrix = reshape(graph, graph.op('Concat', laid, { axis: 1 }), [channels * taps, batch * pixels]);
    const gradients = reshape(graph, transpose(graph, g, [1, 0, 2, 3]), [filters, batch * pixels]);
    return graph.op('Gemm', [gradients, matrix], { transB: 1 });
  }
  const laid = patches.map((it) => reshape(graph, it, [first, second, 1, pixels]));
  const matrix = reshape(graph, graph.op('Concat', laid, { axis: 2 }), [batch, channels * taps, pixels]);
  return sum(graph, graph.op('MatMul', [reshape(graph, g, [batch, filters, pixels]), transposed(graph, matrix)]), [0]);
}

/** As in the blocked layout (blocked-convolution.ts), with ONNX's own Conv. */
function ofDepthwise(
  graph: OperatorGraph,
  { x, window, batch, channels, rows, columns, output }: ConvolutionParts,
  g: string,
): string {
  const many = batch * channels;
  const swapped = { kernel: output, strides: window.dilations, dilations: window.strides, pads: window.pads } as const;
  const sums = graph.op(
    'Conv',
    [reshape(graph, x, [1, many, rows, columns]), reshape(graph, g, [many, 1, ...output])],
    {
      ...attributesOf(swapped),
      group: many,
    },
  );
  const apiece = reshape(graph, sums, [batch, channels, ...graph.shapeOf(sums).slice(2)]);
  const [height, width] = window.kernel;
  return slice(graph, sum(graph, apiece, [0]), { axes: [1, 2], starts: [0, 0], ends: [height, width] });
}
