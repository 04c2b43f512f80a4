import { expect, it } from 'vitest';
import { parseRecipe, type RecipeOf } from '../../src/config/training-recipe.ts';
import type { ModelEntry } from '../../src/inference/manifest.ts';
import { openGraph } from '../../src/inference/onnxruntime-model.ts';
import type { OpenSession } from '../../src/training/engine.ts';
import { siameseLesson } from '../../src/training/recipes/siamese-lesson.ts';
import { EMBEDDING } from '../../src/training/recipes/siamese-network.ts';
import type { Student } from '../../src/training/recipes/student.ts';
import { resnet } from '../../src/training/resnet.ts';
import { withNoiseFaces } from './noise-faces.ts';

/** Rows and columns of the crops, and numbers of one. */
const SIDE = 32;
const SIZE = 3 * SIDE * SIDE;
const everybody = Array.from({ length: 8 }, (_, face) => face);
const recipe = parseRecipe(
  JSON.stringify({
    kind: 'siamese',
    people: 2,
    pictures: 2,
    steps: 1,
    optimiser: { peak: 0.01 },
    stages: [1],
    width: 4,
    side: SIDE,
    embedding: 8,
  }),
  'recipe',
) as RecipeOf<'siamese'>;

/** What the encoder in use is shown, a picture after another. */
async function shownTo(change: Partial<ModelEntry>, colour: 'rgb' | 'bgr' = 'rgb'): Promise<number[][]> {
  const seen: number[][] = [];
  const open: OpenSession = async (onnx, name) => {
    const session = await openGraph(onnx, { providers: ['cpu'], threads: 1, steady: true }, name);
    return {
      run: (inputs) => {
        const pictures = inputs.find(({ shape }) => shape.length === 4 && shape[1] === 3 && shape[2] === SIDE);
        const numbers = Array.from(pictures?.data ?? [], Number);
        for (let from = 0; from < numbers.length; from += SIZE) seen.push(numbers.slice(from, from + SIZE));
        return session.run(inputs);
      },
      release: () => session.release(),
    };
  };
  const entry = {
    input: { width: SIDE, height: SIDE, channels: 3, colour, mean: [0, 0, 0], scale: [1, 1, 1] },
    outputs: [{ name: EMBEDDING, shape: [8] }],
    ...change,
  } as unknown as ModelEntry;
  const onnx = resnet({ input: SIDE, embedding: 8, stages: [1], width: 4, seed: 1 });
  return withNoiseFaces(everybody.length, { masked: false }, async (store, alignments) => {
    const parts = { store, train: everybody, validation: everybody, alignments };
    const lesson = await siameseLesson(recipe, parts, { entry, onnx }, open);
    await lesson.judgeInUse({} as Student);
    expect(seen.length).toBeGreaterThan(0);
    return seen;
  });
}

it('judges the encoder in use by faces aligned as that encoder has them', async () => {
  const five = await shownTo({ alignedBy: 'five' });
  expect(await shownTo({})).toEqual(five);
  expect(await shownTo({ alignedBy: 'eyes-bridge' })).not.toEqual(five);
});

it('judges the encoder in use by channels in the order that encoder has them', async () => {
  const plane = SIZE / 3;
  const turned = (picture: readonly number[]) =>
    [2, 1, 0].flatMap((channel) => picture.slice(channel * plane, (channel + 1) * plane));
  const rgb = await shownTo({});
  expect(await shownTo({}, 'bgr')).toEqual(rgb.map(turned));
});
