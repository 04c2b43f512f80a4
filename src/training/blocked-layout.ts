import type { BatchTensor, OpenSession } from './engine.ts';
import { encodeGraph } from './graph/encode-graph.ts';
import { sizeOf } from './graph/shapes.ts';
import { createTensorGraph, type RecordedGraph } from './graph/tensor-graph.ts';
import { buildStepGraph } from './step-graph.ts';
import { openTrainStep } from './train-step.ts';

/** Blocks are as wide as a vector register: 8 (AVX2) or 16 numbers (AVX-512, Arm). */
const LEAST_BLOCK = 8;
const TOLERANCE = 1e-3;

/**
 * Channels of the blocked layout that ONNX Runtime's CPU provider uses on this machine, or null where it has none: tried out,
 * and compared with the plain form, gradients too. It is an operator set of ONNX Runtime's own, so nothing is taken for granted.
 */
export async function probeBlock(open: OpenSession): Promise<number | null> {
  try {
    const block = await blockOf(open);
    if (block < LEAST_BLOCK) return null;
    const [plain, blocked] = [await trial(open, null, block), await trial(open, block, block)];
    return plain.every((value, index) => Math.abs(value - (blocked[index] ?? Number.NaN)) < TOLERANCE) ? block : null;
  } catch {
    return null;
  }
}

/** Four channels become a whole block. */
async function blockOf(open: OpenSession): Promise<number> {
  const graph = createTensorGraph();
  const x = graph.input('x', [1, 4, 1, 1]);
  const [blocked = ''] = graph.raw('ReorderInput', [x], [graph.infoOf(x)], { domain: 'com.microsoft.nchwc' });
  const session = await open(encodeGraph(withoutShapes(graph), [['y', blocked]], new Set()), 'block');
  try {
    const { y } = await session.run([ramp([1, 4, 1, 1])]);
    return y?.shape[1] ?? 1;
  } finally {
    await session.release();
  }
}

/** The output's shape is what is asked. */
function withoutShapes(graph: RecordedGraph): RecordedGraph {
  return { ...graph, shapeOf: () => ['n', 'c', 'h', 'w'].map(() => 0) };
}

/** Loss and gradients of two depthwise convolutions, one with a stride. */
async function trial(open: OpenSession, block: number | null, channels: number): Promise<number[]> {
  const shape = [2, channels, 6, 6];
  const kernel = (name: string) => ({ name, shape: [channels, 1, 3, 3], initial: new Float32Array(), decays: true });
  const step = buildStepGraph(
    (graph) => {
      const same = { group: channels, pads: [1, 1, 1, 1] };
      const first = graph.op('Conv', [graph.input('x', shape), graph.parameter(kernel('a'))], same);
      const second = graph.op('Conv', [first, graph.parameter(kernel('b'))], { ...same, strides: [2, 2] });
      return { loss: graph.op('ReduceMean', [graph.op('Mul', [second, second])], { keepdims: 0 }) };
    },
    { block },
  );
  const opened = await openTrainStep(step, open);
  try {
    const weights = ramp([channels, 1, 3, 3]).data;
    const { loss, gradients } = await opened.run({ x: ramp(shape) }, { a: weights, b: weights });
    return [loss, ...(gradients.a ?? []), ...(gradients.b ?? [])];
  } finally {
    await opened.release();
  }
}

function ramp(shape: readonly number[]): BatchTensor & { readonly type: 'float32' } {
  return {
    type: 'float32',
    shape,
    data: Float32Array.from({ length: sizeOf(shape) }, (_, index) => ((index * 7) % 11) / 11 - 0.4),
  };
}
