import type { InputContract } from '../manifest.ts';
import { constant, freeName, node } from './nodes.ts';
import { ONNX_TYPE, type OnnxGraph, type OnnxNode } from './onnx-proto.ts';
import { floatTensor, int64Tensor } from './tensor-values.ts';

/** Where the graph has the channels: before the rows (as PyTorch) or after the columns (as TensorFlow). */
export type Layout = 'nchw' | 'nhwc';

/** Name of the batch dimension in prepared graphs. */
export const BATCH = 'batch';
/** Name of the input of prepared graphs: UINT8, batch x height x width x channels. */
export const PIXELS = 'pixels';

/**
 * Puts cast, transposition, the order of the channels and normalisation, `(pixel - mean) * scale`, in front of the
 * graph, so that its input is raw bytes as a picture has them, and no loop over pixels runs in JavaScript. The order of
 * the operations and their float arithmetic are those of the usual preprocessing outside the graph.
 */
export function addPixelInput(graph: OnnxGraph, floatInput: string, contract: InputContract, layout: Layout): void {
  const { channels, width, height, mean, scale } = contract;
  const perChannel = layout === 'nchw' ? [1, channels, 1, 1] : [1, 1, 1, channels];
  const pixels = freeName(graph, PIXELS);
  const nodes: OnnxNode[] = [];
  let last = pixels;
  const append = (opType: string, attributes: Record<string, number | readonly number[]>, ...others: string[]) => {
    const output = freeName({ ...graph, node: [...graph.node, ...nodes] }, `${pixels}_${opType.toLowerCase()}`);
    nodes.push(node(opType, [last, ...others], output, attributes));
    last = output;
  };
  const values = (kind: string, numbers: readonly number[]) => {
    const name = freeName({ ...graph, node: [...graph.node, ...nodes] }, `${pixels}_${kind}`);
    nodes.push(constant({ ...floatTensor(name, perChannel, numbers), name }));
    return name;
  };

  append('Cast', { to: ONNX_TYPE.float });
  if (layout === 'nchw') append('Transpose', { perm: [0, 3, 1, 2] });
  if (contract.colour === 'bgr') {
    const order = freeName(graph, `${pixels}_order`);
    nodes.push(constant({ ...int64Tensor(order, [2, 1, 0]), name: order }));
    append('Gather', { axis: layout === 'nchw' ? 1 : 3 }, order);
  }
  if (mean.some((value) => value !== 0)) append('Sub', {}, values('mean', mean));
  if (scale.some((value) => value !== 1)) append('Mul', {}, values('scale', scale));

  const final = nodes.at(-1);
  if (final) final.output = [floatInput];
  graph.node = [...nodes, ...graph.node];
  const dim = [{ dimParam: BATCH }, { dimValue: height }, { dimValue: width }, { dimValue: channels }];
  graph.input = [
    { name: pixels, type: { tensorType: { elemType: ONNX_TYPE.uint8, shape: { dim } } } },
    ...graph.input.filter((it) => it.name !== floatInput),
  ];
}
