import { inputOf, type Operator, type OperatorGraph, type OperatorNode } from '../operator.ts';
import { sizeOf } from '../shapes.ts';
import { expand, mean, reshape, scaled } from '../shorthand.ts';
import { outputSize, windowOf } from '../window.ts';

export const pooling: Readonly<Record<string, Operator>> = {
  GlobalAveragePool: {
    lower: (graph, node) => {
      const x = inputOf(node, 0);
      return mean(
        graph,
        x,
        graph
          .shapeOf(x)
          .map((_, index) => index)
          .slice(2),
        1,
      );
    },
  },
  AveragePool: {
    infer: pooled,
    gradient: (graph, node, g) => {
      const x = inputOf(node, 0);
      const shape = graph.shapeOf(x);
      const [, channels = 1, rows = 1, columns = 1] = shape;
      const window = windowOf(node.attributes, shape);
      // How many numbers each mean is of: fewer at the edges, unless the padding counts.
      const shares = node.attributes.count_include_pad === 1 ? null : countsOf(window, rows, columns);
      const share = shares ? graph.op('Div', [g, shares(graph)]) : scaled(graph, g, 1 / sizeOf(window.kernel));
      const ones = graph.floats(new Float32Array(channels * sizeOf(window.kernel)).fill(1), [
        channels,
        1,
        ...window.kernel,
      ]);
      const [height = 1, width = 1] = window.kernel;
      const output_padding = [rows, columns].map((size, index) => {
        const [begin = 0, end = 0] = [window.pads[index], window.pads[index + 2]];
        const stride = window.strides[index] ?? 1;
        return (size + begin + end - ([height, width][index] ?? 1)) % stride;
      });
      const [dx = ''] = graph.raw('ConvTranspose', [share, ones], [graph.infoOf(x)], {
        attributes: {
          group: channels,
          kernel_shape: window.kernel,
          strides: window.strides,
          pads: window.pads,
          output_padding,
        },
      });
      return [dx];
    },
  },
  MaxPool: {
    infer: pooled,
    // Indices are places in the whole tensor, one a number that was the largest.
    gradient: (graph, node, g) => {
      const x = inputOf(node, 0);
      const shape = graph.shapeOf(x);
      const info = { shape: graph.shapeOf(node.output), type: 'float32' } as const;
      const [, indices = ''] = graph.raw('MaxPool', [x], [info, { ...info, type: 'int64' }], {
        attributes: node.attributes,
      });
      const zeros = expand(graph, graph.floats([0]), [sizeOf(shape)]);
      const count = graph.int64s([sizeOf(info.shape)]);
      const [places = ''] = graph.raw('Reshape', [indices, count], [{ shape: [sizeOf(info.shape)], type: 'int64' }]);
      const [sums = ''] = graph.raw(
        'ScatterElements',
        [zeros, places, reshape(graph, g, [sizeOf(info.shape)])],
        [{ shape: [sizeOf(shape)], type: 'float32' }],
        {
          attributes: { axis: 0, reduction: 'add' },
        },
      );
      return [reshape(graph, sums, shape)];
    },
  },
};

function pooled(graph: OperatorGraph, node: Omit<OperatorNode, 'output'>) {
  const { shape, type } = graph.infoOf(inputOf(node, 0));
  if (node.attributes.ceil_mode === 1) throw new Error('ceil_mode is not known');
  return { type, shape: [...shape.slice(0, 2), ...outputSize(windowOf(node.attributes, shape), shape)] };
}

/** Of each window, how many of its places are inside of the picture. */
function countsOf(window: ReturnType<typeof windowOf>, rows: number, columns: number) {
  if (window.pads.every((pad) => pad === 0)) return null;
  const [height = 1, width = 1] = outputSize(window, [1, 1, rows, columns]);
  const inside = (at: number, axis: number, size: number) => {
    const start = at * (window.strides[axis] ?? 1) - (window.pads[axis] ?? 0);
    return Math.min(size, start + (window.kernel[axis] ?? 1)) - Math.max(0, start);
  };
  const counts = Float32Array.from({ length: height * width }, (_, index) => {
    return inside(Math.floor(index / width), 0, rows) * inside(index % width, 1, columns);
  });
  return (graph: OperatorGraph) => graph.floats(counts, [height, width]);
}
