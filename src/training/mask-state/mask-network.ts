import { normalNumbers } from '../../core/seeded-random.ts';
import type { Shape, TensorGraph, Values } from '../engine.ts';
import { encodeGraph } from '../graph/encode-graph.ts';
import { createTensorGraph } from '../graph/tensor-graph.ts';

/** Side of the grey crop of a face's box the network is given, pixels; one byte a pixel. */
export const MASK_CROP_PX = 64;
/** How it takes pixels: (value - mean) * scale. */
export const MASK_PIXELS = { mean: 127.5, scale: 1 / 64 } as const;
/** Name of its input and of its output: a logit a state, in the order of `MASK_STATES` (faces/mask-state.ts). */
export const MASK_INPUT = 'face';
export const MASK_OUTPUT = 'logits';

const CLASSES = 3;
/** Channels after each convolution, 3x3, every other pixel: 64, 32, 16, 8, 4 pixels a side. */
const CHANNELS = [16, 32, 48, 64] as const;
const HIDDEN = 64;

/**
 * A small network that tells a mask from a face: four convolutions and two dense layers, 3 million multiplications. The place
 * of what is seen matters (a mask below the nose is worn wrongly), so nothing is averaged over the face.
 *
 * @param faces n x 1 x 64 x 64
 * @param random draws the first weights (He et al., "Delving Deep into Rectifiers", 2015)
 * Gives the name of the logits, n x 3.
 */
export function maskNetwork(graph: TensorGraph, faces: string, random: () => number, values?: Values): string {
  const normal = normalNumbers(random);
  const parameter = (name: string, shape: Shape, inputs: number) => {
    const size = shape.reduce((product, extent) => product * extent, 1);
    const drawn = Float32Array.from({ length: size }, () => normal() * Math.sqrt(2 / inputs));
    return graph.parameter({ name, shape, initial: values?.[name] ?? drawn, decays: true });
  };
  const offset = (name: string, count: number) =>
    graph.parameter({ name, shape: [count], initial: values?.[name] ?? new Float32Array(count), decays: false });
  let x = faces;
  let before = 1;
  for (const [index, channels] of CHANNELS.entries()) {
    const kernel = parameter(`conv${index}.weight`, [channels, before, 3, 3], before * 9);
    const attributes = { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] };
    x = graph.op('Relu', [graph.op('Conv', [x, kernel, offset(`conv${index}.bias`, channels)], attributes)]);
    before = channels;
  }
  const [count = 1, ...rest] = graph.shapeOf(x);
  const flat = rest.reduce((product, extent) => product * extent, 1);
  x = graph.op('Reshape', [x, graph.int64s([count, flat])]);
  const first = [parameter('dense.weight', [HIDDEN, flat], flat), offset('dense.bias', HIDDEN)];
  x = graph.op('Relu', [graph.op('Gemm', [x, ...first], { transB: 1 })]);
  const last = [parameter('state.weight', [CLASSES, HIDDEN], HIDDEN), offset('state.bias', CLASSES)];
  return graph.op('Gemm', [x, ...last], { transB: 1 });
}

/** The trained network as an ONNX file for one face. */
export function maskNetworkFile(values: Values): Uint8Array {
  const graph = createTensorGraph(null);
  const faces = graph.input(MASK_INPUT, [1, 1, MASK_CROP_PX, MASK_CROP_PX]);
  const logits = maskNetwork(graph, faces, () => 0, values);
  return encodeGraph(graph, [[MASK_OUTPUT, logits]], new Set());
}
