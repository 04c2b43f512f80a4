import protobuf from 'protobufjs';

/**
 * ONNX files as objects, by the part of the schema (onnx.proto of the ONNX specification) that graph work needs.
 * Fields that are not named here are kept as they came and written back, so nothing of a file is lost.
 */

/** A 64-bit integer as protobufjs reads it: exact, unlike a number. */
export interface Int64 {
  toNumber(): number;
}

export interface OnnxDimension {
  dimValue?: Int64 | number;
  /** Name of a dimension whose size is known only at run time. */
  dimParam?: string;
}

export interface OnnxValueInfo {
  name: string;
  type?: { tensorType?: { elemType?: number; shape?: { dim: OnnxDimension[] } } };
}

export interface OnnxTensor {
  dims: (Int64 | number)[];
  dataType: number;
  name?: string;
  floatData?: number[];
  int32Data?: number[];
  int64Data?: (Int64 | number)[];
  /** Little-endian, whatever the machine. Used instead of the typed fields by most exporters. */
  rawData?: Uint8Array;
  /** Filled when the weights are in another file. */
  externalData?: { key: string; value: string }[];
}

export interface OnnxAttribute {
  name: string;
  /** ONNX_ATTRIBUTE. */
  type: number;
  f?: number;
  i?: Int64 | number;
  s?: Uint8Array;
  t?: OnnxTensor;
  g?: OnnxGraph;
  floats?: number[];
  ints?: (Int64 | number)[];
}

export interface OnnxNode {
  input: string[];
  output: string[];
  name?: string;
  opType: string;
  /** Empty or missing: the standard operators. */
  domain?: string;
  attribute?: OnnxAttribute[];
}

export interface OnnxGraph {
  node: OnnxNode[];
  name?: string;
  initializer: OnnxTensor[];
  input: OnnxValueInfo[];
  output: OnnxValueInfo[];
  valueInfo: OnnxValueInfo[];
  sparseInitializer?: { values?: OnnxTensor }[];
}

export interface OnnxModel {
  irVersion: Int64 | number;
  producerName?: string;
  graph: OnnxGraph;
  opsetImport: { domain?: string; version: Int64 | number }[];
  metadataProps?: { key: string; value: string }[];
}

/** TensorProto.DataType. */
export const ONNX_TYPE = { float: 1, uint8: 2, int32: 6, int64: 7 } as const;

/** AttributeProto.AttributeType. */
export const ONNX_ATTRIBUTE = { float: 1, int: 2, string: 3, tensor: 4, floats: 6, ints: 7 } as const;

/** The field numbers of onnx.proto, under our names. */
const SCHEMA = `
syntax = "proto2";
message Model {
  optional int64 irVersion = 1;
  optional string producerName = 2;
  optional Graph graph = 7;
  repeated Opset opsetImport = 8;
  repeated Entry metadataProps = 14;
}
message Opset { optional string domain = 1; optional int64 version = 2; }
message Entry { optional string key = 1; optional string value = 2; }
message Graph {
  repeated Node node = 1;
  optional string name = 2;
  repeated Tensor initializer = 5;
  repeated ValueInfo input = 11;
  repeated ValueInfo output = 12;
  repeated ValueInfo valueInfo = 13;
  repeated SparseTensor sparseInitializer = 15;
}
message Node {
  repeated string input = 1;
  repeated string output = 2;
  optional string name = 3;
  optional string opType = 4;
  repeated Attribute attribute = 5;
  optional string domain = 7;
}
message Attribute {
  optional string name = 1;
  optional float f = 2;
  optional int64 i = 3;
  optional bytes s = 4;
  optional Tensor t = 5;
  optional Graph g = 6;
  repeated float floats = 7;
  repeated int64 ints = 8;
  optional int32 type = 20;
}
message Tensor {
  repeated int64 dims = 1;
  optional int32 dataType = 2;
  repeated float floatData = 4 [packed = true];
  repeated int32 int32Data = 5 [packed = true];
  repeated int64 int64Data = 7 [packed = true];
  optional string name = 8;
  optional bytes rawData = 9;
  repeated Entry externalData = 13;
}
message SparseTensor { optional Tensor values = 1; }
message ValueInfo { optional string name = 1; optional ValueType type = 2; }
message ValueType { optional TensorType tensorType = 1; }
message TensorType { optional int32 elemType = 1; optional Shape shape = 2; }
message Shape { repeated Dimension dim = 1; }
message Dimension { optional int64 dimValue = 1; optional string dimParam = 2; }
`;

const modelType = protobuf.parse(SCHEMA, { keepCase: true }).root.lookupType('Model');

/**
 * Reads an ONNX file. The result shares memory with `bytes`. Throws a plain Error when it is no ONNX model.
 */
export function decodeModel(bytes: Uint8Array): OnnxModel {
  const reader = protobuf.Reader.create(bytes);
  reader.discardUnknown = false;
  const model = modelType.decode(reader) as unknown as OnnxModel;
  if (!model.graph?.node?.length || !model.opsetImport?.length) throw new Error('not an ONNX model');
  return model;
}

/** Writes an ONNX file. Lists that were read empty stay empty; what was read from unknown fields is written back. */
export function encodeModel(model: OnnxModel): Uint8Array {
  return modelType.encode(model).finish();
}
