import { messageOf } from '../core/errors.ts';
import type { FacePart } from '../core/person.ts';
import { ALIGNMENT_POINTS, type AlignmentPoints } from '../faces/align.ts';
import type { JointTemplates } from '../faces/joint-template.ts';
import { decodeModel, encodeModel, type OnnxModel } from './graph/onnx-proto.ts';
import { toNumber } from './graph/tensor-values.ts';
import type { InputContract, ModelEntry } from './manifest.ts';

/** Key of a file's metadata that says how it takes pixels; `eyeline train` writes it. */
const CONTRACT_KEY = 'eyeline.input';

/**
 * What a manifest would say of an encoder's ONNX file: sizes from its input and output, pixels from its metadata, else as
 * another encoder takes them.
 *
 * @param pixels taken where the file says nothing of it
 * Throws a plain Error when it is no ONNX file, or not one picture of three channels goes in and one embedding comes out.
 */
export function readContract(
  onnx: Uint8Array,
  pixels: Pick<InputContract, 'mean' | 'scale' | 'colour'>,
): Pick<ModelEntry, 'input' | 'outputs' | 'embedding' | 'alignedBy' | 'mirrored' | 'jointWith'> {
  const { graph, metadataProps = [] } = decodeModel(onnx);
  const weights = new Set(graph.initializer.map(({ name }) => name));
  const [input, ...others] = graph.input.filter(({ name }) => !weights.has(name));
  const [output, ...more] = graph.output;
  const dims = (input?.type?.tensorType?.shape?.dim ?? []).map(({ dimValue }) => toNumber(dimValue));
  const [, channels, height = 0, width = 0] = dims[1] === 3 ? dims : [dims[0], dims[3], dims[1], dims[2]];
  if (!input || others.length > 0 || dims.length !== 4 || channels !== 3 || !height || !width) {
    throw new Error('an encoder takes one input: pictures of three channels, of a size the file says');
  }
  const shape = (output?.type?.tensorType?.shape?.dim ?? []).slice(1).map(({ dimValue }) => toNumber(dimValue));
  const embedding = shape.reduce((product, extent) => product * extent, 1);
  if (!output || more.length > 0 || shape.length === 0 || embedding < 2) {
    throw new Error('an encoder gives one output: an embedding a picture, of a length the file says');
  }
  const said = metadataProps.find(({ key }) => key === CONTRACT_KEY)?.value;
  const contract: Omit<EncoderContract, 'part'> = said === undefined ? pixels : contractOf(said);
  const { alignedBy = 'five', mirrored = false, jointWith, ...taken } = contract;
  return {
    input: { ...pixels, ...taken, width, height, channels: 3 },
    alignedBy,
    mirrored,
    ...(jointWith && { jointWith }),
    outputs: [{ name: output.name, shape }],
    embedding,
  };
}

/**
 * The same file with metadata that says how it takes pixels, what its faces are aligned by, whether their mirror images count, and what
 * templates are made with.
 */
export function writeContract(onnx: Uint8Array, contract: EncoderContract): Uint8Array {
  const model = decodeModel(onnx);
  describeEncoder(model, contract);
  return encodeModel(model);
}

/** As {@link writeContract}, of a decoded file, in place. */
export function describeEncoder(
  model: OnnxModel,
  { mean, scale, colour, part, alignedBy = 'five', mirrored = false, jointWith }: EncoderContract,
): void {
  const value = JSON.stringify({ mean, scale, colour, part, alignedBy, mirrored, jointWith });
  const others = (model.metadataProps ?? []).filter(({ key }) => key !== CONTRACT_KEY);
  model.metadataProps = [...others, { key: CONTRACT_KEY, value }];
}

/** What an encoder's file says of itself. */
export interface EncoderContract extends Pick<InputContract, 'mean' | 'scale' | 'colour'> {
  readonly part: FacePart;
  readonly alignedBy?: AlignmentPoints;
  readonly mirrored?: boolean;
  readonly jointWith?: JointTemplates | undefined;
}

function contractOf(said: string): Omit<EncoderContract, 'part'> {
  try {
    const contract = JSON.parse(said) as Record<string, unknown>;
    const { mean, scale, colour, alignedBy = 'five', mirrored = false } = contract;
    const three = (value: unknown): value is number[] =>
      Array.isArray(value) && value.length === 3 && value.every((it) => Number.isFinite(it));
    const points = ALIGNMENT_POINTS.find((it) => it === alignedBy);
    if (!points) throw new Error(`alignedBy is none of ${ALIGNMENT_POINTS.join(', ')}`);
    if (typeof mirrored !== 'boolean') throw new Error('mirrored is neither true nor false');
    if (three(mean) && three(scale) && (colour === 'rgb' || colour === 'bgr')) {
      return { mean, scale, colour, alignedBy: points, mirrored, ...jointOf(contract) };
    }
    throw new Error('mean, scale and colour are not there');
  } catch (error) {
    throw new Error(`its metadata ${CONTRACT_KEY} cannot be read: ${messageOf(error)}`);
  }
}

function jointOf({ jointWith }: Record<string, unknown>): Pick<EncoderContract, 'jointWith'> {
  if (jointWith === undefined) return {};
  const { encoder, share } = (jointWith ?? {}) as Record<string, unknown>;
  if (typeof encoder === 'string' && typeof share === 'number' && share >= 0 && share <= 1) {
    return { jointWith: { encoder, share } };
  }
  throw new Error('jointWith has no encoder, or no share from 0 to 1');
}
