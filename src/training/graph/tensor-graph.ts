import { EyelineError, messageOf } from '../../core/errors.ts';
import type { Attributes, Parameter, Shape, TensorType } from '../engine.ts';
import type { OperatorGraph, OperatorNode, TensorInfo } from './operator.ts';
import { OPERATORS } from './operators.ts';
import { text } from './shapes.ts';

/** A node as it will stand in the file. */
export interface FileNode {
  readonly opType: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Attributes;
}

export interface Constant {
  readonly type: 'float32' | 'int64';
  readonly shape: Shape;
  readonly values: ArrayLike<number>;
}

/** A graph that remembers how it was built. */
export interface RecordedGraph extends OperatorGraph {
  /** What was asked for, in order: what is differentiated. */
  readonly tape: readonly OperatorNode[];
  /** What is to be written, in order. */
  readonly nodes: readonly FileNode[];
  readonly constants: ReadonlyMap<string, Constant>;
  readonly inputs: ReadonlyMap<string, { readonly shape: Shape; readonly type: TensorType }>;
  readonly parameters: ReadonlyMap<string, Parameter>;
  readonly buffers: ReadonlyMap<string, Parameter>;
  /** Buffer to the tensor that holds it after the step. */
  readonly updates: ReadonlyMap<string, string>;
}

/**
 * An empty graph. The same node asked for twice is one.
 *
 * @param block channels of ONNX Runtime's blocked layout, or null (blocked-layout.ts)
 */
export function createTensorGraph(block: number | null = null): RecordedGraph {
  const infos = new Map<string, TensorInfo>();
  const tape: OperatorNode[] = [];
  const nodes: FileNode[] = [];
  const constants = new Map<string, Constant>();
  const inputs = new Map<string, { shape: Shape; type: TensorType }>();
  const parameters = new Map<string, Parameter>();
  const buffers = new Map<string, Parameter>();
  const updates = new Map<string, string>();
  const known = new Map<string, string[]>();

  let count = 0;
  const fresh = (kind: string, info: TensorInfo): string => {
    let name: string;
    do name = `step:${count++}:${kind}`;
    while (infos.has(name));
    infos.set(name, info);
    return name;
  };

  const infoOf = (name: string): TensorInfo => {
    const info = infos.get(name);
    if (!info) throw new Error(`nothing computes ${name}`);
    return info;
  };

  /** Adds something from outside of the graph under its own name. */
  const outside = (name: string, info: TensorInfo): string => {
    if (infos.has(name)) throw new RangeError(`${name} is there already`);
    infos.set(name, info);
    return name;
  };

  const constant = (value: Constant): string => {
    // Long ones are not worth a comparison.
    const key =
      value.values.length > 32 ? null : `${value.type} ${value.shape.join()} ${Array.from(value.values).join()}`;
    const same = key === null ? undefined : known.get(key)?.[0];
    if (same) return same;
    const name = fresh('constant', { shape: value.shape, type: value.type });
    constants.set(name, value);
    if (key !== null) known.set(key, [name]);
    return name;
  };

  const graph: RecordedGraph = {
    block,
    tape,
    nodes,
    constants,
    inputs,
    parameters,
    buffers,
    updates,
    infoOf,
    shapeOf: (name) => infoOf(name).shape,
    integersOf: (name) => {
      const value = constants.get(name);
      return value?.type === 'int64' ? Array.from(value.values) : null;
    },
    input: (name, shape, type = 'float32') => {
      inputs.set(name, { shape, type });
      return outside(name, { shape, type });
    },
    parameter: (parameter) => {
      if (parameters.has(parameter.name)) return parameter.name;
      parameters.set(parameter.name, parameter);
      return outside(parameter.name, { shape: parameter.shape, type: 'float32' });
    },
    buffer: (parameter) => {
      if (buffers.has(parameter.name)) return parameter.name;
      buffers.set(parameter.name, parameter);
      return outside(parameter.name, { shape: parameter.shape, type: 'float32' });
    },
    updateBuffer: (name, updated) => {
      updates.set(name, updated);
    },
    floats: (values, shape = [values.length]) => constant({ type: 'float32', shape, values }),
    int64s: (values, shape = [values.length]) => constant({ type: 'int64', shape, values }),
    raw: (opType, from, outputs, { attributes = {}, domain = '' } = {}) => {
      const key = `${domain}.${opType} ${from.join()} ${JSON.stringify(attributes)} ${outputs.length}`;
      const same = known.get(key);
      if (same) return same;
      const names = outputs.map((info) => fresh(opType, info));
      nodes.push({ opType, domain, inputs: from, outputs: names, attributes });
      known.set(key, names);
      return names;
    },
    op: (opType, from, attributes = {}, name = '') => {
      const key = `op ${opType} ${from.join()} ${JSON.stringify(attributes)}`;
      const same = known.get(key)?.[0];
      if (same) return same;
      const output = added({ opType, inputs: from, attributes, name });
      known.set(key, [output]);
      return output;
    },
  };

  const added = (node: Omit<OperatorNode, 'output'>): string => {
    const operator = OPERATORS[node.opType];
    if (!operator) throw untrainable(node, 'no gradient is known for this operator');
    try {
      const lowered = operator.lower?.(graph, node);
      if (lowered) return lowered;
      const info = operator.infer?.(graph, node);
      if (!info) throw new Error('this form of it is not known');
      const { opType, inputs: from, attributes } = node;
      const output = operator.emit?.(graph, node) ?? graph.raw(opType, from, [info], { attributes })[0] ?? '';
      tape.push({ ...node, output });
      return output;
    } catch (error) {
      if (error instanceof EyelineError) throw error;
      throw untrainable(node, messageOf(error));
    }
  };
  return graph;
}

/** An error that names operator and node. */
export function untrainable(node: { readonly opType: string; readonly name: string }, why: string): EyelineError {
  const which = node.name ? ` (node ${node.name})` : '';
  return new EyelineError('GRAPH_UNTRAINABLE', `operator ${node.opType}${which} cannot be trained: ${why}`);
}

/** An error about a graph as a whole. */
export function notScalar(name: string, shape: Shape): EyelineError {
  return new EyelineError('GRAPH_UNTRAINABLE', `the loss ${name} is ${text(shape)}, not a single number`);
}
