import { expect, it } from 'vitest';
import { parseRecipe, type RecipeOf } from '../../../src/config/training-recipe.ts';
import { alignBy } from '../../../src/faces/align.ts';
import { normalise } from '../../../src/faces/embedding.ts';
import { constant, node } from '../../../src/inference/graph/nodes.ts';
import { encodeModel, ONNX_TYPE } from '../../../src/inference/graph/onnx-proto.ts';
import { prepareGraph } from '../../../src/inference/graph/prepare.ts';
import { floatTensor, int64Tensor } from '../../../src/inference/graph/tensor-values.ts';
import { readContract } from '../../../src/inference/model-contract.ts';
import { evaluateGraph } from '../../../src/inference/onnxruntime-model.ts';
import {
  cutSmoothly,
  type EncoderSampling,
  encoderSampler,
  marksOf,
} from '../../../src/training/data/encoder-sampler.ts';
import { RAW_PIXELS } from '../../../src/training/data/sampler.ts';
import type { RgbImage } from '../../../src/training/data/warp.ts';
import type { Values } from '../../../src/training/engine.ts';
import { encoderLesson } from '../../../src/training/recipes/encoder-lesson.ts';
import { openTask } from '../../../src/training/recipes/lesson.ts';
import { unitEmbeddings } from '../../../src/training/recipes/unit-embeddings.ts';
import { openTrainableGraph } from '../../../src/training/trainable-graph.ts';
import { tinyEntry } from '../../inference/graphs.ts';
import { withNoiseFaces } from '../noise-faces.ts';
import { noise, openSession } from '../step-rig.ts';

const SIDE = 112;
const ROWS = 64;
const CHANNELS = 8;
const everybody = Array.from({ length: 12 }, (_, face) => face);

const recipe = parseRecipe(
  JSON.stringify({
    kind: 'encoder',
    batch: 4,
    steps: 3,
    rows: ROWS,
    others: 4,
    optimiser: { peak: 0.01, warmUpSteps: 0 },
    validation: { everySteps: 1 },
  }),
  'recipe',
) as RecipeOf<'encoder'>;

/** Mean and scale of red, green and blue. */
const MEAN = [130, 120, 110];
const SCALE = [1 / 128, 1 / 64, 1 / 100];
const inOrder = <T>(colour: 'rgb' | 'bgr', ofRgb: readonly T[]) => (colour === 'bgr' ? ofRgb.toReversed() : [...ofRgb]);

/** An encoder whose last feature map is spanned by one convolution; of both orders the same one. */
function teacher(colour: 'rgb' | 'bgr') {
  const ofChannel = inOrder(
    colour,
    [1, 2, 3].map((seed) => noise([CHANNELS, 4 * 4], seed)),
  );
  const first = Float32Array.from({ length: CHANNELS * 3 * 16 }, (_, at) => {
    const [out, channel, place] = [Math.floor(at / 48), Math.floor(at / 16) % 3, at % 16];
    return 0.1 * (ofChannel[channel]?.[out * 16 + place] ?? 0);
  });
  const value = (name: string, sizes: readonly number[]) => ({
    name,
    type: { tensorType: { elemType: ONNX_TYPE.float, shape: { dim: sizes.map((dimValue) => ({ dimValue })) } } },
  });
  const onnx = encodeModel({
    irVersion: 7,
    opsetImport: [{ domain: '', version: 13 }],
    graph: {
      name: 'teacher',
      node: [
        node('Conv', ['picture', 'stem.weight', 'stem.bias'], 'map', { kernel_shape: [4, 4], strides: [4, 4] }),
        node('Relu', ['map'], 'positive'),
        node('Conv', ['positive', 'last.weight', 'last.bias'], 'column', { kernel_shape: [28, 28], group: CHANNELS }),
        constant({ ...int64Tensor('flat', [1, -1]), name: 'flat' }),
        node('Reshape', ['column', 'flat'], 'embedding'),
      ],
      initializer: [
        floatTensor('stem.weight', [CHANNELS, 3, 4, 4], first),
        floatTensor('stem.bias', [CHANNELS], noise([CHANNELS], 4)),
        floatTensor('last.weight', [CHANNELS, 1, 28, 28], noise([CHANNELS, 1, 28, 28], 5)),
        floatTensor('last.bias', [CHANNELS], noise([CHANNELS], 6)),
      ],
      input: [value('picture', [1, 3, SIDE, SIDE])],
      output: [value('embedding', [1, CHANNELS])],
      valueInfo: [],
    },
  });
  const input = {
    width: SIDE,
    height: SIDE,
    channels: 3,
    colour,
    mean: inOrder(colour, MEAN),
    scale: inOrder(colour, SCALE),
  } as const;
  return {
    entry: tinyEntry({ input, outputs: [{ name: 'embedding', shape: [CHANNELS] }], embedding: CHANNELS }),
    onnx,
  };
}

function weightsOf(onnx: Uint8Array): Values {
  const { parameters } = openTrainableGraph(onnx, { input: [3, ROWS, SIDE], cut: null });
  return Object.fromEntries(parameters.map(({ name, initial }) => [name, initial]));
}

/** Unit embedding of an RGB crop as the daemon has it. */
async function asDaemon(onnx: Uint8Array, { rgb, width, height }: RgbImage): Promise<Float32Array> {
  const contract = readContract(onnx, RAW_PIXELS);
  const prepared = prepareGraph(onnx, { id: 'trained', ...contract });
  const { embedding } = await evaluateGraph(prepared, { type: 'uint8', data: rgb, shape: [1, height, width, 3] });
  return normalise(Float32Array.from(embedding?.data ?? []));
}

/** Trains three steps, from the teacher's upper rows or from what learned from it before. */
async function trained(
  colour: 'rgb' | 'bgr',
  begin: Uint8Array | null = null,
  asked: Partial<RecipeOf<'encoder'>> = {},
) {
  const { entry, onnx } = teacher(colour);
  return withNoiseFaces(everybody.length, { masked: true }, async (store, alignments) => {
    const crop = (face: number, height: number) =>
      cutSmoothly(store.read(face), alignBy('five', marksOf(alignments, face, 0)), { width: SIDE, height });
    const targets = new Float32Array(everybody.length * CHANNELS);
    for (const face of everybody) {
      const prepared = prepareGraph(onnx, entry);
      const { rgb } = crop(face, SIDE);
      const { embedding } = await evaluateGraph(prepared, { type: 'uint8', data: rgb, shape: [1, SIDE, SIDE, 3] });
      targets.set(normalise(Float32Array.from(embedding?.data ?? [])), face * CHANNELS);
    }
    const parts = { store, train: everybody, validation: everybody, alignments, targets };
    const inUse = { entry, onnx };
    const lesson = await encoderLesson({ ...recipe, ...asked }, parts, { entry, onnx, begin, inUse }, openSession);
    const task = await openTask(lesson, recipe, { open: openSession, block: null });
    try {
      const { trainer, student } = task;
      const sampler = encoderSampler(store, lesson.sampling.options as EncoderSampling);
      const losses: number[] = [];
      for (let step = 0; step < recipe.steps; step++) {
        losses.push((await trainer.train(await task.complete(sampler.batch(step)))).loss);
      }
      const crops = [crop(0, ROWS)];
      const of = { output: 'embedding', mirrored: false };
      const [seen = []] = await unitEmbeddings(student, trainer.values, { crops, pixels: entry.input }, of);
      const file = task.exportModel(trainer.values);
      return {
        file,
        judged: Object.keys((await task.judge(trainer.values)).figures),
        weights: { began: student.initial, reached: trainer.values, written: weightsOf(file) },
        contract: lesson.contract?.input,
        said: readContract(file, RAW_PIXELS).input,
        numbers: [
          ...losses,
          ...Object.values((await task.judge(trainer.values)).figures),
          ...Object.values((await lesson.judgeInUse(student)).figures),
          ...seen,
        ],
        seen,
        byDaemon: await asDaemon(file, crop(0, ROWS)),
      };
    } finally {
      await task.close();
    }
  });
}

it('teaches, judges and labels an encoder that takes bgr as the same one that takes rgb', async () => {
  const [rgb, bgr] = [await trained('rgb'), await trained('bgr')];
  expect(bgr.numbers).toHaveLength(rgb.numbers.length);
  for (const [at, number] of rgb.numbers.entries()) expect(bgr.numbers[at]).toBeCloseTo(number, 3);
  for (const [colour, { contract, said, seen, byDaemon }] of Object.entries({ rgb, bgr })) {
    expect(contract).toMatchObject({ colour, height: ROWS });
    expect(said).toEqual(contract);
    // What was judged is what the daemon will see.
    for (const [at, number] of byDaemon.entries()) expect(seen[at]).toBeCloseTo(number, 4);
  }
});

it.each([
  ['keeps a share of what it goes on from', true, 0.25],
  ['keeps nothing of the upper rows it begins with where nothing learned before', false, 0],
])('%s', async (_, goesOn, kept) => {
  const { file } = await trained('rgb');
  const { began, reached, written } = (await trained('rgb', goesOn ? file : null, { keptShare: 0.25 })).weights;
  let moved = 0;
  for (const [name, values] of Object.entries(written)) {
    for (const [at, value] of values.entries()) {
      const [first, last] = [began[name]?.[at] ?? Number.NaN, reached[name]?.[at] ?? Number.NaN];
      moved = Math.max(moved, Math.abs(last - first));
      expect(value).toBeCloseTo(kept * first + (1 - kept) * last, 5);
    }
  }
  expect(moved).toBeGreaterThan(0.01);
});

it('is judged in another light as well where it learns in one', async () => {
  const ordinary = ['maskedTar2', 'maskedTar3', 'maskedTar4', 'plainTar3', 'maskedCeiling'];
  expect((await trained('rgb')).judged.toSorted()).toEqual(ordinary.toSorted());
  const degradation = { ...recipe.degradation, lightShare: 0.5 };
  expect((await trained('rgb', null, { degradation })).judged.toSorted()).toEqual([...ordinary, 'litTar3'].toSorted());
});
