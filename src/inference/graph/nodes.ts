import { ONNX_ATTRIBUTE, type OnnxAttribute, type OnnxGraph, type OnnxNode, type OnnxTensor } from './onnx-proto.ts';

/** A standard operator with its attributes; every integer list becomes INTS, every integer INT. */
export function node(
  opType: string,
  input: readonly string[],
  output: string,
  attributes: Readonly<Record<string, number | readonly number[]>> = {},
): OnnxNode {
  const attribute = Object.entries(attributes).map(
    ([name, value]): OnnxAttribute =>
      typeof value === 'number'
        ? { name, type: ONNX_ATTRIBUTE.int, i: value }
        : { name, type: ONNX_ATTRIBUTE.ints, ints: [...value] },
  );
  return { opType, input: [...input], output: [output], name: output, attribute };
}

/**
 * A constant as a node. Initialisers would do from IR version 4 on; before, each had to be a graph input too, which a
 * caller could override.
 */
export function constant(tensor: OnnxTensor & { name: string }): OnnxNode {
  const { name, ...value } = tensor;
  const attribute: OnnxAttribute = { name: 'value', type: ONNX_ATTRIBUTE.tensor, t: value };
  return { opType: 'Constant', input: [], output: [name], name, attribute: [attribute] };
}

/** The tensor behind a name when it is fixed in the file: an initialiser or the output of a Constant. */
export function constantTensors(graph: OnnxGraph): ReadonlyMap<string, OnnxTensor> {
  const constants = new Map<string, OnnxTensor>();
  for (const tensor of graph.initializer) if (tensor.name !== undefined) constants.set(tensor.name, tensor);
  for (const { opType, output, attribute } of graph.node) {
    const tensor = attribute?.find((it) => it.name === 'value')?.t;
    if (opType === 'Constant' && tensor && output[0] !== undefined) constants.set(output[0], tensor);
  }
  return constants;
}

/** A name that nothing in the graph has yet: `wanted`, or `wanted` with a number. */
export function freeName(graph: OnnxGraph, wanted: string): string {
  const taken = new Set<string>();
  for (const it of [...graph.input, ...graph.output]) taken.add(it.name);
  for (const it of graph.initializer) if (it.name !== undefined) taken.add(it.name);
  for (const it of graph.node) for (const name of [...it.input, ...it.output]) taken.add(name);
  if (!taken.has(wanted)) return wanted;
  let count = 1;
  while (taken.has(`${wanted}_${count}`)) count += 1;
  return `${wanted}_${count}`;
}
