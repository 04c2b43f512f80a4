import type { OperatorGraph, TensorInfo } from '../operator.ts';
import { reshape, slice, sum } from '../shorthand.ts';
import { attributesOf } from '../window.ts';
import type { ConvolutionParts } from './convolution.ts';

/**
 * Depthwise convolutions in ONNX Runtime's blocked layout (NCHWc: channels in blocks of a vector register's width), written
 * out as it would write them itself, could it take weights that are no constants. Seven to fourteen times faster than its
 * plain form. Only for the CPU, and only where a trial run shows that it works (blocked-layout.ts).
 */
const DOMAIN = 'com.microsoft.nchwc';

/** A tensor n x channels x rows x columns in blocks; `shape` says how the blocked numbers are to be read. */
function blocked(graph: OperatorGraph, x: string, shape: readonly number[]): string {
  const info = graph.infoOf(x);
  const [ordered = ''] = graph.raw('ReorderInput', [x], [info], { domain: DOMAIN });
  return readAs(graph, ordered, shape);
}

function readAs(graph: OperatorGraph, x: string, shape: readonly number[]): string {
  return graph.shapeOf(x).join() === shape.join()
    ? x
    : (graph.raw('Reshape', [x, graph.int64s(shape)], [{ shape, type: 'float32' }])[0] ?? '');
}

function plain(graph: OperatorGraph, x: string): string {
  const info = graph.infoOf(x);
  return (
    graph.raw('ReorderOutput', [x], [info], { attributes: { channels: info.shape[1] ?? 1 }, domain: DOMAIN })[0] ?? ''
  );
}

export function blockedConvolution(graph: OperatorGraph, parts: ConvolutionParts): string {
  const { x, kernel, bias, window, batch, channels, output } = parts;
  const shape = graph.shapeOf(x);
  const [height, width] = window.kernel;
  // A kernel's blocks are those of a picture with its channels.
  const asPicture = graph.raw(
    'Reshape',
    [kernel, graph.int64s([1, channels, height, width])],
    [{ shape: [1, channels, height, width], type: 'float32' }],
  );
  const inputs = [blocked(graph, x, shape), blocked(graph, asPicture[0] ?? '', [channels, 1, height, width])];
  const info: TensorInfo = { type: 'float32', shape: [batch, channels, ...output] };
  const [y = ''] = graph.raw('Conv', bias ? [...inputs, bias] : inputs, [info], {
    attributes: { ...attributesOf(window), group: channels },
    domain: DOMAIN,
  });
  return plain(graph, y);
}

/**
 * The gradient by the kernel is a convolution of each picture with the gradient by the output as its kernel: batch and
 * channels read as so many channels of one picture. Stride and dilation change places.
 */
export function blockedKernelGradient(graph: OperatorGraph, parts: ConvolutionParts, g: string): string {
  const { x, kernel, window, batch, channels, rows, columns, output } = parts;
  const [height, width] = window.kernel;
  const many = batch * channels;
  const swapped = { kernel: output, strides: window.dilations, dilations: window.strides, pads: window.pads } as const;
  const along = (axis: 0 | 1, size: number) =>
    Math.floor(
      (size + window.pads[axis] + window.pads[axis === 0 ? 2 : 3] - (output[axis] - 1) * window.strides[axis] - 1) /
        window.dilations[axis],
    ) + 1;
  const sizes = [along(0, rows), along(1, columns)];
  const inputs = [blocked(graph, x, [1, many, rows, columns]), blocked(graph, g, [many, 1, ...output])];
  const [sums = ''] = graph.raw('Conv', inputs, [{ type: 'float32', shape: [1, many, ...sizes] }], {
    attributes: { ...attributesOf(swapped), group: many },
    domain: DOMAIN,
  });
  const ordered = plain(graph, sums);
  const apiece = reshape(graph, ordered, [batch, channels, ...sizes]);
  // Rows and columns the strides never reach give more places than the kernel has.
  const seen = slice(graph, sum(graph, apiece, [0]), { axes: [1, 2], starts: [0, 0], ends: [height, width] });
  return reshape(graph, seen, graph.shapeOf(kernel));
}
