import { describe, expect, it } from 'vitest';
import { messageOf } from '../../src/core/errors.ts';
import { node } from '../../src/inference/graph/nodes.ts';
import { encodeModel, ONNX_TYPE } from '../../src/inference/graph/onnx-proto.ts';
import { floatTensor, int64Tensor } from '../../src/inference/graph/tensor-values.ts';
import { meanSquaredError } from '../../src/training/losses/mean-squared-error.ts';
import { resnet } from '../../src/training/resnet.ts';
import { initialValues, openTrainableGraph } from '../../src/training/trainable-graph.ts';
import { writeWeights } from '../../src/training/write-weights.ts';
import { floats, noise, openSession, runStep, slopeRatios, withStep } from './step-rig.ts';

const INPUT = [3, 32, 32];
const SMALL = resnet({ input: 32, embedding: 5, stages: [1, 1], width: 4, seed: 3 });

const run = async (onnx: Uint8Array, shape: readonly number[], data: Float32Array) => {
  const session = await openSession(onnx, 'model');
  try {
    const [output] = Object.values(await session.run([floats(shape, data)]));
    if (!output) throw new Error('no output');
    return output;
  } finally {
    await session.release();
  }
};

/** Written as an exporter of 2019 would: operator set 9, shapes computed from shapes, anchors as initialisers. */
function oldStyle(opType = 'Relu'): Uint8Array {
  const value = (name: string, dims: readonly number[]) => ({
    name,
    type: { tensorType: { elemType: ONNX_TYPE.float, shape: { dim: dims.map((dimValue) => ({ dimValue })) } } },
  });
  return encodeModel({
    irVersion: 4,
    opsetImport: [{ domain: '', version: 9 }],
    graph: {
      name: 'old',
      node: [
        node('Conv', ['pixels', 'kernel', 'bias'], 'map', { kernel_shape: [1, 1] }),
        node(opType, ['map'], 'positive'),
        node('Transpose', ['positive'], 'last', { perm: [0, 2, 3, 1] }),
        node('Shape', ['last'], 'shape'),
        node('Gather', ['shape', 'zero'], 'batch', { axis: 0 }),
        node('Unsqueeze', ['batch'], 'batch1', { axes: [0] }),
        node('Concat', ['batch1', 'rest', 'two'], 'wanted', { axis: 0 }),
        node('Reshape', ['last', 'wanted'], 'anchors'),
        node('Softmax', ['anchors'], 'scores', { axis: 2 }),
        node('Slice', ['scores'], 'faces', { axes: [2], starts: [1], ends: [9_000] }),
        node('Mul', ['faces', 'priors'], 'output'),
      ],
      initializer: [
        floatTensor('kernel', [4, 2, 1, 1], Array.from(noise([8], 2))),
        floatTensor('bias', [4], [0.1, 0.2, 0.3, 0.4]),
        { ...int64Tensor('zero', [0]), dims: [] },
        int64Tensor('rest', [-1]),
        int64Tensor('two', [2]),
        floatTensor('priors', [1, 8, 1], [1, 2, 3, 4, 5, 6, 7, 8]),
      ],
      input: [value('pixels', [1, 2, 2, 2])],
      output: [value('output', [1, 8, 1])],
      valueInfo: [],
    },
  });
}

/** A convolution, normalised, and a Tanh: no corners for finite differences to step over. */
function smooth(): Uint8Array {
  const value = (name: string, dims: readonly number[]) => ({
    name,
    type: { tensorType: { elemType: ONNX_TYPE.float, shape: { dim: dims.map((dimValue) => ({ dimValue })) } } },
  });
  return encodeModel({
    irVersion: 7,
    opsetImport: [{ domain: '', version: 13 }],
    graph: {
      name: 'smooth',
      node: [
        node('Conv', ['pixels', 'kernel', 'bias'], 'map', { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }),
        node('BatchNormalization', ['map', 'scale', 'shift', 'mean', 'variance'], 'normal'),
        node('Tanh', ['normal'], 'bent'),
        node('GlobalAveragePool', ['bent'], 'output'),
      ],
      initializer: [
        floatTensor('kernel', [3, 2, 3, 3], Array.from(noise([54], 2))),
        floatTensor('bias', [3], Array.from(noise([3], 3))),
        floatTensor('scale', [3], [1, 0.7, -0.8]),
        floatTensor('shift', [3], [0.3, -0.2, 0.1]),
        floatTensor('mean', [3], [0.1, -0.1, 0.2]),
        floatTensor('variance', [3], [0.5, 2, 1]),
      ],
      input: [value('pixels', [1, 2, 3, 3])],
      output: [value('output', [1, 3, 1, 1])],
      valueInfo: [],
    },
  });
}

describe('a model cut in two', () => {
  /** The places a refusal names, in the order of the file. */
  const places = () => {
    try {
      openTrainableGraph(SMALL, { input: INPUT, cut: 'nowhere' });
      return [];
    } catch (error) {
      return messageOf(error).split('it can be at ')[1]?.split(', ') ?? [];
    }
  };

  it('computes what the whole computes, wherever it is cut', async () => {
    const pictures = noise([2, ...INPUT], 9);
    const whole = await run(SMALL, [2, ...INPUT], pictures);
    const cuts = places().map((cut) => openTrainableGraph(SMALL, { input: INPUT, cut }).cut);
    // Inside of a block two ways lead on, so there is none.
    expect(cuts.map(({ node: name }) => name).filter((name) => name?.startsWith('sum'))).toHaveLength(2);
    expect(cuts.map(({ layers }) => layers)).toEqual(cuts.map(({ layers }) => layers).toSorted((a, b) => b - a));
    for (const cut of [null, cuts[4]?.tensor ?? '', { layers: 4 }, { layers: 1 }]) {
      const tail = openTrainableGraph(SMALL, { input: INPUT, cut });
      const activations = tail.frozenOnnx
        ? await run(tail.frozenOnnx, [2, ...INPUT], pictures)
        : { data: pictures, shape: [2, ...INPUT] };
      expect(activations.shape).toEqual([2, ...tail.cut.shape]);
      const { outputs } = await runStep(
        (graph) => {
          const { embedding = '' } = tail.apply(graph, graph.input('x', activations.shape));
          return { loss: graph.op('ReduceMean', [embedding], { keepdims: 0 }), outputs: { embedding } };
        },
        { x: floats(activations.shape, activations.data) },
        initialValues(tail.parameters),
      );
      for (const [index, number] of whole.data.entries()) expect(outputs.embedding?.data[index]).toBeCloseTo(number, 4);
    }
  });

  it('counts what trains', () => {
    const tail = openTrainableGraph(SMALL, { input: INPUT, cut: { layers: 1 } });
    expect(tail.parameters.map(({ name, decays }) => [name, decays])).toEqual([
      ['head.weight', true],
      ['head.bias', false],
    ]);
    expect(tail.cut).toMatchObject({ weights: 5 * 32 + 5, layers: 1 });
    const biases = openTrainableGraph(SMALL, { input: INPUT, cut: null, trains: (name) => name.endsWith('.bias') });
    expect(biases.parameters.every(({ name }) => name.endsWith('.bias'))).toBe(true);
  });

  it.each(['frozen', 'batch'] as const)(
    'has the slopes its gradients say, normalised by %s statistics',
    async (mode) => {
      const tail = openTrainableGraph(smooth(), { input: [2, 3, 3], cut: null, batchNormalization: mode });
      const shape = [4, 2, 3, 3];
      await withStep(
        (graph) => {
          const { output: values = '' } = tail.apply(graph, graph.input('x', shape));
          return { loss: meanSquaredError(graph, { values, targets: graph.input('y', [4, 3, 1, 1]) }) };
        },
        { x: floats(shape, noise(shape, 7)), y: floats([4, 3, 1, 1], noise([12], 8)) },
        async (step) => {
          const ratios = await slopeRatios(step, initialValues([...tail.parameters, ...tail.buffers]), 1e-2);
          // A bias before a mean is taken away has no slope at all.
          const kept = ['kernel', 'scale', 'shift', ...(mode === 'frozen' ? ['bias'] : [])];
          for (const name of kept) expect(Math.abs((ratios[name] ?? 0) - 1), name).toBeLessThan(0.01);
        },
      );
    },
  );

  it('has the slopes its gradients say through residual blocks and pooling', async () => {
    const tail = openTrainableGraph(SMALL, { input: INPUT, cut: null });
    const shape = [4, ...INPUT];
    await withStep(
      (graph) => {
        const { embedding: values = '' } = tail.apply(graph, graph.input('x', shape));
        return { loss: meanSquaredError(graph, { values, targets: graph.input('y', [4, 5]) }) };
      },
      { x: floats(shape, noise(shape, 7)), y: floats([4, 5], noise([4, 5], 8)) },
      async (step) => {
        const ratios = await slopeRatios(step, initialValues(tail.parameters), 3e-3);
        expect(Object.keys(ratios)).toHaveLength(tail.parameters.length);
        // Steps over the corners of Relu and MaxPool, and 24 bits, are what is left.
        for (const [name, ratio] of Object.entries(ratios)) expect(Math.abs(ratio - 1), name).toBeLessThan(0.05);
      },
    );
  });

  it('keeps running statistics as it normalises by those of the batch', async () => {
    const tail = openTrainableGraph(SMALL, { input: INPUT, cut: null, batchNormalization: 'batch' });
    expect(tail.buffers).toHaveLength(2 * 9);
    const shape = [8, ...INPUT];
    const values = initialValues([...tail.parameters, ...tail.buffers]);
    const { buffers } = await runStep(
      (graph) => ({
        loss: graph.op('ReduceMean', [tail.apply(graph, graph.input('x', shape)).embedding ?? ''], { keepdims: 0 }),
      }),
      { x: floats(shape, noise(shape, 4)) },
      values,
    );
    // The stem's: a tenth of the way from 0 and 1 to the mean and variance of the first convolution.
    const first = tail.buffers.find(({ name }) => name.endsWith('.mean'))?.name ?? '';
    const stem = openTrainableGraph(SMALL, { input: INPUT, cut: 'conv_0' });
    const map = await run(stem.frozenOnnx ?? new Uint8Array(), shape, noise(shape, 4));
    const own = map.data.filter((_, index) => Math.floor(index / 256) % 4 === 1);
    const mean = own.reduce((sum, it) => sum + it, 0) / own.length;
    const variance = own.reduce((sum, it) => sum + (it - mean) ** 2, 0) / (own.length - 1);
    expect(buffers[first]?.[1]).toBeCloseTo(0.1 * mean, 4);
    expect(buffers[first.replace('mean', 'variance')]?.[1]).toBeCloseTo(0.9 + 0.1 * variance, 4);
  });

  it('reads old operator sets, leaves anchors alone, and takes any batch', async () => {
    const bytes = oldStyle();
    const tail = openTrainableGraph(bytes, { input: [2, 2, 2], cut: null });
    expect(tail.parameters.map(({ name }) => name)).toEqual(['kernel', 'bias']);
    const pictures = noise([3, 2, 2, 2], 6);
    const { outputs, gradients } = await runStep(
      (graph) => {
        const { output = '' } = tail.apply(graph, graph.input('x', [3, 2, 2, 2]));
        return { loss: graph.op('ReduceMean', [output], { keepdims: 0 }), outputs: { output } };
      },
      { x: floats([3, 2, 2, 2], pictures) },
      initialValues(tail.parameters),
    );
    expect(outputs.output?.shape).toEqual([3, 8, 1]);
    expect(gradients.kernel?.some((it) => it !== 0)).toBe(true);
    const single = await run(bytes, [1, 2, 2, 2], pictures.slice(0, 8));
    for (const [index, number] of single.data.entries()) expect(outputs.output?.data[index]).toBeCloseTo(number, 5);
  });

  it('names operator and node that cannot be trained, and where a cut is possible', () => {
    expect(() => openTrainableGraph(oldStyle('Erf'), { input: [2, 2, 2], cut: null })).toThrow(
      expect.objectContaining({
        code: 'GRAPH_UNTRAINABLE',
        message: 'operator Erf (node positive) cannot be trained: no gradient is known for this operator',
      }),
    );
    expect(() => openTrainableGraph(SMALL, { input: INPUT, cut: 'nowhere' })).toThrow(
      /cannot be cut at nowhere; it can be at input, conv_0,/,
    );
    expect(() => openTrainableGraph(new Uint8Array([1, 2, 3]), { input: INPUT, cut: null })).toThrow(
      expect.objectContaining({ code: 'GRAPH_UNTRAINABLE' }),
    );
  });
});

describe('trained weights', () => {
  it('go back into the file they came from', async () => {
    const tail = openTrainableGraph(SMALL, { input: INPUT, cut: { layers: 1 } });
    const pictures = noise(INPUT, 2);
    const before = await run(SMALL, [1, ...INPUT], pictures);
    const bias = (initialValues(tail.parameters)['head.bias'] ?? new Float32Array()).map(
      (value, index) => value + index,
    );
    const changed = writeWeights(SMALL, { 'head.bias': bias });
    expect(changed.length).toBe(SMALL.length);
    const after = await run(changed, [1, ...INPUT], pictures);
    for (const [index, number] of before.data.entries()) expect(after.data[index]).toBeCloseTo(number + index, 4);
    expect(writeWeights(SMALL, initialValues(tail.parameters))).toEqual(SMALL);
  });

  it.each([
    ['unknown', new Float32Array(5), 'the model has no weight unknown'],
    ['head.bias', new Float32Array(4), 'weight head.bias of the model has not 4 numbers'],
  ])('that are not the model’s are refused: %s', (name, data, message) => {
    expect(() => writeWeights(SMALL, { [name]: data })).toThrow(
      expect.objectContaining({ code: 'GRAPH_UNTRAINABLE', message }),
    );
  });
});
