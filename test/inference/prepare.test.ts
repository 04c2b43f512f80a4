import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { checkPreparedGraph } from '../../src/inference/check-graph.ts';
import { freeBatch } from '../../src/inference/graph/batch.ts';
import { constant, node } from '../../src/inference/graph/nodes.ts';
import { decodeModel, encodeModel, type Int64 } from '../../src/inference/graph/onnx-proto.ts';
import { prepareGraph } from '../../src/inference/graph/prepare.ts';
import { int64Tensor, int64Values } from '../../src/inference/graph/tensor-values.ts';
import type { ModelEntry } from '../../src/inference/manifest.ts';
import { evaluateGraph } from '../../src/inference/onnxruntime-model.ts';
import { tinyEmbedder, tinyEmbedding, tinyEntry } from './graphs.ts';

const SIZE = 8 * 9 * 3;
const pictures = [0, 1, 2].map((seed) => Uint8Array.from({ length: SIZE }, (_, i) => (i * 37 + seed * 101 + 5) % 256));

async function embed(graph: Uint8Array, batch: readonly Uint8Array[], { input }: ModelEntry) {
  const data = Uint8Array.from(batch.flatMap((picture) => [...picture]));
  const shape = [batch.length, input.height, input.width, input.channels];
  const { embedding } = await evaluateGraph(graph, { type: 'uint8', data, shape });
  return embedding;
}

/** What the graph should see of a picture, by hand: normalised, in the order `place` says. */
function seen(picture: Uint8Array, { input }: ModelEntry, layout: 'nchw' | 'nhwc'): number[] {
  const values = Array<number>(picture.length).fill(0);
  for (let pixel = 0; pixel < 72; pixel += 1) {
    for (let channel = 0; channel < 3; channel += 1) {
      const byte = picture[pixel * 3 + (input.colour === 'bgr' ? 2 - channel : channel)] ?? Number.NaN;
      const value = (byte - (input.mean[channel] ?? Number.NaN)) * (input.scale[channel] ?? Number.NaN);
      values[layout === 'nchw' ? channel * 72 + pixel : pixel * 3 + channel] = value;
    }
  }
  return values;
}

describe('a prepared graph', () => {
  it.each([
    ['nchw', 'rgb', [1, 3, 9, 8], [1, -1]],
    ['nchw', 'bgr', [1, 3, 9, 8], [1, SIZE]],
    ['nhwc', 'rgb', [1, 9, 8, 3], [-1, SIZE]],
    ['nhwc', 'bgr', [1, 9, 8, 3], [1, -1]],
  ] as const)('takes batches of raw pictures: %s, %s', async (layout, colour, input, flatten) => {
    const entry = tinyEntry({ input: { ...tinyEntry().input, colour } });
    const original = tinyEmbedder({ input, flatten });
    const prepared = prepareGraph(original, entry);
    const batched = await embed(prepared, pictures, entry);
    expect(batched?.shape).toEqual([3, 4]);
    for (const [index, picture] of pictures.entries()) {
      const expected = tinyEmbedding(seen(picture, entry, layout));
      const alone = await embed(prepared, [picture], entry);
      for (const [column, value] of expected.entries()) {
        expect(alone?.data[column]).toBeCloseTo(value, 2);
        expect(batched?.data[index * 4 + column]).toBeCloseTo(value, 2);
      }
    }
    await checkPreparedGraph({ original, prepared, entry, evaluate: evaluateGraph });
  });

  it.each(['nchw', 'nhwc'] as const)(
    'looks at the mirror image too where the encoder is mirrored: %s',
    async (layout) => {
      const entry = tinyEntry({ mirrored: true });
      const input = layout === 'nchw' ? [1, 3, 9, 8] : [1, 9, 8, 3];
      const original = tinyEmbedder({ input, flatten: [1, -1] });
      const prepared = prepareGraph(original, entry);
      const mirrored = (picture: Uint8Array) => {
        const columnOf = (pixel: number) => pixel - (pixel % 8) + 7 - (pixel % 8);
        return picture.map((_, at) => picture[columnOf(Math.floor(at / 3)) * 3 + (at % 3)] ?? 0);
      };
      const batched = await embed(prepared, pictures, entry);
      expect(batched?.shape).toEqual([3, 4]);
      for (const [index, picture] of pictures.entries()) {
        const one = tinyEmbedding(seen(picture, entry, layout));
        const other = tinyEmbedding(seen(mirrored(picture), entry, layout));
        for (const [column, value] of one.entries()) {
          expect(batched?.data[index * 4 + column]).toBeCloseTo((value + (other[column] ?? Number.NaN)) / 2, 2);
        }
      }
      await checkPreparedGraph({ original, prepared, entry, evaluate: evaluateGraph });
      await expect(
        checkPreparedGraph({ original, prepared, entry: tinyEntry(), evaluate: evaluateGraph }),
      ).rejects.toMatchObject({ code: 'MODEL_UNSUPPORTED' });
    },
  );

  it('comes out the same, byte for byte, each time', () => {
    const original = tinyEmbedder({ input: [1, 3, 9, 8], flatten: [1, -1] });
    expect(Buffer.compare(prepareGraph(original, tinyEntry()), prepareGraph(original, tinyEntry()))).toBe(0);
  });

  it('keeps reshapes of weights', () => {
    const graph = decodeModel(
      prepareGraph(
        tinyEmbedder({
          input: [1, 3, 9, 8],
          flatten: [1, -1],
          tail: [
            constant({ ...int64Tensor('bias_shape', [1, 4]), name: 'bias_shape' }),
            constant({ ...int64Tensor('bias', [1, 2, 3, 4]), name: 'bias' }),
            node('Reshape', ['bias', 'bias_shape'], 'bias_row'),
            node('Cast', ['bias_row'], 'bias_float', { to: 1 }),
            node('Add', ['product', 'bias_float'], 'embedding'),
          ],
        }),
        tinyEntry(),
      ),
    ).graph;
    const shapeOf = (output: string) => {
      const name = graph.node.find((it) => it.output[0] === output)?.input[1];
      const tensor = graph.node.find((it) => it.output[0] === name)?.attribute?.[0]?.t;
      return tensor && int64Values(tensor);
    };
    expect(shapeOf('bias_row')).toEqual([1, 4]);
    expect(shapeOf('flat')).toEqual([0, -1]);
  });

  it('frees a batch of one wherever the rest says how large it is', () => {
    expect(freeBatch([1, 512])).toEqual([-1, 512]);
    expect(freeBatch([1, -1])).toEqual([0, -1]);
    expect(freeBatch([1, 0, 7])).toEqual([0, 0, 7]);
    expect(freeBatch([-1, 512])).toBeNull();
    expect(freeBatch([2, 512])).toBeNull();
    expect(freeBatch([1])).toBeNull();
  });
});

describe('a graph that does not fit its contract', () => {
  const good = { input: [1, 3, 9, 8], flatten: [1, -1] } as const;
  const contract = tinyEntry();
  it.each<[string, Uint8Array, Partial<ModelEntry>, string]>([
    [
      'size',
      tinyEmbedder({ ...good, input: [1, 3, 8, 8] }),
      {},
      'input picture is 1 x 3 x 8 x 8; the manifest says batch x 3 x 9 x 8 (or channels last)',
    ],
    [
      'batch',
      tinyEmbedder({ ...good, input: [2, 3, 9, 8] }),
      {},
      'input picture is 2 x 3 x 9 x 8; the manifest says batch x 3 x 9 x 8 (or channels last)',
    ],
    [
      'output',
      tinyEmbedder(good),
      { outputs: [{ name: 'scores', shape: [4] }] },
      'has no output scores; its outputs are embedding',
    ],
    ['dimension', tinyEmbedder({ ...good, outputs: 5 }), {}, 'output embedding is 1 x 5; the manifest says batch x 4'],
    ['operator set', tinyEmbedder({ ...good, opset: 6 }), {}, 'operator set 6 is too old: 7 is needed'],
  ])('is refused: %s', (_what, graph, changes, message) => {
    expect(() => prepareGraph(graph, { ...contract, ...changes })).toThrow(
      expect.objectContaining({ code: 'MODEL_UNSUPPORTED', message: `model tiny: ${message}` }),
    );
  });

  it('is refused when it is no ONNX file', () => {
    for (const bytes of [Buffer.from('<html>'), new Uint8Array(0), Buffer.alloc(100, 7)]) {
      expect(() => prepareGraph(bytes, contract)).toThrow(expect.objectContaining({ code: 'MODEL_UNSUPPORTED' }));
    }
  });

  it('is found out by trying when it ties the pictures of a batch together', async () => {
    // The mean over the batch: of one picture it is the picture itself.
    const tail = [node('ReduceMean', ['product'], 'embedding', { axes: [0], keepdims: 1 })];
    const original = tinyEmbedder({ ...good, tail });
    const prepared = prepareGraph(original, contract);
    await expect(
      checkPreparedGraph({ original, prepared, entry: contract, evaluate: evaluateGraph }),
    ).rejects.toMatchObject({
      code: 'MODEL_UNSUPPORTED',
      message: 'model tiny: output embedding does not follow the batch',
    });
  });

  it('is found out by trying when rows of a batch differ from single pictures', async () => {
    const tail = [
      node('ReduceMean', ['product'], 'mean', { axes: [0], keepdims: 1 }),
      node('Sub', ['product', 'mean'], 'centred'),
      node('Add', ['centred', 'mean'], 'both'),
      node('Mul', ['both', 'mean'], 'embedding'),
    ];
    const original = tinyEmbedder({ ...good, tail });
    const prepared = prepareGraph(original, contract);
    await expect(
      checkPreparedGraph({ original, prepared, entry: contract, evaluate: evaluateGraph }),
    ).rejects.toMatchObject({
      code: 'MODEL_UNSUPPORTED',
      message: 'model tiny: output embedding of picture 0 in a batch differs from the picture on its own',
    });
  });
});

it('keeps fields of a file it does not know', () => {
  // doc_string (6) and training_info (20) of ModelProto, doc_string (10) of GraphProto: not in our part of the schema.
  const writer = protobuf.Writer.create();
  writer.uint32((6 << 3) | 2).string('of the model');
  writer.uint32((20 << 3) | 2).bytes(Uint8Array.of(10, 1, 65));
  const original = Buffer.concat([tinyEmbedder({ input: [1, 3, 9, 8], flatten: [1, -1] }), writer.finish()]);
  const written = Buffer.from(encodeModel(decodeModel(original)));
  expect(written.length).toBe(original.length);
  expect(written.includes(Buffer.from('of the model'))).toBe(true);
  expect(Buffer.from(prepareGraph(original, tinyEntry())).includes(Buffer.of((20 << 3) | 2, 1, 3, 10, 1, 65))).toBe(
    true,
  );
});

it('reads integers beyond 2^53 without loss', () => {
  // INT64_MAX, as exporters write "to the end" of a slice.
  const longest = protobuf.Reader.create(
    Uint8Array.from([...Array<number>(8).fill(0xff), 0x7f]),
  ).int64() as unknown as Int64;
  const model = decodeModel(
    encodeModel({
      irVersion: 7,
      opsetImport: [{ version: 13 }],
      graph: {
        node: [constant({ dims: [1], dataType: 7, name: 'end', int64Data: [longest] })],
        initializer: [],
        input: [],
        output: [],
        valueInfo: [],
      },
    }),
  );
  expect(String(model.graph.node[0]?.attribute?.[0]?.t?.int64Data?.[0])).toBe('9223372036854775807');
});
