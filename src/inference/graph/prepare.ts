import { EyelineError, messageOf } from '../../core/errors.ts';
import type { ModelEntry } from '../manifest.ts';
import { freeBatchInReshapes } from './batch.ts';
import { lookTwice } from './mirror.ts';
import {
  decodeModel,
  encodeModel,
  ONNX_TYPE,
  type OnnxGraph,
  type OnnxModel,
  type OnnxValueInfo,
} from './onnx-proto.ts';
import { addPixelInput, BATCH, type Layout } from './pixel-input.ts';
import { toNumber } from './tensor-values.ts';
import { dropTinyWeights } from './tiny-weights.ts';

/** Raised when the same source is prepared in another way: what was prepared before is then prepared anew. */
export const PREPARATION_VERSION = 2;

/** Subtraction and multiplication broadcast as NumPy does from this version of the standard operators on. */
const OLDEST_OPSET = 7;

/**
 * Turns an ONNX file into one that takes any number of raw pictures: UINT8, batch x height x width x channels in, RGB
 * or grey; the contract's outputs with the batch first. The numbers are those of the original; of an encoder that is `mirrored`, the
 * mean of those of a picture and of its mirror image.
 *
 * The same bytes and contract always give the same bytes. Throws MODEL_UNSUPPORTED, which names what does not fit.
 */
export function prepareGraph(
  bytes: Uint8Array,
  entry: Pick<ModelEntry, 'id' | 'input' | 'outputs' | 'mirrored'>,
): Uint8Array {
  try {
    const model = decodeModel(bytes);
    prepareModel(model, entry);
    return encodeModel(model);
  } catch (error) {
    throw new EyelineError('MODEL_UNSUPPORTED', `model ${entry.id}: ${messageOf(error)}`, { cause: error });
  }
}

/** Where a file has its channels. Throws a plain Error when its input does not fit the contract. */
export function layoutOfGraph(bytes: Uint8Array, input: ModelEntry['input']): Layout {
  return layoutOf(onlyInput(decodeModel(bytes).graph), input);
}

/** Version of the standard operators a file is written in. */
export function opsetOf({ opsetImport }: OnnxModel): number {
  return toNumber(opsetImport.find(({ domain }) => !domain || domain === 'ai.onnx')?.version);
}

/** What `prepareGraph` does, in place; throws plain errors. */
export function prepareModel(
  model: OnnxModel,
  { input, outputs, mirrored = false }: Pick<ModelEntry, 'input' | 'outputs' | 'mirrored'>,
): void {
  const { graph } = model;
  const opset = opsetOf(model);
  if (opset < OLDEST_OPSET) throw new Error(`operator set ${opset} is too old: ${OLDEST_OPSET} is needed`);
  if (graph.initializer.some((tensor) => tensor.externalData?.length)) throw new Error('weights are in another file');

  const floatInput = onlyInput(graph);
  const layout = layoutOf(floatInput, input);
  graph.output = outputs.map((output) => checkedOutput(graph, output));
  freeBatchInReshapes(graph, floatInput.name);
  // Intermediate shapes were inferred for a batch of one; ONNX Runtime infers them again by itself.
  graph.valueInfo = [];
  dropTinyWeights(graph);
  const [output] = outputs;
  if (mirrored && output) lookTwice(graph, { floatInput: floatInput.name, layout, width: input.width, output });
  addPixelInput(graph, floatInput.name, input, layout);
}

function onlyInput(graph: OnnxGraph): OnnxValueInfo {
  // Files before IR version 4 list the weights as inputs too.
  const weights = new Set(graph.initializer.map((tensor) => tensor.name));
  const inputs = graph.input.filter((it) => !weights.has(it.name));
  const [first, ...others] = inputs;
  if (!first || others.length > 0)
    throw new Error(`must have one input; it has ${inputs.map((it) => it.name).join(', ')}`);
  if (first.type?.tensorType?.elemType !== ONNX_TYPE.float) throw new Error(`input ${first.name} is not FLOAT`);
  return first;
}

function layoutOf(value: OnnxValueInfo, { channels, height, width }: ModelEntry['input']): Layout {
  const shape = shapeOf(value);
  if (shape) {
    if (fits(shape, [channels, height, width])) return 'nchw';
    if (fits(shape, [height, width, channels])) return 'nhwc';
  }
  throw new Error(
    `input ${value.name} is ${describe(shape)}; the manifest says batch x ${channels} x ${height} x ${width} (or channels last)`,
  );
}

function checkedOutput(graph: OnnxGraph, { name, shape }: { name: string; shape: readonly number[] }): OnnxValueInfo {
  const value = graph.output.find((it) => it.name === name);
  if (!value) {
    throw new Error(`has no output ${name}; its outputs are ${graph.output.map((it) => it.name).join(', ')}`);
  }
  if (value.type?.tensorType?.elemType !== ONNX_TYPE.float) throw new Error(`output ${name} is not FLOAT`);
  const found = shapeOf(value);
  if (found && !fits(found, shape)) {
    throw new Error(`output ${name} is ${describe(found)}; the manifest says batch x ${shape.join(' x ')}`);
  }
  const dim = [{ dimParam: BATCH }, ...shape.map((dimValue) => ({ dimValue }))];
  return { name, type: { tensorType: { elemType: ONNX_TYPE.float, shape: { dim } } } };
}

/** Sizes, null where one is known only at run time; null when the rank is unknown as well. */
function shapeOf(value: OnnxValueInfo): (number | null)[] | null {
  const dims = value.type?.tensorType?.shape?.dim;
  return dims?.map((dim) => (dim.dimParam || dim.dimValue === undefined ? null : toNumber(dim.dimValue))) ?? null;
}

/** Whether it can be a batch (of one, or free) of `picture`. */
function fits(shape: readonly (number | null)[], picture: readonly number[]): boolean {
  const [batch, ...rest] = shape;
  if ((batch !== null && batch !== 1) || rest.length !== picture.length) return false;
  return rest.every((size, index) => size === null || size === picture[index]);
}

function describe(shape: readonly (number | null)[] | null): string {
  return shape?.map((size) => size ?? '?').join(' x ') ?? 'of unknown shape';
}
