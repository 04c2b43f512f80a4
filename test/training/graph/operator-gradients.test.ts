import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { probeBlock } from '../../../src/training/blocked-layout.ts';
import type { Attributes, Shape, TensorGraph } from '../../../src/training/engine.ts';
import { noise, openSession, runStep } from '../step-rig.ts';

/** Two implementations of the same function; theirs is TensorFlow.js, whose gradients are the oracle. */
interface Case {
  readonly shapes: Readonly<Record<string, Shape>>;
  /** Where the numbers lie; -1..1 by default. */
  readonly range?: (value: number) => number;
  readonly ours: (graph: TensorGraph, names: Readonly<Record<string, string>>) => string;
  readonly theirs: (tensors: Readonly<Record<string, tf.Tensor>>) => tf.Tensor;
}

const unary = (
  opType: string,
  theirs: (x: tf.Tensor) => tf.Tensor,
  attributes: Attributes = {},
  range?: Case['range'],
): Case => ({
  shapes: { x: [3, 4] },
  ...(range ? { range } : {}),
  ours: (graph, { x = '' }) => graph.op(opType, [x], attributes),
  theirs: ({ x }) => theirs(x as tf.Tensor),
});

const binary = (
  opType: string,
  theirs: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor,
  shapes: [Shape, Shape] = [
    [2, 3, 4],
    [3, 1],
  ],
  range?: Case['range'],
): Case => ({
  shapes: { a: shapes[0], b: shapes[1] },
  ...(range ? { range } : {}),
  ours: (graph, { a = '', b = '' }) => graph.op(opType, [a, b]),
  theirs: ({ a, b }) => theirs(a as tf.Tensor, b as tf.Tensor),
});

const positive = (value: number) => 1.2 + value;

const nhwc = (x: tf.Tensor) => tf.transpose(x, [0, 2, 3, 1]) as tf.Tensor4D;
const nchw = (x: tf.Tensor) => tf.transpose(x, [0, 3, 1, 2]);

interface Convolution {
  readonly x: Shape;
  readonly w: Shape;
  readonly group?: number;
  readonly stride?: number;
  readonly pad?: number | readonly [number, number, number, number];
  readonly dilation?: number;
}

/** A convolution with a bias; theirs works channels last, and depthwise where there is one group a channel. */
function convolution({ x, w, group = 1, stride = 1, pad = 0, dilation = 1 }: Convolution): Case {
  const pads = typeof pad === 'number' ? [pad, pad, pad, pad] : pad;
  const [top = 0, left = 0, bottom = 0, right = 0] = pads;
  const depthwise = group > 1 && group === x[1];
  return {
    shapes: { x, w, b: [w[0] ?? 1] },
    ours: (graph, { x: input = '', w: kernel = '', b = '' }) =>
      graph.op('Conv', [input, kernel, b], { group, strides: [stride, stride], pads, dilations: [dilation, dilation] }),
    theirs: ({ x: input, w: kernel, b }) => {
      const around: tf.Tensor4D = tf.pad(nhwc(input as tf.Tensor), [
        [0, 0],
        [top, bottom],
        [left, right],
        [0, 0],
      ]) as tf.Tensor4D;
      const part = (from: tf.Tensor4D, filters: tf.Tensor) => {
        const turned = tf.transpose(spread(filters, dilation), depthwise ? [2, 3, 0, 1] : [2, 3, 1, 0]) as tf.Tensor4D;
        return depthwise ? tf.depthwiseConv2d(from, turned, stride, 'valid') : tf.conv2d(from, turned, stride, 'valid');
      };
      const many = group > 1 && !depthwise;
      const result = many
        ? tf.concat(
            tf
              .split(around, group, 3)
              .map((from, index) =>
                part(from as tf.Tensor4D, tf.split(kernel as tf.Tensor, group, 0)[index] as tf.Tensor),
              ),
            3,
          )
        : part(around, kernel as tf.Tensor);
      return nchw(tf.add(result, b as tf.Tensor));
    },
  };
}

/** A dilated kernel is one with zeros between its numbers; TensorFlow.js has no gradient of the former. */
function spread(kernel: tf.Tensor, dilation: number): tf.Tensor {
  const [filters = 1, channels = 1, height = 1, width = 1] = kernel.shape;
  if (dilation === 1) return kernel;
  const apart = tf.pad(tf.reshape(kernel, [filters * channels, height, 1, width, 1]), [
    [0, 0],
    [0, 0],
    [0, dilation - 1],
    [0, 0],
    [0, dilation - 1],
  ]);
  const whole = tf.reshape(apart, [filters, channels, height * dilation, width * dilation]);
  const [rows, columns] = [(height - 1) * dilation + 1, (width - 1) * dilation + 1];
  return tf.slice(whole, [0, 0, 0, 0], [filters, channels, rows, columns]);
}

const CASES: Readonly<Record<string, Case>> = {
  'Conv 1x1': convolution({ x: [2, 3, 4, 5], w: [6, 3, 1, 1] }),
  'Conv 1x1, many filters': convolution({ x: [3, 20, 2, 2], w: [24, 20, 1, 1] }),
  'Conv 1x1 with a stride': convolution({ x: [2, 3, 5, 4], w: [2, 3, 1, 1], stride: 2 }),
  'Conv 1x1 of single pixels': convolution({ x: [3, 4, 1, 1], w: [5, 4, 1, 1] }),
  'Conv 3x3': convolution({ x: [2, 3, 5, 6], w: [4, 3, 3, 3], pad: 1 }),
  'Conv 3x3, many filters': convolution({ x: [2, 8, 4, 4], w: [9, 8, 3, 3], pad: 1 }),
  'Conv 3x3 with a stride': convolution({ x: [2, 3, 6, 7], w: [4, 3, 3, 3], pad: 1, stride: 2 }),
  'Conv 7x7 with a stride': convolution({ x: [1, 2, 9, 9], w: [3, 2, 7, 7], pad: 3, stride: 2 }),
  'Conv dilated': convolution({ x: [1, 2, 8, 8], w: [3, 2, 3, 3], pad: 2, dilation: 2 }),
  'Conv padded unevenly': convolution({ x: [1, 2, 5, 5], w: [2, 2, 2, 3], pad: [0, 2, 1, 0] }),
  'Conv padded wide': convolution({ x: [1, 2, 4, 4], w: [2, 2, 2, 2], pad: 3 }),
  'Conv grouped': convolution({ x: [2, 4, 4, 4], w: [6, 2, 3, 3], pad: 1, group: 2 }),
  'Conv depthwise': convolution({ x: [2, 16, 5, 6], w: [16, 1, 3, 3], pad: 1, group: 16 }),
  'Conv depthwise, odd channels': convolution({ x: [2, 3, 5, 4], w: [3, 1, 3, 3], pad: 1, group: 3 }),
  'Conv depthwise with a stride': convolution({ x: [2, 16, 7, 6], w: [16, 1, 3, 3], pad: 1, stride: 2, group: 16 }),
  'Conv depthwise, rows left over': convolution({ x: [1, 16, 6, 6], w: [16, 1, 3, 3], stride: 2, group: 16 }),
  'Conv depthwise over the whole picture': convolution({ x: [3, 16, 4, 7], w: [16, 1, 4, 7], group: 16 }),
  'Conv over the whole picture': convolution({ x: [3, 4, 2, 3], w: [5, 4, 2, 3] }),
  Relu: unary('Relu', tf.relu),
  LeakyRelu: unary('LeakyRelu', (x) => tf.leakyRelu(x, 0.2), { alpha: 0.2 }),
  Sigmoid: unary('Sigmoid', tf.sigmoid),
  Tanh: unary('Tanh', tf.tanh),
  Exp: unary('Exp', tf.exp),
  Log: unary('Log', tf.log, {}, positive),
  Sqrt: unary('Sqrt', tf.sqrt, {}, positive),
  Reciprocal: unary('Reciprocal', tf.reciprocal, {}, positive),
  Softplus: unary('Softplus', tf.softplus),
  Abs: unary('Abs', tf.abs),
  Neg: unary('Neg', tf.neg),
  Softmax: unary('Softmax', (x) => tf.softmax(x), { axis: -1 }),
  LogSoftmax: unary('LogSoftmax', (x) => tf.logSoftmax(x), { axis: 1 }),
  LpNormalization: unary('LpNormalization', (x) => tf.div(x, tf.norm(x, 2, 1, true)), { axis: 1, p: 2 }),
  Transpose: unary('Transpose', (x) => tf.transpose(x), { perm: [1, 0] }),
  Flatten: unary('Flatten', (x) => tf.reshape(x, [1, 12]), { axis: 0 }),
  Clip: {
    shapes: { x: [3, 4] },
    ours: (graph, { x = '' }) => graph.op('Clip', [x, graph.floats([-0.5], []), graph.floats([0.4], [])]),
    theirs: ({ x }) => tf.clipByValue(x as tf.Tensor, -0.5, 0.4),
  },
  Add: binary('Add', tf.add),
  Sub: binary('Sub', tf.sub),
  Mul: binary('Mul', tf.mul),
  Div: binary(
    'Div',
    tf.div,
    [
      [2, 3, 4],
      [3, 1],
    ],
    positive,
  ),
  Pow: binary('Pow', tf.pow, [[2, 3], [3]], positive),
  Max: binary('Max', (a, b) => tf.maximum(a, tf.tile(tf.reshape(b, [1, 3, 1]), [2, 1, 4]))),
  Min: binary('Min', (a, b) => tf.minimum(a, tf.tile(tf.reshape(b, [1, 3, 1]), [2, 1, 4]))),
  PRelu: {
    shapes: { x: [2, 3, 2, 2], s: [3, 1, 1] },
    ours: (graph, { x = '', s = '' }) => graph.op('PRelu', [x, s]),
    theirs: ({ x, s }) => tf.add(tf.relu(x as tf.Tensor), tf.mul(s as tf.Tensor, tf.minimum(x as tf.Tensor, 0))),
  },
  MatMul: binary('MatMul', (a, b) => tf.matMul(a, b), [
    [2, 3],
    [3, 4],
  ]),
  'MatMul of batches': binary('MatMul', (a, b) => tf.matMul(a, b), [
    [2, 3, 4],
    [2, 4, 5],
  ]),
  'MatMul, many against one': binary('MatMul', (a, b) => tf.reshape(tf.matMul(tf.reshape(a, [6, 4]), b), [2, 3, 5]), [
    [2, 3, 4],
    [4, 5],
  ]),
  Gemm: {
    shapes: { a: [4, 2], b: [3, 4], c: [3] },
    ours: (graph, { a = '', b = '', c = '' }) =>
      graph.op('Gemm', [a, b, c], { transA: 1, transB: 1, alpha: 0.5, beta: 2 }),
    theirs: ({ a, b, c }) =>
      tf.add(tf.mul(tf.matMul(a as tf.Tensor, b as tf.Tensor, true, true), 0.5), tf.mul(c as tf.Tensor, 2)),
  },
  ...Object.fromEntries(
    (
      [
        ['ReduceSum', (x) => tf.sum(x, [0, 2])],
        ['ReduceMean', (x) => tf.mean(x, [0, 2])],
        ['ReduceMax', (x) => tf.max(x, [0, 2])],
        ['ReduceMin', (x) => tf.min(x, [0, 2])],
        ['ReduceL2', (x) => tf.sqrt(tf.sum(tf.square(x), [0, 2]))],
        ['ReduceLogSumExp', (x) => tf.logSumExp(x, [0, 2])],
        ['ReduceSumSquare', (x) => tf.sum(tf.square(x), [0, 2])],
      ] as [string, (x: tf.Tensor) => tf.Tensor][]
    ).map(([opType, theirs]) => [
      opType,
      {
        shapes: { x: [2, 3, 4] },
        ours: (graph, { x = '' }) => graph.op(opType, [x, graph.int64s([0, -1])], { keepdims: 0 }),
        theirs: ({ x }) => theirs(x as tf.Tensor),
      } satisfies Case,
    ]),
  ),
  GlobalAveragePool: {
    shapes: { x: [2, 3, 4, 5] },
    ours: (graph, { x = '' }) => graph.op('GlobalAveragePool', [x]),
    theirs: ({ x }) => tf.mean(x as tf.Tensor, [2, 3], true),
  },
  MaxPool: {
    shapes: { x: [2, 3, 6, 6] },
    ours: (graph, { x = '' }) =>
      graph.op('MaxPool', [x], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
    theirs: ({ x }) =>
      nchw(
        tf.maxPool(
          tf.pad(
            nhwc(x as tf.Tensor),
            [
              [0, 0],
              [1, 1],
              [1, 1],
              [0, 0],
            ],
            -9,
          ) as tf.Tensor4D,
          3,
          2,
          'valid',
        ),
      ),
  },
  AveragePool: {
    shapes: { x: [2, 3, 6, 5] },
    ours: (graph, { x = '' }) => graph.op('AveragePool', [x], { kernel_shape: [2, 2], strides: [2, 2] }),
    theirs: ({ x }) => nchw(tf.avgPool(nhwc(x as tf.Tensor), 2, 2, 'valid')),
  },
  'AveragePool, padding left out': {
    shapes: { x: [1, 2, 4, 4] },
    ours: (graph, { x = '' }) => graph.op('AveragePool', [x], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }),
    // TensorFlow.js divides by the whole window in its gradient, but not in what it computes.
    theirs: ({ x }) => {
      const sums = (from: tf.Tensor) => tf.depthwiseConv2d(nhwc(from), tf.ones([3, 3, 2, 1]) as tf.Tensor4D, 1, 'same');
      return nchw(tf.div(sums(x as tf.Tensor), sums(tf.ones([1, 2, 4, 4]))));
    },
  },
  Concat: {
    shapes: { a: [2, 1, 3], b: [2, 2, 3] },
    ours: (graph, { a = '', b = '' }) => graph.op('Concat', [a, b, a], { axis: 1 }),
    theirs: ({ a, b }) => tf.concat([a as tf.Tensor, b as tf.Tensor, a as tf.Tensor], 1),
  },
  Slice: {
    shapes: { x: [5, 7] },
    ours: (graph, { x = '' }) =>
      graph.op('Slice', [x, graph.int64s([1, -6]), graph.int64s([4, 99]), graph.int64s([0, 1]), graph.int64s([1, 2])]),
    theirs: ({ x }) => tf.gather(tf.gather(x as tf.Tensor, [1, 2, 3]), [1, 3, 5], 1),
  },
  Pad: {
    shapes: { x: [2, 3] },
    ours: (graph, { x = '' }) => graph.op('Pad', [x, graph.int64s([1, 0, 0, 2])]),
    theirs: ({ x }) =>
      tf.pad(x as tf.Tensor, [
        [1, 0],
        [0, 2],
      ]),
  },
  Expand: {
    shapes: { x: [3, 1] },
    ours: (graph, { x = '' }) => graph.op('Expand', [x, graph.int64s([2, 3, 4])]),
    theirs: ({ x }) => tf.tile(tf.reshape(x as tf.Tensor, [1, 3, 1]), [2, 1, 4]),
  },
  'Squeeze and Unsqueeze': {
    shapes: { x: [3, 1, 2] },
    ours: (graph, { x = '' }) =>
      graph.op('Unsqueeze', [graph.op('Squeeze', [x, graph.int64s([1])]), graph.int64s([0, -1])]),
    theirs: ({ x }) => tf.reshape(x as tf.Tensor, [1, 3, 2, 1]),
  },
  'Gather of rows': {
    shapes: { x: [4, 3] },
    ours: (graph, { x = '' }) => graph.op('Gather', [x, graph.int64s([2, 0, 2])], { axis: 0 }),
    theirs: ({ x }) => tf.gather(x as tf.Tensor, [2, 0, 2]),
  },
  'Gather of columns': {
    shapes: { x: [2, 4, 3] },
    ours: (graph, { x = '' }) => graph.op('Gather', [x, graph.int64s([3, 1])], { axis: 1 }),
    theirs: ({ x }) => tf.gather(x as tf.Tensor, [3, 1], 1),
  },
  Where: {
    shapes: { a: [2, 3], b: [3] },
    ours: (graph, { a = '', b = '' }) => graph.op('Where', [graph.op('Greater', [a, graph.floats([0], [])]), a, b]),
    theirs: ({ a, b }) =>
      tf.where(
        tf.tensor(
          Array.from(noise([2, 3]), (value) => value > 0),
          [2, 3],
          'bool',
        ),
        a as tf.Tensor,
        tf.tile(tf.reshape(b as tf.Tensor, [1, 3]), [2, 1]),
      ),
  },
};

/** Sum of the outputs times fixed numbers: a gradient that differs at every place. */
const weighted = (size: number) => Float32Array.from({ length: size }, (_, index) => Math.sin(index + 1));

describe('an operator and its gradients agree with TensorFlow.js', () => {
  let block: number | null = null;
  beforeAll(async () => {
    await tf.setBackend('cpu');
    block = await probeBlock(openSession);
  });

  it.each(Object.entries(CASES))('%s', async (_, { shapes, range = (value) => value, ours, theirs }) => {
    const names = Object.keys(shapes);
    const values = Object.fromEntries(
      names.map((name, index) => [name, noise(shapes[name] ?? [], index + 1).map(range)]),
    );
    const tensors = names.map((name) => tf.tensor(values[name] ?? [], [...(shapes[name] ?? [])]));
    const apply = (list: tf.Tensor[]) =>
      theirs(Object.fromEntries(names.map((name, index) => [name, list[index] as tf.Tensor])));
    const wanted = apply(tensors);
    const factors = tf.tensor(weighted(wanted.size), wanted.shape);
    const gradients = tf.grads((...list) => tf.sum(tf.mul(apply(list), factors)))(tensors);

    for (const layout of [null, block]) {
      const result = await runStep(
        (graph) => {
          const parameters = names.map((name) =>
            graph.parameter({ name, shape: shapes[name] ?? [], initial: new Float32Array(), decays: true }),
          );
          const y = ours(graph, Object.fromEntries(names.map((name, index) => [name, parameters[index] ?? ''])));
          const product = graph.op('Mul', [y, graph.floats(weighted(wanted.size), wanted.shape)]);
          return { loss: graph.op('ReduceSum', [product], { keepdims: 0 }), outputs: { y } };
        },
        {},
        values,
        { block: layout },
      );
      expect(result.outputs.y?.shape).toEqual(wanted.shape);
      close(result.outputs.y?.data, wanted.dataSync());
      for (const [index, name] of names.entries()) close(result.gradients[name], gradients[index]?.dataSync(), name);
    }
  });
});

function close(found: ArrayLike<number> | undefined, wanted: ArrayLike<number> | undefined, what = 'forward'): void {
  expect(found?.length, what).toBe(wanted?.length);
  for (let index = 0; index < (wanted?.length ?? 0); index++) {
    expect(Math.abs((found?.[index] ?? Number.NaN) - (wanted?.[index] ?? 0)), `${what}[${index}]`).toBeLessThan(
      1e-4 * (1 + Math.abs(wanted?.[index] ?? 0)),
    );
  }
}
