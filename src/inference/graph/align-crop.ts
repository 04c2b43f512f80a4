import { EyelineError, messageOf } from '../../core/errors.ts';
import type { InputContract, ModelEntry } from '../manifest.ts';
import { warpNodes } from './affine-warp.ts';
import { nodeBuilder } from './node-builder.ts';
import { freeName } from './nodes.ts';
import {
  decodeModel,
  encodeModel,
  ONNX_TYPE,
  type OnnxGraph,
  type OnnxModel,
  type OnnxValueInfo,
} from './onnx-proto.ts';
import { BATCH } from './pixel-input.ts';
import { opsetOf } from './prepare.ts';
import { toNumber } from './tensor-values.ts';

/** `Min` and `Max` broadcast from this version of the standard operators on; all later ones mean the same here. */
const OLDEST_OPSET = 8;

/**
 * Puts alignment in front of a prepared encoder: the inputs become `frame`, UINT8, height x width x 3, BGR, of any size,
 * and `matrices`, FLOAT, n x 2 x 3, from frame to crop coordinates (core/geometry `Affine`); the outputs stay what they are,
 * for n faces. The crops are those of OpenCV's `warpAffine` (affine-warp.ts), and go the way of raw pixels from there on.
 *
 * The same bytes and entry always give the same bytes. Throws MODEL_UNSUPPORTED, which says what does not fit.
 *
 * @param prepared what `prepareGraph` gave for the same entry
 */
export function fuseAlignment(prepared: Uint8Array, entry: Pick<ModelEntry, 'id' | 'input'>): Uint8Array {
  try {
    const model = decodeModel(prepared);
    fuse(model, entry.input);
    return encodeModel(model);
  } catch (error) {
    const message = `model ${entry.id}: cannot align faces in its graph: ${messageOf(error)}`;
    throw new EyelineError('MODEL_UNSUPPORTED', message, { cause: error });
  }
}

function fuse(model: OnnxModel, contract: InputContract): void {
  const { graph } = model;
  const opset = opsetOf(model);
  if (opset < OLDEST_OPSET) throw new Error(`operator set ${opset} is too old: ${OLDEST_OPSET} is needed`);
  if (contract.channels !== 3) throw new Error('it takes grey pictures, not RGB');
  const pixels = pixelInput(graph, contract);

  const frame = freeName(graph, 'frame');
  const matrices = freeName(graph, 'matrices');
  const builder = nodeBuilder(graph, 'align');
  warpNodes(builder, frame, matrices, contract);
  const nodes = [...builder.nodes];
  const last = nodes.at(-1);
  if (last) last.output = [pixels.name];

  graph.node = [...nodes, ...graph.node];
  graph.input = [
    input(frame, ONNX_TYPE.uint8, ['height', 'width', 3]),
    input(matrices, ONNX_TYPE.float, [BATCH, 2, 3]),
    ...graph.input.filter((it) => it !== pixels),
  ];
}

/** The input for raw pictures that a prepared graph has. */
function pixelInput(graph: OnnxGraph, { width, height, channels }: InputContract): OnnxValueInfo {
  const found = graph.input.find(({ type }) => {
    const { elemType, shape } = type?.tensorType ?? {};
    const sizes = shape?.dim.slice(1).map(({ dimValue }) => toNumber(dimValue));
    return elemType === ONNX_TYPE.uint8 && sizes?.join() === [height, width, channels].join();
  });
  if (!found)
    throw new Error(`it has no input of raw pictures, batch x ${height} x ${width} x ${channels}: not prepared`);
  return found;
}

function input(name: string, elemType: number, sizes: readonly (string | number)[]): OnnxValueInfo {
  const dim = sizes.map((size) => (typeof size === 'string' ? { dimParam: size } : { dimValue: size }));
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}
