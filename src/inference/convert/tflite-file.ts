import { ByteBuffer } from 'flatbuffers';

/**
 * TFLite files as objects, by the part of the schema (tensorflow/lite/schema/schema.fbs) that conversion needs; fields are
 * read by their numbers there.
 */

export interface TfliteTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** TensorType. */
  readonly type: number;
  /** Of weights; empty for what is computed. */
  readonly data: Uint8Array;
}

export interface TfliteOperator {
  /** BuiltinOperator. */
  readonly code: number;
  /** Of operators outside the standard, else empty. */
  readonly customCode: string;
  /** Indices of tensors; -1 where an input is left out. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** A number of the operator's options by its field; the schema's default where the file leaves it out. */
  option(field: number, kind: 'int8' | 'int32' | 'float32', fallback?: number): number;
}

export interface TfliteGraph {
  readonly tensors: readonly TfliteTensor[];
  readonly operators: readonly TfliteOperator[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

/** TensorType of the schema. */
export const TFLITE_TYPE = { float32: 0, float16: 1, int32: 2 } as const;

const IDENTIFIER = 'TFL3';
const MODEL = { operatorCodes: 1, subgraphs: 2, buffers: 4 };
const OPERATOR_CODE = { deprecatedBuiltinCode: 0, customCode: 1, builtinCode: 3 };
const SUBGRAPH = { tensors: 0, inputs: 1, outputs: 2, operators: 3 };
const TENSOR = { shape: 0, type: 1, buffer: 2, name: 3 };
const OPERATOR = { opcodeIndex: 0, inputs: 1, outputs: 2, builtinOptions: 4 };
const BUFFER = { data: 0 };

/** A table of a FlatBuffer: fields by their number in the schema. */
class Table {
  readonly #bytes: ByteBuffer;
  readonly #at: number;

  constructor(bytes: ByteBuffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** Where a field stands; null when it is left out. */
  #field(field: number): number | null {
    const offset = this.#bytes.__offset(this.#at, 4 + 2 * field);
    return offset === 0 ? null : this.#at + offset;
  }

  number(field: number, kind: 'int8' | 'int32' | 'float32', fallback = 0): number {
    const at = this.#field(field);
    if (at === null) return fallback;
    if (kind === 'int8') return this.#bytes.readInt8(at);
    return kind === 'int32' ? this.#bytes.readInt32(at) : this.#bytes.readFloat32(at);
  }

  text(field: number): string {
    const at = this.#field(field);
    return at === null ? '' : String(this.#bytes.__string(at) ?? '');
  }

  table(field: number): Table | null {
    const at = this.#field(field);
    return at === null ? null : new Table(this.#bytes, this.#bytes.__indirect(at));
  }

  ints(field: number): number[] {
    return this.#vector(field, (at, index) => this.#bytes.readInt32(at + 4 * index));
  }

  bytes(field: number): Uint8Array {
    const at = this.#field(field);
    if (at === null) return new Uint8Array();
    const start = this.#bytes.__vector(at);
    return this.#bytes.bytes().subarray(start, start + this.#bytes.__vector_len(at));
  }

  tables(field: number): Table[] {
    return this.#vector(field, (at, index) => new Table(this.#bytes, this.#bytes.__indirect(at + 4 * index)));
  }

  #vector<T>(field: number, read: (start: number, index: number) => T): T[] {
    const at = this.#field(field);
    if (at === null) return [];
    const start = this.#bytes.__vector(at);
    return Array.from({ length: this.#bytes.__vector_len(at) }, (_, index) => read(start, index));
  }
}

/** Reads a TFLite file of one graph; the result shares memory with `file`. Throws a plain Error when it is none. */
export function readTflite(file: Uint8Array): TfliteGraph {
  const bytes = new ByteBuffer(file);
  if (file.length < 8 || !bytes.__has_identifier(IDENTIFIER)) throw new Error('not a TFLite model');
  const model = new Table(bytes, bytes.readInt32(0));
  const [graph, ...others] = model.tables(MODEL.subgraphs);
  if (!graph || others.length > 0) throw new Error(`has ${others.length + (graph ? 1 : 0)} graphs: one is needed`);
  const buffers = model.tables(MODEL.buffers);
  const codes = model.tables(MODEL.operatorCodes).map((code) => ({
    // Operators up to 127 stand in the older field, of one byte.
    code: Math.max(
      code.number(OPERATOR_CODE.deprecatedBuiltinCode, 'int8'),
      code.number(OPERATOR_CODE.builtinCode, 'int32'),
    ),
    customCode: code.text(OPERATOR_CODE.customCode),
  }));
  return {
    tensors: graph.tables(SUBGRAPH.tensors).map((tensor) => ({
      name: tensor.text(TENSOR.name),
      shape: tensor.ints(TENSOR.shape),
      type: tensor.number(TENSOR.type, 'int8'),
      data: buffers[tensor.number(TENSOR.buffer, 'int32')]?.bytes(BUFFER.data) ?? new Uint8Array(),
    })),
    operators: graph.tables(SUBGRAPH.operators).map((operator) => {
      const options = operator.table(OPERATOR.builtinOptions);
      return {
        ...(codes[operator.number(OPERATOR.opcodeIndex, 'int32')] ?? { code: -1, customCode: '' }),
        inputs: operator.ints(OPERATOR.inputs),
        outputs: operator.ints(OPERATOR.outputs),
        option: (field, kind, fallback = 0) => options?.number(field, kind, fallback) ?? fallback,
      };
    }),
    inputs: graph.ints(SUBGRAPH.inputs),
    outputs: graph.ints(SUBGRAPH.outputs),
  };
}
