import { type Int64, ONNX_TYPE, type OnnxTensor } from './onnx-proto.ts';

/** A 64-bit field as a number; dimensions and axes are small. */
export function toNumber(value: Int64 | number | undefined): number {
  return typeof value === 'object' ? value.toNumber() : (value ?? 0);
}

/** The integers of an INT64 tensor, or null when it is of another type or kept in another file. */
export function int64Values(tensor: OnnxTensor): number[] | null {
  if (tensor.dataType !== ONNX_TYPE.int64 || tensor.externalData?.length) return null;
  if (!tensor.rawData?.length) return (tensor.int64Data ?? []).map(toNumber);
  const { buffer, byteOffset, byteLength } = tensor.rawData;
  const view = new DataView(buffer, byteOffset, byteLength);
  return Array.from({ length: byteLength / 8 }, (_, index) => Number(view.getBigInt64(index * 8, true)));
}

/** The numbers of a FLOAT tensor, copied, or null when it is of another type or kept in another file. */
export function floatValues(tensor: OnnxTensor): Float32Array | null {
  if (tensor.dataType !== ONNX_TYPE.float || tensor.externalData?.length) return null;
  if (!tensor.rawData?.length) return Float32Array.from(tensor.floatData ?? []);
  const { buffer, byteOffset, byteLength } = tensor.rawData;
  const view = new DataView(buffer, byteOffset, byteLength);
  return Float32Array.from({ length: byteLength / 4 }, (_, index) => view.getFloat32(index * 4, true));
}

/** A one-dimensional INT64 tensor. */
export function int64Tensor(name: string, values: readonly number[]): OnnxTensor {
  const rawData = new Uint8Array(values.length * 8);
  const view = new DataView(rawData.buffer);
  for (const [index, value] of values.entries()) view.setBigInt64(index * 8, BigInt(value), true);
  return { name, dims: [values.length], dataType: ONNX_TYPE.int64, rawData };
}

/** A one-dimensional INT32 tensor. */
export function int32Tensor(name: string, values: readonly number[]): OnnxTensor {
  const rawData = new Uint8Array(values.length * 4);
  const view = new DataView(rawData.buffer);
  for (const [index, value] of values.entries()) view.setInt32(index * 4, value, true);
  return { name, dims: [values.length], dataType: ONNX_TYPE.int32, rawData };
}

/** A FLOAT tensor of the shape `dims`, rows first. */
export function floatTensor(
  name: string,
  dims: readonly number[],
  values: readonly number[] | Float32Array,
): OnnxTensor {
  const rawData = new Uint8Array(values.length * 4);
  const view = new DataView(rawData.buffer);
  for (const [index, value] of values.entries()) view.setFloat32(index * 4, value, true);
  return { name, dims: [...dims], dataType: ONNX_TYPE.float, rawData };
}
