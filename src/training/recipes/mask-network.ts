import { normalNumbers, seededRandom } from '../../core/seeded-random.ts';
import { MASK_STATES } from '../../faces/mask-state.ts';
import type { PixelScale } from '../data/sampler.ts';
import type { Shape } from '../engine.ts';
import { encodeGraph } from '../graph/encode-graph.ts';
import { createTensorGraph } from '../graph/tensor-graph.ts';

/** Side of the grey crop of a face's box the network is given, pixels; one byte a pixel. */
export const MASK_CROP_PX = 64;
/** How it takes pixels. */
export const MASK_PIXELS: PixelScale = { colour: 'grey', mean: [127.5], scale: [1 / 64] };
/** Name of its input and of its output: a logit a state, in the order of `MASK_STATES` (faces/mask-state.ts). */
const MASK_INPUT = 'face';
export const MASK_OUTPUT = 'logits';

export interface MaskNetworkOptions {
  /** Channels after each convolution. */
  readonly channels: readonly number[];
  /** Neurons of the hidden layer. */
  readonly hidden: number;
  readonly seed: number;
}

/**
 * A small network that tells a mask from a face, with weights by chance (He et al., "Delving Deep into Rectifiers", 2015), as an
 * ONNX file for one face: convolutions of 3x3 that each take every other pixel, and two dense layers. The place of what is seen
 * matters (a mask below the nose is worn wrongly), so nothing is averaged over the face.
 */
export function maskNetwork({ channels, hidden, seed }: MaskNetworkOptions): Uint8Array {
  const graph = createTensorGraph();
  const normal = normalNumbers(seededRandom(seed));
  const weights = (name: string, shape: Shape, inputs: number) => {
    const size = shape.reduce((product, extent) => product * extent, 1);
    const initial = Float32Array.from({ length: size }, () => normal() * Math.sqrt(2 / inputs));
    return graph.parameter({ name, shape, initial, decays: true });
  };
  const offset = (name: string, count: number) =>
    graph.parameter({ name, shape: [count], initial: new Float32Array(count), decays: false });
  let x = graph.input(MASK_INPUT, [1, 1, MASK_CROP_PX, MASK_CROP_PX]);
  let before = 1;
  for (const [index, after] of channels.entries()) {
    const kernel = weights(`conv${index}.weight`, [after, before, 3, 3], before * 9);
    const attributes = { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] };
    x = graph.op('Relu', [graph.op('Conv', [x, kernel, offset(`conv${index}.bias`, after)], attributes)]);
    before = after;
  }
  const [count = 1, ...rest] = graph.shapeOf(x);
  const flat = rest.reduce((product, extent) => product * extent, 1);
  x = graph.op('Reshape', [x, graph.int64s([count, flat])]);
  const dense = [weights('dense.weight', [hidden, flat], flat), offset('dense.bias', hidden)];
  x = graph.op('Relu', [graph.op('Gemm', [x, ...dense], { transB: 1 })]);
  const states = MASK_STATES.length;
  const last = [weights('state.weight', [states, hidden], hidden), offset('state.bias', states)];
  return encodeGraph(graph, [[MASK_OUTPUT, graph.op('Gemm', [x, ...last], { transB: 1 })]], new Set());
}
