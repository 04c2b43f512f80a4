import { endianness } from 'node:os';

/** Float32, little endian, as databases keep it. */
export function toBytes(embedding: Float32Array): Uint8Array {
  const bytes = Buffer.alloc(embedding.length * 4);
  embedding.forEach((value, index) => {
    bytes.writeFloatLE(value, index * 4);
  });
  return bytes;
}

/** What {@link toBytes} made. */
export function fromBytes(bytes: Uint8Array): Float32Array {
  const copy = Uint8Array.from(bytes);
  if (endianness() === 'BE') Buffer.from(copy.buffer).swap32();
  return new Float32Array(copy.buffer);
}
