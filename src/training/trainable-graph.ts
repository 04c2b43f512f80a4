import { EyelineError } from '../core/errors.ts';
import { dropUnused } from '../inference/graph/drop-unused.ts';
import { encodeModel, ONNX_TYPE } from '../inference/graph/onnx-proto.ts';
import type { CutPoint, Parameter, Shape, TrainableGraph, TrainableOptions } from './engine.ts';
import { addNodes, type ModelFile, type ReadOptions, readModelFile } from './graph/model-reader.ts';
import { sizeOf } from './graph/shapes.ts';
import { createTensorGraph, type RecordedGraph } from './graph/tensor-graph.ts';

/**
 * Cuts a model in a frozen part and a tail that trains.
 *
 * @param bytes an ONNX file with one input, FLOAT or UINT8, batch first; the pulled file or a prepared one
 *
 * Throws GRAPH_UNTRAINABLE, which names operator and node, or the places where the model can be cut.
 */
export function openTrainableGraph(bytes: Uint8Array, options: TrainableOptions): TrainableGraph {
  const file = readModelFile(bytes);
  const read: ReadOptions = {
    batchNormalization: options.batchNormalization ?? 'frozen',
    trains: options.trains ?? (() => true),
  };
  const whole = scratch(file, options.input, read);
  const points = findCuts(file, whole, options);
  const { point, after } = chosen(points, options.cut);

  const tail = createTensorGraph();
  tail.input(point.tensor, [1, ...point.shape], after === 0 ? file.input.type : 'float32');
  addNodes(tail, file, after, new Map([[point.tensor, point.tensor]]), read);
  const outputs = file.outputs.map((name) => ({ name, shape: whole.shapeOf(name).slice(1) }));

  return {
    frozenOnnx: after === 0 ? null : frozenPart(bytes, point),
    cut: point,
    inputType: file.input.type,
    outputs,
    parameters: [...tail.parameters.values()],
    buffers: [...tail.buffers.values()],
    apply: (graph, activations, { evaluates = false } = {}) => {
      const known = new Map([[point.tensor, activations]]);
      const learned = evaluates && read.batchNormalization === 'batch';
      const how = learned ? { ...read, batchNormalization: 'running' as const } : read;
      addNodes(graph as RecordedGraph, file, after, known, how);
      return Object.fromEntries(file.outputs.map((name) => [name, known.get(name) ?? '']));
    },
  };
}

/** Shapes of all tensors, for a batch of one. */
function scratch(file: ModelFile, input: Shape, read: ReadOptions) {
  const graph = createTensorGraph();
  const known = new Map([[file.input.name, graph.input(file.input.name, [1, ...input], file.input.type)]]);
  addNodes(graph, file, 0, known, read);
  return {
    shapeOf: (name: string) => graph.shapeOf(known.get(name) ?? name),
    /** Computed from the pixels by numbers, not by shapes. */
    moves: (name: string) => {
      const there = known.get(name);
      return (
        there !== undefined && !graph.constants.has(there) && !graph.parameters.has(there) && !file.fixed.has(name)
      );
    },
  };
}

interface Place {
  readonly point: CutPoint;
  /** The first node of the tail. */
  readonly after: number;
}

function findCuts(
  file: ModelFile,
  whole: ReturnType<typeof scratch>,
  { trains = () => true }: Pick<TrainableOptions, 'trains'>,
): Place[] {
  const { nodes, weights, input } = file;
  const lastUse = new Map<string, number>();
  for (const [index, node] of nodes.entries()) for (const name of node.input) lastUse.set(name, index);
  for (const name of file.outputs) lastUse.set(name, Number.POSITIVE_INFINITY);

  const places: Place[] = [];
  const live = new Set([input.name]);
  const add = (after: number, node: string | null) => {
    const [tensor, ...others] = live;
    if (tensor === undefined || others.length > 0 || file.outputs.includes(tensor)) return;
    const left = weights
      .slice(after)
      .flat()
      .filter(({ name }) => trains(name));
    const names = new Set(left.map(({ name }) => name));
    const sizes = Array.from(names, (name) => sizeOf(file.fixed.get(name)?.shape ?? []));
    const layers = new Set(left.filter(({ kernel }) => kernel).map(({ name }) => name)).size;
    const point = {
      tensor,
      node,
      shape: whole.shapeOf(tensor).slice(1),
      weights: sizes.reduce((sum, it) => sum + it, 0),
      layers,
    };
    places.push({ point, after });
  };
  add(0, null);
  for (const [index, node] of nodes.entries()) {
    for (const name of node.output) if (whole.moves(name)) live.add(name);
    for (const name of node.input) if (lastUse.get(name) === index) live.delete(name);
    for (const name of node.output) if (!lastUse.has(name)) live.delete(name);
    add(index + 1, node.name || (node.output[0] ?? null));
  }
  return places;
}

function chosen(places: readonly Place[], cut: TrainableOptions['cut']): Place {
  const [all] = places;
  if (!all) throw new EyelineError('GRAPH_UNTRAINABLE', 'the model computes nothing');
  if (cut === null) return all;
  if (typeof cut === 'object') return places.findLast(({ point }) => point.layers >= cut.layers) ?? all;
  const found = places.find(({ point }) => point.tensor === cut || point.node === cut);
  if (found) return found;
  const names = places.map(({ point }) => point.node ?? point.tensor);
  throw new EyelineError('GRAPH_UNTRAINABLE', `the model cannot be cut at ${cut}; it can be at ${names.join(', ')}`);
}

function frozenPart(bytes: Uint8Array, { tensor, shape }: CutPoint): Uint8Array {
  const { model } = readModelFile(bytes);
  const dim = [{ dimParam: 'n' }, ...shape.map((dimValue) => ({ dimValue }))];
  model.graph.output = [{ name: tensor, type: { tensorType: { elemType: ONNX_TYPE.float, shape: { dim } } } }];
  dropUnused(model.graph);
  return encodeModel(model);
}

/** What a trainable graph's parameters and running statistics begin with, copied. */
export function initialValues(parameters: readonly Parameter[]): Record<string, Float32Array> {
  return Object.fromEntries(parameters.map(({ name, initial }) => [name, initial.slice()]));
}
