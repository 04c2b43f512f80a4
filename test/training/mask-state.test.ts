import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseRecipe, type RecipeOf } from '../../src/config/training-recipe.ts';
import { boxToCrop } from '../../src/core/geometry.ts';
import { seededRandom } from '../../src/core/seeded-random.ts';
import { decodeMask, MASK_STATES } from '../../src/faces/mask-state.ts';
import { prepareGraph } from '../../src/inference/graph/prepare.ts';
import type { ModelEntry } from '../../src/inference/manifest.ts';
import { evaluateGraph, openGraph } from '../../src/inference/onnxruntime-model.ts';
import { coverMouth } from '../../src/training/data/cover-mouth.ts';
import { changedPart, FaceStore, INDEX_FILE, packFace } from '../../src/training/data/face-store.ts';
import { chipOf, maskExamples, maskStateSampler } from '../../src/training/data/mask-state-sampler.ts';
import { pixelsFile } from '../../src/training/data/pixels-file.ts';
import { turnedHead } from '../../src/training/data/turned-head.ts';
import { greyOf, type RgbImage, warp } from '../../src/training/data/warp.ts';
import { encodeGraph } from '../../src/training/graph/encode-graph.ts';
import { createTensorGraph } from '../../src/training/graph/tensor-graph.ts';
import { openTask } from '../../src/training/recipes/lesson.ts';
import { MASK_CROP_PX, MASK_OUTPUT } from '../../src/training/recipes/mask-network.ts';
import { maskStateLesson } from '../../src/training/recipes/mask-state-lesson.ts';
import type { Student } from '../../src/training/recipes/student.ts';

const SIDE = 96;
const BOX = { x: 24, y: 20, width: 48, height: 56 };

/** A face is noise; a mask is a bright field from the nose or from the mouth downwards. */
function face(seed: number, upper = Number.POSITIVE_INFINITY): RgbImage {
  const random = seededRandom(seed);
  const rgb = Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, at) => {
    const row = (Math.floor(at / 3 / SIDE) - BOX.y) / BOX.height;
    const tone = 40 + 80 * random();
    return row > upper && row < 1.1 ? 230 : tone;
  });
  return { rgb, width: SIDE, height: SIDE };
}

let folder = '';
let store: FaceStore;
/** Of 24 people a face each with both masks drawn on, and of 6 a face with a real mask. */
const PEOPLE = 30;
const isReal = (person: number) => person % 5 === 4;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eyeline-mask-state-'));
  const lines: string[] = [];
  const pixels: Uint8Array[] = [];
  let offset = 0;
  for (let person = 0; person < PEOPLE; person++) {
    const worn = isReal(person);
    const plain = face(person, worn ? 0.5 : undefined);
    const masks = (
      worn
        ? []
        : ([
            ['worn', 0.5],
            ['incorrect', 0.68],
          ] as const)
    ).flatMap(([state, upper]) => {
      const part = changedPart(plain.rgb, face(person, upper));
      return part ? [{ ...part, state }] : [];
    });
    const bytes = packFace({ ...plain, box: BOX, score: 0.9, landmarks: [] }, masks);
    pixels.push(bytes);
    const shown = masks.map(({ rgb: _, ...mask }) => mask);
    const line = {
      file: `${person}`,
      person,
      part: 0,
      offset,
      width: SIDE,
      height: SIDE,
      masks: shown,
      ...(worn && { worn }),
    };
    lines.push(JSON.stringify(line));
    offset += bytes.length;
  }
  await writeFile(join(folder, pixelsFile(0)), Buffer.concat(pixels));
  await writeFile(join(folder, INDEX_FILE), `${lines.join('\n')}\n`);
  store = await FaceStore.open(folder);
});

afterAll(async () => {
  store?.close();
  await rm(folder, { recursive: true, force: true });
});

const recipe = parseRecipe(
  JSON.stringify({
    kind: 'mask-state',
    batch: 24,
    steps: 60,
    channels: [8, 8, 8, 8],
    hidden: 16,
    turn: 0.1,
    pose: 0.2,
    covered: 0,
    optimiser: { peak: 0.005, warmUpSteps: 5 },
  }),
  'recipe',
) as RecipeOf<'mask-state'>;

const everybody = Array.from({ length: PEOPLE }, (_, person) => person);
const parts = () => ({
  store,
  train: everybody.filter((person) => person < 20),
  validation: everybody.filter((person) => person >= 20),
});

const open = (onnx: Uint8Array, name: string) =>
  openGraph(onnx, { providers: ['cpu'], threads: 1, steady: true }, name);

/** A model in use that takes a square of 32 pixels, as they are, and what is bright below for a mask. */
function brightBelow(input: Partial<ModelEntry['input']> = {}, outputs = [{ name: 'told', shape: [3] }]) {
  const side = 32;
  const graph = createTensorGraph();
  const initial = Float32Array.from({ length: 3 * side * side }, (_, at) => {
    const sign = [-1, 1, 0][Math.floor(at / side ** 2)] ?? 0;
    return at % side ** 2 < (side ** 2 * 3) / 4 ? 0 : sign / (side ** 2 / 4);
  });
  const kernel = graph.parameter({ name: 'kernel', shape: [3, 1, side, side], initial, decays: true });
  const bias = graph.parameter({ name: 'bias', shape: [3], initial: Float32Array.of(150, -150, -999), decays: false });
  const x = graph.input('x', [1, 1, side, side]);
  const map = graph.op('Conv', [x, kernel, bias], { kernel_shape: [side, side] });
  const logits = graph.op('Reshape', [map, graph.int64s([1, 3])]);
  const entry = {
    id: 'bright-below',
    input: { width: side, height: side, channels: 1, colour: 'grey', mean: [0], scale: [1], ...input },
    outputs,
  };
  return { entry: entry as unknown as ModelEntry, onnx: encodeGraph(graph, [['told', logits]], new Set()) };
}

it('judges the model in use by crops of the size it takes', async () => {
  const lesson = maskStateLesson(recipe, parts(), brightBelow(), open);
  const { figures } = await lesson.judgeInUse({} as Student);
  expect(figures).toMatchObject({ bareRight: 1, drawnRight: 1, realRight: 1, accuracy: 1 });
  // It knows nothing of noses.
  expect(figures.stateAccuracy).toBeCloseTo(2 / 3, 6);
});

it.each([
  [brightBelow({ height: 16 }), 'model bright-below takes 32x16x1: a grey square is needed'],
  [brightBelow({ channels: 3 }), 'model bright-below takes 32x32x3: a grey square is needed'],
  [
    brightBelow({}, [{ name: 'told', shape: [2] }]),
    'model bright-below gives no logit for each of none, worn, incorrect',
  ],
])('refuses to be compared with what the daemon could not use: %#', (inUse, said) => {
  expect(() => maskStateLesson(recipe, parts(), inUse, open)).toThrow(said);
});

it('learns where a mask ends, and writes a file that tells the same of raw pixels', { timeout: 120_000 }, async () => {
  const lesson = maskStateLesson(recipe, parts(), brightBelow(), open);
  const task = await openTask(lesson, recipe, { open, block: null });
  try {
    const sampler = maskStateSampler(store, lesson.sampling.options as Parameters<typeof maskStateSampler>[1]);
    const before = await task.judge(task.trainer.values);
    for (let step = 0; step < recipe.steps; step++) {
      await task.trainer.train(await task.complete(sampler.batch(step)));
    }
    const after = await task.judge(task.trainer.values);
    expect(after.score).toBeGreaterThan(before.score);
    expect(after.figures.accuracy).toBeGreaterThan(0.9);
    expect(after.figures.stateAccuracy).toBeGreaterThan(0.8);

    const { input, outputs } = lesson.contract ?? {};
    if (!input || !outputs) throw new Error('no contract');
    const prepared = prepareGraph(task.exportModel(task.trainer.values), { id: 'mask', input, outputs });
    const held = maskExamples(store, parts().validation);
    const side = MASK_CROP_PX;
    const size = { width: side, height: side };
    const pixels = new Uint8Array(held.length * side * side);
    for (const [row, example] of held.entries()) {
      pixels.set(greyOf(warp(chipOf(store, example), boxToCrop(BOX, size), size)), row * side * side);
    }
    const given = await evaluateGraph(prepared, { type: 'uint8', data: pixels, shape: [held.length, side, side, 1] });
    const logits = given[MASK_OUTPUT];
    if (!logits) throw new Error('no logits');
    const right = (state: string) => {
      const rows = held.flatMap((it, row) => (it.state === state ? [row] : []));
      return rows.filter((row) => decodeMask(logits, row).state === state).length / rows.length;
    };
    const states = MASK_STATES.map(right);
    expect(states.reduce((sum, it) => sum + it, 0) / 3).toBeCloseTo(after.figures.stateAccuracy ?? 0, 6);
  } finally {
    await task.close();
  }
});

describe('batches of mask states', () => {
  const options = {
    faces: everybody,
    batch: 60,
    seed: 3,
    bare: 0.5,
    incorrect: 0.3,
    real: 0.5,
    pixels: { colour: 'grey' as const, mean: [0], scale: [1] },
    variation: { ...recipe, side: MASK_CROP_PX },
  };
  const countsOf = (changes: object) => {
    const counts = [0, 0, 0];
    for (let number = 0; number < 10; number++) {
      const { labels } = maskStateSampler(store, { ...options, ...changes }).batch(number);
      for (const label of labels?.data ?? []) counts[Number(label)] = (counts[Number(label)] ?? 0) + 1;
    }
    return counts.map((count) => count / 600);
  };

  it('have the wanted mix', () => {
    const [none = 0, worn = 0, incorrect = 0] = countsOf({});
    expect(none).toBeCloseTo(0.5, 1);
    expect(worn).toBeCloseTo(0.35, 1);
    expect(incorrect).toBeCloseTo(0.15, 1);
    expect(countsOf({ bare: 1 })).toEqual([1, 0, 0]);
  });

  it('are the same for a number, and others for another', () => {
    const [one, again, other] = [4, 4, 5].map((number) => maskStateSampler(store, options).batch(number).input?.data);
    expect(again).toEqual(one);
    expect(other).not.toEqual(one);
  });

  it('show real masks where there are no drawn ones', () => {
    const faces = everybody.filter((person) => isReal(person) || person === 0);
    expect(maskExamples(store, faces).filter(({ real }) => real)).toHaveLength(6);
    expect(maskExamples(store, [4])).toEqual([{ face: 4, mask: -1, state: 'worn', real: true }]);
  });
});

describe('a turned head', () => {
  const matrix = boxToCrop(BOX, { width: 64, height: 64 });
  const bounds = { x: 0, y: 0, width: SIDE - 1, height: SIDE - 1 };
  const cut = (yaw: number, pitch: number, within = bounds) =>
    turnedHead(face(1), { box: BOX, matrix, turn: { yaw, pitch }, bounds: within }, { width: 64, height: 64 });

  it('is the plain crop when it is not turned', () => {
    const plain = warp(face(1), matrix, { width: 64, height: 64 });
    const far = cut(0, 0).rgb.filter((value, at) => Math.abs(value - (plain.rgb[at] ?? 0)) > 1).length;
    expect(far).toBe(0);
  });

  it('shows more of one side', () => {
    // Left half dark, right half light: where they meet goes to the left as the right side comes into view.
    const halves = {
      ...face(1),
      rgb: Uint8Array.from({ length: SIDE ** 2 * 3 }, (_, at) => (Math.floor(at / 3) % SIDE < 48 ? 0 : 200)),
    };
    const light = (yaw: number) =>
      turnedHead(halves, { box: BOX, matrix, turn: { yaw, pitch: 0 }, bounds }, { width: 64, height: 64 }).rgb.filter(
        (value) => value > 100,
      ).length;
    expect(light(0.5)).toBeGreaterThan(light(0) * 1.1);
    expect(light(-0.5)).toBeLessThan(light(0) * 0.9);
  });

  it('is black beyond the bounds', () => {
    const { rgb } = cut(0.3, 0.1, { x: BOX.x + 10, y: BOX.y, width: BOX.width - 10, height: BOX.height });
    expect(rgb.subarray(0, 3)).toEqual(new Uint8Array(3));
    expect(rgb.subarray((32 * 64 + 40) * 3, (32 * 64 + 40) * 3 + 3).every((value) => value > 0)).toBe(true);
  });
});

it('what covers a mouth leaves the eyes free, mostly', () => {
  const crop = warp(face(2), boxToCrop(BOX, { width: 64, height: 64 }), { width: 64, height: 64 });
  let [upper, changed] = [0, 0];
  for (let seed = 0; seed < 200; seed++) {
    const covered = coverMouth(crop, seededRandom(seed));
    expect(covered.rgb).not.toBe(crop.rgb);
    covered.rgb.forEach((value, at) => {
      if (value === crop.rgb[at]) return;
      changed++;
      if (at < 64 * 64) upper++;
    });
  }
  expect(changed / (200 * 64 * 64 * 3)).toBeGreaterThan(0.03);
  expect(upper / changed).toBeLessThan(0.15);
});
