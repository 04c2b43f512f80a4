import { describe, expect, it } from 'vitest';
import { decodeModel } from '../../src/inference/graph/onnx-proto.ts';
import type { TensorGraph } from '../../src/training/engine.ts';
import { reshape } from '../../src/training/graph/shorthand.ts';
import { buildStepGraph, gradientName } from '../../src/training/step-graph.ts';
import { floats, noise, runStep } from './step-rig.ts';

const LAYERS = ['first', 'second', 'third'];
const matrix = (name: string) => ({ name, shape: [4, 4], initial: new Float32Array(16), decays: true });

/** Three layers, each reshaped twice on the way. */
function layered(graph: TensorGraph) {
  let at = graph.input('x', [2, 4]);
  for (const name of LAYERS) {
    const given = graph.op('MatMul', [at, graph.parameter(matrix(name))]);
    at = reshape(graph, reshape(graph, given, [4, 2]), [2, 4]);
  }
  return { loss: graph.op('ReduceMean', [graph.op('Mul', [at, at])], { keepdims: 0 }) };
}

describe('the file of a step', () => {
  const { node: nodes } = decodeModel(buildStepGraph(layered).onnx).graph;

  it('ends with what no other node takes, gradients of the last layers last', () => {
    const used = new Set(nodes.flatMap(({ input }) => input));
    const results = nodes.filter(({ output }) => !output.some((name) => used.has(name)));
    expect(nodes.slice(-results.length)).toEqual(results);
    const gradients = results.flatMap(({ output }) => output).filter((name) => name.startsWith(gradientName('')));
    expect(gradients).toEqual(LAYERS.map(gradientName));
  });

  it('reshapes what was reshaped from the original, to the same numbers', async () => {
    const reshaped = new Set(nodes.filter(({ opType }) => opType === 'Reshape').flatMap(({ output }) => output));
    expect(reshaped.size).toBeGreaterThan(0);
    expect(nodes.filter(({ opType, input }) => opType === 'Reshape' && reshaped.has(input[0] ?? ''))).toEqual([]);
    const identity = Float32Array.from({ length: 16 }, (_, at) => (at % 5 === 0 ? 1 : 0));
    const x = noise([2, 4], 3);
    const { loss } = await runStep(
      layered,
      { x: floats([2, 4], x) },
      Object.fromEntries(LAYERS.map((name) => [name, identity])),
    );
    expect(loss).toBeCloseTo(x.reduce((sum, value) => sum + value * value, 0) / 8, 6);
  });
});
