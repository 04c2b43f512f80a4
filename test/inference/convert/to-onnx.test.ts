import * as tf from '@tensorflow/tfjs';
import { Builder } from 'flatbuffers';
import { describe, expect, it } from 'vitest';
import { toOnnx } from '../../../src/inference/convert/to-onnx.ts';
import { evaluateGraph } from '../../../src/inference/onnxruntime-model.ts';

const INPUT = { width: 5, height: 4, channels: 3, colour: 'rgb', mean: [0, 0, 0], scale: [1, 1, 1] } as const;

const list = (values: readonly number[]) => ({ list: { i: values.map(String) } });
const text = (value: string) => ({ s: Buffer.from(value).toString('base64') });

interface Made {
  readonly nodes: readonly object[];
  readonly constants: Readonly<Record<string, { shape: readonly number[]; values: readonly number[]; dtype?: string }>>;
}

/** A graph model as TensorFlow.js stores it. */
function tfjsModel({ nodes, constants }: Made): { json: Buffer; weights: Uint8Array<ArrayBuffer> } {
  const entries = Object.entries(constants);
  const weights = new Uint8Array(entries.reduce((bytes, [, { values }]) => bytes + values.length * 4, 0));
  const view = new DataView(weights.buffer);
  let at = 0;
  for (const [, { values, dtype = 'float32' }] of entries) {
    for (const value of values) {
      if (dtype === 'int32') view.setInt32(at, value, true);
      else view.setFloat32(at, value, true);
      at += 4;
    }
  }
  const specs = entries.map(([name, { shape, dtype = 'float32' }]) => ({ name, shape, dtype }));
  const picture = { dim: [-1, 4, 5, 3].map((size) => ({ size: String(size) })) };
  const placeholder = {
    name: 'picture',
    op: 'Placeholder',
    attr: { dtype: { type: 'DT_FLOAT' }, shape: { shape: picture } },
  };
  const fixed = specs.map(({ name, shape, dtype }) => ({
    name,
    op: 'Const',
    attr: {
      dtype: { type: dtype === 'int32' ? 'DT_INT32' : 'DT_FLOAT' },
      value: { tensor: { dtype: 'DT_FLOAT', tensorShape: { dim: shape.map((size) => ({ size: String(size) })) } } },
    },
  }));
  // Nodes come in any order.
  const modelTopology = { node: [...[...nodes].reverse(), placeholder, ...fixed], versions: {} };
  const json = { format: 'graph-model', modelTopology, weightsManifest: [{ paths: ['weights.bin'], weights: specs }] };
  return { json: Buffer.from(JSON.stringify(json)), weights };
}

const wave = (count: number, step: number) => Array.from({ length: count }, (_, index) => Math.sin(index * step));
const conv = {
  data_format: text('NHWC'),
  strides: list([1, 2, 2, 1]),
  dilations: list([1, 1, 1, 1]),
  padding: text('SAME'),
};

/** Every operator there is a conversion for, on maps whose sizes do not divide. */
const EVERYTHING: Made = {
  nodes: [
    {
      name: 'conv',
      op: '_FusedConv2D',
      input: ['picture', 'kernel', 'bias', 'slope'],
      attr: { ...conv, fused_ops: { list: { s: [text('BiasAdd').s, text('Prelu').s] } }, num_args: { i: '2' } },
    },
    {
      name: 'deep',
      op: 'DepthwiseConv2dNative',
      input: ['conv', 'depthwise'],
      attr: { ...conv, strides: list([1, 1, 1, 1]) },
    },
    { name: 'sum', op: 'AddV2', input: ['conv', 'deep'], attr: {} },
    { name: 'plus', op: 'AddV2', input: ['sum', 'bias'], attr: {} },
    { name: 'bend', op: 'Prelu', input: ['plus', 'slope'], attr: {} },
    { name: 'wide', op: 'Pad', input: ['bend', 'margins'], attr: {} },
    {
      name: 'pool',
      op: 'MaxPool',
      input: ['wide'],
      attr: {
        ksize: list([1, 2, 2, 1]),
        strides: list([1, 2, 2, 1]),
        padding: text('VALID'),
        data_format: text('NHWC'),
      },
    },
    { name: 'positive', op: 'Relu', input: ['pool'], attr: {} },
    { name: 'flat', op: 'Reshape', input: ['positive', 'shape'], attr: {} },
    { name: 'out', op: 'Sigmoid', input: ['flat'], attr: {} },
    { name: 'map', op: 'Identity', input: ['wide'], attr: {} },
  ],
  constants: {
    kernel: { shape: [3, 3, 3, 4], values: wave(108, 0.7) },
    bias: { shape: [4], values: wave(4, 1) },
    slope: { shape: [1, 1, 4], values: [0.1, 0.2, 0.3, 0.4] },
    depthwise: { shape: [3, 3, 4, 1], values: wave(36, 1.3) },
    margins: { shape: [4, 2], values: [0, 0, 1, 0, 0, 1, 0, 2], dtype: 'int32' },
    shape: { shape: [2], values: [-1, 12], dtype: 'int32' },
  },
};

describe('a TensorFlow.js model', () => {
  it('computes what it computes in TensorFlow.js', async () => {
    await tf.setBackend('cpu');
    const { json, weights } = tfjsModel(EVERYTHING);
    const spec = JSON.parse(json.toString());
    const model = await tf.loadGraphModel(
      tf.io.fromMemory({
        modelTopology: spec.modelTopology,
        weightSpecs: spec.weightsManifest[0].weights,
        weightData: weights.buffer,
      }),
    );
    const data = Float32Array.from(wave(60, 0.9));
    const outputs = ['out', 'map'];
    const expected = model.execute(tf.tensor4d(data, [1, 4, 5, 3]), outputs) as tf.Tensor[];
    const onnx = toOnnx({ id: 'own', format: 'tfjs', input: INPUT }, json, weights);
    const found = await evaluateGraph(onnx, { type: 'float32', data, shape: [1, 4, 5, 3] });
    for (const [index, name] of outputs.entries()) {
      expect(found[name]?.shape).toEqual(expected[index]?.shape);
      const values = [...(expected[index]?.dataSync() ?? [])];
      expect([...(found[name]?.data ?? [])]).toEqual(values.map((value) => expect.closeTo(value, 5)));
    }
    model.dispose();
  });

  it('is refused with operator and node where there is no conversion', () => {
    const convert = (made: Made, cut = 0) => {
      const { json, weights } = tfjsModel(made);
      return () => toOnnx({ id: 'own', format: 'tfjs', input: INPUT }, json, weights.subarray(cut));
    };
    const refused = (message: string) => expect.objectContaining({ code: 'MODEL_UNSUPPORTED', message });
    const strange = { nodes: [{ name: 'odd/one', op: 'Einsum', input: ['picture'], attr: {} }], constants: {} };
    expect(convert(strange)).toThrow(refused('model own: Einsum odd/one: there is no conversion for it'));
    const [first] = EVERYTHING.nodes;
    const fused = { list: { s: [text('BiasAdd').s, text('Elu').s] } };
    const elu = { ...first, attr: { ...conv, fused_ops: fused } };
    expect(convert({ ...EVERYTHING, nodes: [elu] })).toThrow(
      refused('model own: _FusedConv2D conv: there is no conversion for its activation Elu'),
    );
    const circle = [
      { name: 'a', op: 'Relu', input: ['b'], attr: {} },
      { name: 'b', op: 'Relu', input: ['a'], attr: {} },
    ];
    expect(convert({ nodes: circle, constants: {} })).toThrow(expect.objectContaining({ code: 'MODEL_UNSUPPORTED' }));
    expect(convert(EVERYTHING, 4)).toThrow(refused('model own: the weights end at 644 bytes, within shape'));
  });
});

/** A TFLite file of one operator that a picture goes through. */
function tfliteModel(code: number): Uint8Array {
  const builder = new Builder(256);
  const ints = (values: readonly number[]) => {
    builder.startVector(4, values.length, 4);
    for (const value of [...values].reverse()) builder.addInt32(value);
    return builder.endVector();
  };
  const tables = (offsets: readonly number[]) => {
    builder.startVector(4, offsets.length, 4);
    for (const offset of [...offsets].reverse()) builder.addOffset(offset);
    return builder.endVector();
  };
  const table = (fields: readonly (readonly [field: number, kind: 'offset' | 'int32' | 'int8', value: number])[]) => {
    builder.startObject(8);
    for (const [field, kind, value] of fields) {
      if (kind === 'offset') builder.addFieldOffset(field, value, 0);
      else if (kind === 'int32') builder.addFieldInt32(field, value, 0);
      else builder.addFieldInt8(field, value, 0);
    }
    return builder.endObject();
  };
  const tensor = (name: string) => {
    const [shape, label] = [ints([1, 4, 5, 3]), builder.createString(name)];
    return table([
      [0, 'offset', shape],
      [3, 'offset', label],
    ]);
  };
  const tensors = tables([tensor('picture'), tensor('out')]);
  const [from, to] = [ints([0]), ints([1])];
  const operators = tables([
    table([
      [1, 'offset', from],
      [2, 'offset', to],
    ]),
  ]);
  const graph = table([
    [0, 'offset', tensors],
    [1, 'offset', from],
    [2, 'offset', to],
    [3, 'offset', operators],
  ]);
  const codes = tables([table([[0, 'int8', code]])]);
  const graphs = tables([graph]);
  const buffers = tables([table([])]);
  builder.finish(
    table([
      [0, 'int32', 3],
      [1, 'offset', codes],
      [2, 'offset', graphs],
      [4, 'offset', buffers],
    ]),
    'TFL3',
  );
  return builder.asUint8Array();
}

describe('a TFLite model', () => {
  const convert = (file: Uint8Array, columnsFirst = false) =>
    toOnnx({ id: 'own', format: 'tflite', columnsFirst, input: INPUT }, file, null);

  it('keeps the order of its numbers, also where it takes columns first', async () => {
    const data = Float32Array.from({ length: 60 }, (_, index) => index - 30);
    const negated = [...data].map((value) => expect.closeTo(-value));
    for (const columnsFirst of [false, true]) {
      const onnx = convert(tfliteModel(59), columnsFirst);
      const { out } = await evaluateGraph(onnx, { type: 'float32', data, shape: [1, 4, 5, 3] });
      expect(out?.shape).toEqual([1, 4, 5, 3]);
      expect([...(out?.data ?? [])]).toEqual(negated);
    }
  });

  it('is refused with the operator and what it computes where there is no conversion', () => {
    const refused = (message: string) => expect.objectContaining({ code: 'MODEL_UNSUPPORTED', message });
    expect(() => convert(tfliteModel(25))).toThrow(
      refused('model own: operator 25 for out: there is no conversion for it'),
    );
    expect(() => convert(new Uint8Array(100))).toThrow(refused('model own: not a TFLite model'));
    expect(() => convert(new Uint8Array(3))).toThrow(refused('model own: not a TFLite model'));
  });
});

it('leaves an ONNX file as it is', () => {
  const file = new Uint8Array(3);
  expect(toOnnx({ id: 'own', input: INPUT }, file, null)).toBe(file);
});
