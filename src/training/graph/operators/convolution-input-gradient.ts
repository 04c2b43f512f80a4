import type { OperatorGraph } from '../operator.ts';
import { slice, transpose } from '../shorthand.ts';
import { attributesOf } from '../window.ts';
import type { ConvolutionParts } from './convolution.ts';
import { withZeros } from './indexing.ts';

/**
 * The gradient by the input: the gradient by the output, spread by the strides, convolved with the turned kernel. Where that
 * would need negative padding, or has groups that are not single channels, ONNX's ConvTranspose, which is slower.
 */
export function gradientByInput(graph: OperatorGraph, parts: ConvolutionParts, g: string): string {
  const { kernel, window, group, rows, columns, output, depthwise } = parts;
  const size = [rows, columns] as const;
  const pads = ([0, 1] as const).map((axis) => {
    const reach = (window.kernel[axis] - 1) * window.dilations[axis];
    const begin = reach - window.pads[axis];
    return [begin, size[axis] + reach - ((output[axis] - 1) * window.strides[axis] + 1) - begin] as const;
  });
  const [vertical = [0, 0], horizontal = [0, 0]] = pads;
  const all = [vertical[0], horizontal[0], vertical[1], horizontal[1]] as const;
  if ((group !== 1 && !depthwise) || all.some((pad) => pad < 0)) return byConvTranspose(graph, parts, g);
  if (!depthwise && window.strides.some((stride) => stride > 1)) return byConvTranspose(graph, parts, g);
  const turned = turnedKernel(graph, kernel);
  const spread = withZeros(graph, withZeros(graph, g, 3, window.strides[1]), 2, window.strides[0]);
  return graph.op('Conv', [spread, depthwise ? turned : transpose(graph, turned, [1, 0, 2, 3])], {
    ...attributesOf({ ...window, strides: [1, 1], pads: all }),
    group,
  });
}

/** Rows and columns in reverse order. */
function turnedKernel(graph: OperatorGraph, kernel: string): string {
  const [, , height = 1, width = 1] = graph.shapeOf(kernel);
  if (height === 1 && width === 1) return kernel;
  const last = -(2 ** 31);
  return slice(graph, kernel, { axes: [2, 3], starts: [-1, -1], ends: [last, last], steps: [-1, -1] });
}

function byConvTranspose(
  graph: OperatorGraph,
  { x, kernel, window, group, rows, columns, output }: ConvolutionParts,
  g: string,
): string {
  const left = ([0, 1] as const).map((axis) => {
    const covered = (output[axis] - 1) * window.strides[axis] + (window.kernel[axis] - 1) * window.dilations[axis] + 1;
    return (
      [rows, columns].map((size) => size + window.pads[axis] + window.pads[axis === 0 ? 2 : 3] - covered)[axis] ?? 0
    );
  });
  const attributes = { ...attributesOf(window), group, output_padding: left };
  return graph.raw('ConvTranspose', [g, kernel], [graph.infoOf(x)], { attributes })[0] ?? '';
}
