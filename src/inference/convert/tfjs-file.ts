import { z } from 'zod';
import type { Weights } from './channels-first-graph.ts';

/** An attribute of a node as TensorFlow's protobuf has it in JSON: 64-bit integers as text, bytes in base64. */
const attribute = z.object({
  s: z.string().optional(),
  b: z.boolean().optional(),
  list: z.object({ i: z.array(z.coerce.number()).optional(), s: z.array(z.string()).optional() }).optional(),
  shape: z.object({ dim: z.array(z.object({ size: z.coerce.number() })).default([]) }).optional(),
});

const node = z.object({
  name: z.string(),
  op: z.string(),
  input: z.array(z.string()).default([]),
  attr: z.record(z.string(), attribute).default({}),
});
export type TfjsNode = z.output<typeof node>;

const weight = z.object({
  name: z.string(),
  shape: z.array(z.number()),
  dtype: z.string(),
  quantization: z.object({ dtype: z.string() }).optional(),
});

const file = z.object({
  modelTopology: z.object({ node: z.array(node) }),
  weightsManifest: z.array(z.object({ weights: z.array(weight) })),
});

/** A TensorFlow.js graph model. */
export interface TfjsGraph {
  readonly nodes: readonly TfjsNode[];
  /** Constants by the name of their node; integers as floats too. */
  readonly constants: ReadonlyMap<string, Weights>;
}

/** Bytes a number of each type takes in the file, and how one is read. */
const READERS: Readonly<Record<string, readonly [number, (view: DataView, at: number) => number]>> = {
  float32: [4, (view, at) => view.getFloat32(at, true)],
  int32: [4, (view, at) => view.getInt32(at, true)],
  float16: [2, (view, at) => float16(view.getUint16(at, true))],
};

/**
 * Reads a graph model of TensorFlow.js (`model.json` and its weights, all shards one after the other). Weights of 32 or
 * 16 bits. Throws a plain Error when it is none.
 */
export function readTfjs(json: Uint8Array, weights: Uint8Array): TfjsGraph {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(json));
  } catch (error) {
    throw new Error('not a TensorFlow.js graph model: not JSON', { cause: error });
  }
  const parsed = file.safeParse(value);
  if (!parsed.success)
    throw new Error(`not a TensorFlow.js graph model: ${z.prettifyError(parsed.error).split('\n')[0]}`);
  const view = new DataView(weights.buffer, weights.byteOffset, weights.byteLength);
  const constants = new Map<string, Weights>();
  let at = 0;
  for (const { name, shape, dtype, quantization } of parsed.data.weightsManifest.flatMap((group) => group.weights)) {
    const type = quantization?.dtype ?? dtype;
    const reader = READERS[type];
    if (!reader) throw new Error(`weights ${name} are of ${type}, not of 32-bit numbers or 16-bit floats`);
    const [bytes, read] = reader;
    const count = shape.reduce((product, extent) => product * extent, 1);
    if (at + count * bytes > weights.length)
      throw new Error(`the weights end at ${weights.length} bytes, within ${name}`);
    const start = at;
    constants.set(name, {
      dims: shape,
      data: Float32Array.from({ length: count }, (_, index) => read(view, start + index * bytes)),
    });
    at += count * bytes;
  }
  if (at !== weights.length) throw new Error(`the weights have ${weights.length} bytes, not ${at}`);
  return { nodes: parsed.data.modelTopology.node, constants };
}

/** IEEE 754 half precision. */
function float16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
