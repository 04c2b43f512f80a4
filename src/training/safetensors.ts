import { EyelineError } from '../core/errors.ts';
import type { Shape } from './engine.ts';

/**
 * Named FLOAT tensors and a few texts in one file, as safetensors (huggingface/safetensors, README, "Format"): eight bytes
 * with the length of a JSON header, the header, the numbers.
 */
export interface TensorFile {
  readonly tensors: Readonly<Record<string, { readonly shape: Shape; readonly data: Float32Array }>>;
  readonly metadata: Readonly<Record<string, string>>;
}

interface HeaderEntry {
  readonly dtype: string;
  readonly shape: number[];
  readonly data_offsets: [number, number];
}

const LENGTH_BYTES = 8;
/** Names the format keeps for the texts. */
const METADATA = '__metadata__';

export function encodeTensors(file: TensorFile): Uint8Array {
  return new Uint8Array(Buffer.concat(tensorPieces(file)));
}

/** The bytes of a file, piece by piece; the numbers are not copied. */
export function tensorPieces({ tensors, metadata }: TensorFile): readonly Uint8Array[] {
  const header: Record<string, HeaderEntry | Readonly<Record<string, string>>> = { [METADATA]: metadata };
  let at = 0;
  for (const [name, { shape, data }] of Object.entries(tensors)) {
    header[name] = { dtype: 'F32', shape: [...shape], data_offsets: [at, at + data.byteLength] };
    at += data.byteLength;
  }
  // Spaces at the end let the numbers begin at a multiple of eight.
  const plain = new TextEncoder().encode(JSON.stringify(header));
  const headerLength = Math.ceil(plain.length / 8) * 8;
  const head = new Uint8Array(LENGTH_BYTES + headerLength).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(headerLength), true);
  head.set(plain, LENGTH_BYTES);
  const numbers = Object.values(tensors).map(({ data }) => data);
  return [head, ...numbers.map((data) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength))];
}

/** Throws CHECKPOINT_UNREADABLE. */
export function decodeTensors(bytes: Uint8Array): TensorFile {
  try {
    const headerLength = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
    const begin = LENGTH_BYTES + headerLength;
    if (begin > bytes.length) throw new Error('it is cut off');
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(LENGTH_BYTES, begin)));
    const { [METADATA]: metadata = {}, ...entries } = header;
    const tensors = Object.entries(entries as Record<string, HeaderEntry>).map(
      ([name, { dtype, shape, data_offsets }]) => {
        const [from, to] = data_offsets;
        if (dtype !== 'F32' || begin + to > bytes.length) throw new Error(`${name} is not there whole, or no FLOAT`);
        return [
          name,
          { shape, data: new Float32Array(new Uint8Array(bytes.subarray(begin + from, begin + to)).buffer) },
        ] as const;
      },
    );
    return { tensors: Object.fromEntries(tensors), metadata };
  } catch (error) {
    throw new EyelineError('CHECKPOINT_UNREADABLE', `not a file of tensors: ${String(error)}`, { cause: error });
  }
}
