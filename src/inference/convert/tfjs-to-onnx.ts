import { encodeModel } from '../graph/onnx-proto.ts';
import { ChannelsFirstGraph, permuted, type Value, type Weights, type Window } from './channels-first-graph.ts';
import { readTfjs, type TfjsGraph, type TfjsNode } from './tfjs-file.ts';

/**
 * Writes a TensorFlow.js graph model as ONNX, with its names, orders and outputs as they were. Its operators are those of
 * BlazeFace and FaceMesh. Throws a plain Error that names operator and node for any other.
 *
 * @param json    of the model (`model.json`)
 * @param weights all shards, one after the other
 */
export function convertTfjs(json: Uint8Array, weights: Uint8Array): Uint8Array {
  const source = readTfjs(json, weights);
  const graph = new ChannelsFirstGraph();
  const values = new Map<string, Value>();
  const used = new Set(source.nodes.flatMap(({ input }) => input.map(bareName)));
  for (const node of inOrder(source)) {
    try {
      values.set(node.name, convertNode(node, { source, graph, values }));
    } catch (error) {
      throw new Error(`${node.op} ${node.name}: ${error instanceof Error ? error.message : error}`, { cause: error });
    }
  }
  for (const [name, value] of values) if (!used.has(name)) graph.output(value, name);
  return encodeModel(graph.build());
}

interface Surroundings {
  readonly source: TfjsGraph;
  readonly graph: ChannelsFirstGraph;
  readonly values: ReadonlyMap<string, Value>;
}

function convertNode(node: TfjsNode, { source, graph, values }: Surroundings): Value {
  const inputName = (which: number) => bareName(node.input[which] ?? '');
  const value = (which: number): Value => {
    const found = values.get(inputName(which));
    if (!found) throw new Error(`its input ${inputName(which)} is computed nowhere`);
    return found;
  };
  const weights = (which: number): Weights => {
    const found = source.constants.get(inputName(which));
    if (!found) throw new Error(`its input ${inputName(which)} is no constant`);
    return found;
  };
  switch (node.op) {
    case 'Placeholder': {
      const [, rows = 0, columns = 0, channels = 0] = node.attr.shape?.shape?.dim.map(({ size }) => size) ?? [];
      return graph.input(node.name, [rows, columns, channels]);
    }
    case 'Conv2D':
    case '_FusedConv2D': {
      const [fused, ...more] = fusedOps(node);
      const bias = fused === 'BiasAdd' ? weights(2) : null;
      // Rows x columns x input channels x output channels there.
      const kernel = permuted(weights(1), [3, 2, 0, 1]);
      const result = graph.conv(value(0), kernel, bias, 1, { ...windowOf(node), dilations: dilationsOf(node) });
      const activations = bias || fused === undefined ? more : [fused, ...more];
      return activated(graph, result, activations, () => weights(3));
    }
    case '_FusedMatMul': {
      if (node.attr.transpose_a?.b || node.attr.transpose_b?.b) throw new Error('its factors must not be transposed');
      const [fused, ...more] = fusedOps(node);
      const bias = fused === 'BiasAdd' ? weights(2) : null;
      // Inputs x outputs there.
      const result = graph.fullyConnected(value(0), permuted(weights(1), [1, 0]), bias);
      const activations = bias || fused === undefined ? more : [fused, ...more];
      return activated(graph, result, activations, () => weights(3));
    }
    case 'DepthwiseConv2dNative': {
      const kernel = weights(1);
      const [rows = 0, columns = 0, channels = 0, multiplier = 0] = kernel.dims;
      const merged = { data: kernel.data, dims: [rows, columns, channels * multiplier, 1] };
      const window = { ...windowOf(node), dilations: dilationsOf(node) };
      return graph.conv(value(0), permuted(merged, [2, 3, 0, 1]), null, channels, window);
    }
    case 'MaxPool':
      return graph.maxPool(value(0), middle(node, 'ksize'), windowOf(node));
    case 'AddV2':
    case 'Add': {
      const second = values.get(inputName(1)) ?? weights(1);
      return graph.binary('Add', value(0), second);
    }
    case 'Prelu':
      return graph.prelu(value(0), weights(1));
    case 'Relu':
    case 'Sigmoid':
    case 'Identity':
      return graph.unary(node.op, value(0));
    case 'Pad': {
      const { data, dims } = weights(1);
      const pairs = Array.from(
        { length: dims[0] ?? 0 },
        (_, row) => [data[row * 2] ?? 0, data[row * 2 + 1] ?? 0] as const,
      );
      return graph.pad(value(0), pairs);
    }
    case 'Reshape':
      return graph.reshape(value(0), [...weights(1).data]);
    default:
      throw new Error('there is no conversion for it');
  }
}

function activated(
  graph: ChannelsFirstGraph,
  value: Value,
  activations: readonly string[],
  slope: () => Weights,
): Value {
  return activations.reduce((result, activation) => {
    if (activation === 'Relu') return graph.unary('Relu', result);
    if (activation === 'Relu6') return graph.clipped(result, 6);
    if (activation === 'Prelu') return graph.prelu(result, slope());
    throw new Error(`there is no conversion for its activation ${activation}`);
  }, value);
}

function windowOf({ attr }: TfjsNode): Window {
  const padding = base64(attr.padding?.s).toLowerCase();
  if (padding !== 'same' && padding !== 'valid') throw new Error(`there is no conversion for its padding ${padding}`);
  if (base64(attr.data_format?.s ?? 'TkhXQw==') !== 'NHWC') throw new Error('its channels must come last');
  return { padding, strides: middle({ attr }, 'strides') };
}

function dilationsOf(node: TfjsNode): readonly [number, number] {
  return node.attr.dilations ? middle(node, 'dilations') : [1, 1];
}

/** Rows and columns of a list over batch, rows, columns and channels. */
function middle({ attr }: Pick<TfjsNode, 'attr'>, name: string): readonly [number, number] {
  const [batch, rows = 1, columns = 1, channels] = attr[name]?.list?.i ?? [];
  if (batch !== 1 || channels !== 1) throw new Error(`its ${name} must be for rows and columns`);
  return [rows, columns];
}

function fusedOps({ attr }: TfjsNode): string[] {
  return (attr.fused_ops?.list?.s ?? []).map(base64);
}

function base64(text = ''): string {
  return Buffer.from(text, 'base64').toString('latin1');
}

/** The node's name in a reference to its first output. */
function bareName(reference: string): string {
  return reference.replace(/^\^/, '').replace(/:0$/, '');
}

/** Nodes that compute, each after those it needs. Throws a plain Error when they go in a circle. */
function inOrder({ nodes, constants }: TfjsGraph): TfjsNode[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const ordered = new Set<TfjsNode>();
  const open = new Set<TfjsNode>();
  const visit = (node: TfjsNode) => {
    if (ordered.has(node)) return;
    if (open.has(node)) throw new Error(`${node.op} ${node.name} needs itself`);
    open.add(node);
    for (const input of node.input.map(bareName)) {
      const needed = byName.get(input);
      if (needed && !constants.has(input)) visit(needed);
    }
    open.delete(node);
    ordered.add(node);
  };
  for (const node of nodes) if (node.op !== 'Const') visit(node);
  return [...ordered];
}
