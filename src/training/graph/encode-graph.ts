import {
  encodeModel,
  ONNX_ATTRIBUTE,
  ONNX_TYPE,
  type OnnxAttribute,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValueInfo,
} from '../../inference/graph/onnx-proto.ts';
import { int64Tensor } from '../../inference/graph/tensor-values.ts';
import type { Attributes, Shape } from '../engine.ts';
import type { ElementType } from './operator.ts';
import type { Constant, FileNode, RecordedGraph } from './tensor-graph.ts';

const IR_VERSION = 8;
const OPSET = 18;

const ELEMENT_TYPES: Readonly<Record<ElementType, number>> = { float32: 1, uint8: 2, int64: 7, bool: 9 };

/** Attributes that are FLOAT also when the number is whole. */
const FLOAT_ATTRIBUTES = new Set(['alpha', 'beta', 'epsilon', 'momentum', 'gamma']);

/**
 * Writes a graph as an ONNX file. Inputs are, in this order, those of a batch, the parameters and the running statistics.
 * Nodes nothing needs are left out.
 *
 * @param wanted output names with the tensors they are
 * @param trained parameters that are inputs; the others are written as they are at the start
 */
export function encodeGraph(
  graph: RecordedGraph,
  wanted: readonly (readonly [string, string])[],
  trained: ReadonlySet<string>,
): Uint8Array {
  const names = new Map<string, string>();
  const copies: FileNode[] = [];
  const computed = new Set(graph.nodes.flatMap(({ outputs }) => outputs));
  for (const [name, tensor] of wanted) {
    // A tensor is renamed once; wanted under a second name, or not computed here, it is copied.
    if (computed.has(tensor) && !names.has(tensor)) names.set(tensor, name);
    else copies.push({ opType: 'Identity', domain: '', inputs: [tensor], outputs: [name], attributes: {} });
  }
  const nodes = resultsLast(needed(reshapedOnce(graph, [...graph.nodes, ...copies]), new Set(wanted.flat())));
  const used = new Set(nodes.flatMap(({ inputs }) => inputs));
  const domains = new Set(nodes.map(({ domain }) => domain));
  const parameters = [...graph.parameters.values()];
  const inputs = [
    ...Array.from(graph.inputs, ([name, { shape, type }]) => valueInfo(name, shape, type)),
    ...parameters.filter(({ name }) => trained.has(name)).map(({ name, shape }) => valueInfo(name, shape, 'float32')),
    ...Array.from(graph.buffers.values(), ({ name, shape }) => valueInfo(name, shape, 'float32')),
  ];
  const fixed = parameters.filter(({ name }) => !trained.has(name) && used.has(name));
  return encodeModel({
    irVersion: IR_VERSION,
    producerName: 'eyeline',
    opsetImport: [
      { domain: '', version: OPSET },
      ...Array.from(domains)
        .filter(Boolean)
        .map((domain) => ({ domain, version: 1 })),
    ],
    graph: {
      name: 'step',
      node: nodes.map((node) => fileNode(node, names)),
      initializer: [
        ...Array.from(graph.constants)
          .filter(([name]) => used.has(name))
          .map(([name, value]) => tensorOf(name, value)),
        ...fixed.map(({ name, shape, initial }) => tensorOf(name, { type: 'float32', shape, values: initial })),
      ],
      input: inputs,
      output: wanted.map(([name, tensor]) => valueInfo(name, graph.shapeOf(tensor), graph.infoOf(tensor).type)),
      valueInfo: [],
    },
  });
}

/** A reshape of what was only reshaped takes the original. ONNX Runtime would make a node of both, and order it anew. */
function reshapedOnce({ integersOf }: RecordedGraph, nodes: readonly FileNode[]): FileNode[] {
  const reshaped = new Map<string, string>();
  return nodes.map((node) => {
    const [from = '', shape = ''] = node.inputs;
    // A zero stands for a size of the input.
    if (node.opType !== 'Reshape' || integersOf(shape)?.includes(0) !== false) return node;
    const origin = reshaped.get(from) ?? from;
    reshaped.set(node.outputs[0] ?? '', origin);
    return origin === from ? node : { ...node, inputs: [origin, shape] };
  });
}

/**
 * Nodes whose outputs no other node takes at the end, the last of them first. ONNX Runtime goes through a graph from those nodes back, the
 * last one first: so the gradients of the last layers are computed as soon as they can be, and what they need is let go. In
 * the order they were added the first layer's gradients would come first, and all that the others need be held meanwhile.
 */
function resultsLast(nodes: readonly FileNode[]): FileNode[] {
  const used = new Set(nodes.flatMap(({ inputs }) => inputs));
  const isUsed = ({ outputs }: FileNode) => outputs.some((name) => used.has(name));
  return [...nodes.filter(isUsed), ...nodes.filter((node) => !isUsed(node)).reverse()];
}

function needed(nodes: readonly FileNode[], wanted: Set<string>): FileNode[] {
  const kept: FileNode[] = [];
  for (const node of nodes.toReversed()) {
    if (!node.outputs.some((name) => wanted.has(name))) continue;
    for (const name of node.inputs) wanted.add(name);
    kept.push(node);
  }
  return kept.reverse();
}

function fileNode(
  { opType, domain, inputs, outputs, attributes }: FileNode,
  names: ReadonlyMap<string, string>,
): OnnxNode {
  const named = (name: string) => names.get(name) ?? name;
  return {
    opType,
    domain,
    input: inputs.map(named),
    output: outputs.map(named),
    name: outputs[0] ?? '',
    attribute: attributesOf(attributes),
  };
}

function attributesOf(attributes: Attributes): OnnxAttribute[] {
  return Object.entries(attributes).map(([name, value]) => {
    if (typeof value === 'string') return { name, type: ONNX_ATTRIBUTE.string, s: new TextEncoder().encode(value) };
    if (typeof value === 'object') return { name, type: ONNX_ATTRIBUTE.ints, ints: [...value] };
    if (FLOAT_ATTRIBUTES.has(name)) return { name, type: ONNX_ATTRIBUTE.float, f: value };
    return { name, type: ONNX_ATTRIBUTE.int, i: value };
  });
}

function tensorOf(name: string, { type, shape, values }: Constant): OnnxTensor {
  if (type === 'int64') return { ...int64Tensor(name, Array.from(values)), dims: [...shape] };
  const numbers = Float32Array.from(values);
  return { name, dims: [...shape], dataType: ONNX_TYPE.float, rawData: new Uint8Array(numbers.buffer) };
}

function valueInfo(name: string, shape: Shape, type: ElementType): OnnxValueInfo {
  const dim = shape.map((dimValue) => ({ dimValue }));
  return { name, type: { tensorType: { elemType: ELEMENT_TYPES[type], shape: { dim } } } };
}
