import type { Attributes, Shape, TensorGraph } from '../engine.ts';

/** Types of tensors inside of a step. */
export type ElementType = 'float32' | 'uint8' | 'int64' | 'bool';

export interface TensorInfo {
  readonly shape: Shape;
  readonly type: ElementType;
}

/** A node as it was asked for; it may be written as several (`emit`). */
export interface OperatorNode {
  readonly opType: string;
  readonly name: string;
  /** An empty name stands for an optional input that was left out. */
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes: Attributes;
}

/** A graph as operators see it, beyond what losses need. */
export interface OperatorGraph extends TensorGraph {
  /** Channels side by side in ONNX Runtime's blocked layout (NCHWc), or null to do without it. */
  readonly block: number | null;
  infoOf(name: string): TensorInfo;
  /** The integers of a constant, or null when they are known only when the step runs. */
  integersOf(name: string): readonly number[] | null;
  /** Adds a node that has no gradient of its own and gives its outputs; nothing is inferred of it. */
  raw(
    opType: string,
    inputs: readonly string[],
    outputs: readonly TensorInfo[],
    options?: { readonly attributes?: Attributes; readonly domain?: string },
  ): string[];
}

/** What must be known of an operator to train through it. */
export interface Operator {
  /**
   * The same thing in other operators, whose gradients are then its own; gives the name of the result, or null when it is
   * to stay as it is.
   */
  lower?(graph: OperatorGraph, node: Omit<OperatorNode, 'output'>): string | null;
  /** Shape and type of the output. Throws a plain Error that says what does not fit. Missing where `lower` always does. */
  infer?(graph: OperatorGraph, node: Omit<OperatorNode, 'output'>): TensorInfo;
  /** Nodes that compute it, when ONNX Runtime has a faster form than the operator itself; gives the output's name. */
  emit?(graph: OperatorGraph, node: Omit<OperatorNode, 'output'>): string;
  /**
   * Nodes that compute the loss's gradient by each input from that by the output; null for inputs that have none.
   * Only those with `wanted` are looked at. Missing: nothing can be trained through it.
   */
  gradient?(
    graph: OperatorGraph,
    node: OperatorNode,
    gradient: string,
    wanted: readonly boolean[],
  ): readonly (string | null)[];
}

export function intsOf(attributes: Attributes, name: string): readonly number[] | undefined {
  const value = attributes[name];
  return typeof value === 'object' ? value : undefined;
}

export function numberOf(attributes: Attributes, name: string, otherwise: number): number {
  const value = attributes[name];
  return typeof value === 'number' ? value : otherwise;
}

/** The name of an input that must be there. */
export function inputOf(node: { readonly inputs: readonly string[] }, index: number): string {
  const name = node.inputs[index];
  if (!name) throw new Error(`input ${index} is missing`);
  return name;
}
