import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseRecipe, type RecipeOf } from '../../src/config/training-recipe.ts';
import { seededRandom } from '../../src/core/seeded-random.ts';
import type { AlignmentPoints } from '../../src/faces/align.ts';
import type { ModelEntry } from '../../src/inference/manifest.ts';
import { openGraph } from '../../src/inference/onnxruntime-model.ts';
import { MARK_VALUES } from '../../src/training/data/encoder-sampler.ts';
import { FaceStore, INDEX_FILE, packFace } from '../../src/training/data/face-store.ts';
import { pixelsFile } from '../../src/training/data/pixels-file.ts';
import type { OpenSession } from '../../src/training/engine.ts';
import { siameseLesson } from '../../src/training/recipes/siamese-lesson.ts';
import { EMBEDDING } from '../../src/training/recipes/siamese-network.ts';
import type { Student } from '../../src/training/recipes/student.ts';
import { resnet } from '../../src/training/resnet.ts';

const SIDE = 64;
const FACES = 8;
const recipe = parseRecipe(
  JSON.stringify({
    kind: 'siamese',
    people: 2,
    pictures: 2,
    steps: 1,
    optimiser: { peak: 0.01 },
    stages: [1],
    width: 4,
    side: 32,
    embedding: 8,
  }),
  'recipe',
) as RecipeOf<'siamese'>;

it('judges the encoder in use by faces aligned as that encoder has them', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'eyeline-siamese-'));
  const store = await storeOf(folder);
  try {
    const seen: string[] = [];
    const open: OpenSession = async (onnx, name) => {
      const session = await openGraph(onnx, { providers: ['cpu'], threads: 1, steady: true }, name);
      return {
        run: (inputs) => {
          const picture = inputs.find(({ shape }) => shape.length === 4 && shape[1] === 3 && shape[2] === 32);
          if (picture) seen.push(picture.data.join());
          return session.run(inputs);
        },
        release: () => session.release(),
      };
    };
    const everybody = Array.from({ length: FACES }, (_, face) => face);
    const starts = Uint32Array.from(everybody);
    // The bridge of the nose is elsewhere than the other points make it: crops by it differ.
    const marks = [20, 24, 44, 24, 32, 34, 23, 46, 41, 46, 40, 24, 40, 30];
    const alignments = { starts, points: Float32Array.from(everybody.flatMap(() => marks)) };
    expect(marks).toHaveLength(MARK_VALUES);
    const onnx = resnet({ input: 32, embedding: 8, stages: [1], width: 4, seed: 1 });
    const shownTo = async (alignedBy: AlignmentPoints | undefined) => {
      const entry = {
        input: { width: 32, height: 32, channels: 3, colour: 'rgb', mean: [0, 0, 0], scale: [1, 1, 1] },
        outputs: [{ name: EMBEDDING, shape: [8] }],
        alignedBy,
      } as unknown as ModelEntry;
      const parts = { store, train: everybody, validation: everybody, alignments };
      const lesson = await siameseLesson(recipe, parts, { entry, onnx }, open);
      seen.length = 0;
      await lesson.judgeInUse({} as Student);
      expect(seen.length).toBeGreaterThan(0);
      return [...seen];
    };
    const five = await shownTo('five');
    expect(await shownTo(undefined)).toEqual(five);
    expect(await shownTo('eyes-bridge')).not.toEqual(five);
  } finally {
    store.close();
    await rm(folder, { recursive: true, force: true });
  }
});

/** Two pictures each of four people, of noise. */
async function storeOf(folder: string): Promise<FaceStore> {
  const lines: string[] = [];
  const pixels: Uint8Array[] = [];
  let offset = 0;
  for (let face = 0; face < FACES; face++) {
    const random = seededRandom(face);
    const rgb = Uint8Array.from({ length: SIDE * SIDE * 3 }, () => 255 * random());
    const box = { x: 10, y: 8, width: 44, height: 48 };
    const bytes = packFace({ rgb, width: SIDE, height: SIDE, box, score: 0.9, landmarks: [] }, []);
    const person = Math.floor(face / 2);
    lines.push(JSON.stringify({ file: `${face}`, person, part: 0, offset, width: SIDE, height: SIDE, masks: [] }));
    pixels.push(bytes);
    offset += bytes.length;
  }
  await writeFile(join(folder, pixelsFile(0)), Buffer.concat(pixels));
  await writeFile(join(folder, INDEX_FILE), `${lines.join('\n')}\n`);
  return FaceStore.open(folder);
}
