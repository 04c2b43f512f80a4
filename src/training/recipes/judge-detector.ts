import { type Box, iou, type Size } from '../../core/geometry.ts';
import { type Detection, decodeDetections } from '../../faces/detect.ts';
import { KNOWN_FACES } from '../data/detector-sampler.ts';
import { type PixelScale, readPlanes, type Sampler } from '../data/sampler.ts';
import type { Values } from '../engine.ts';
import type { Judgement } from '../run/run-folder.ts';
import { type Colour, drawBox } from './draw-box.ts';
import type { Example } from './lesson.ts';
import type { Student } from './student.ts';

/** What is found has found a face when they overlap so much, and nothing of one when they overlap less than that. */
const FOUND_IOU = 0.4;
export const BESIDE_IOU = 0.15;
/** False finds that are allowed when recall is judged: one in so many scenes. */
const SCENES_PER_FALSE_FIND = 100;

/** Scenes in a run's report, the score from which on a find is shown there, and colours of boxes. */
const SHOWN = 12;
const SHOWN_SCORE = 0.5;
const FOUND: Colour = [60, 255, 90];
const MISSED: Colour = [255, 210, 40];
const FALSE: Colour = [255, 60, 60];

/** Scenes of people held out. */
export interface JudgedScenes {
  readonly sampler: Sampler;
  /** The detector in use: what it finds in the plain scene is there, strangers in the background too, but for covered heads. */
  readonly teacher: Student;
  /** Scenes a batch. */
  readonly batch: number;
  readonly input: Size;
}

/** What is there in a scene, boxes in 0..1 of it. */
interface Scene {
  /** Number of the scene in its batch. */
  readonly row: number;
  /** Faces that were laid into it. */
  readonly faces: readonly Box[];
  /** These, and what the teacher found. */
  readonly real: readonly Box[];
}

interface SceneBatch {
  /** Pictures with masks on, and without, as a model takes them. */
  readonly masked: Float32Array;
  readonly plain: Float32Array;
  readonly scenes: readonly Scene[];
}

/**
 * Share of the faces laid into scenes that are found, masked and plain, at the score at which one scene in a hundred has a false
 * find, and at a score of 0.5; `overlap` is how well the boxes of masked faces cover the plain ones.
 *
 * @param batches of scenes
 */
export async function judgeDetector(
  student: Student,
  values: Values,
  judged: JudgedScenes,
  batches: number,
): Promise<Judgement> {
  const { batch, input } = judged;
  const masked: number[] = [];
  const plain: number[] = [];
  const wrong: number[] = [];
  const overlaps: number[] = [];
  for (let number = 0; number < batches; number++) {
    const shown = await sceneBatch(judged, number);
    const onMasked = await student.run(shown.masked, batch, values);
    const onPlain = await student.run(shown.plain, batch, values);
    for (const { row, faces, real } of shown.scenes) {
      const finds = findsOf(onMasked, row, batch, input, 0.05);
      const plainFinds = findsOf(onPlain, row, batch, input, 0.05);
      for (const face of faces) {
        const best = bestOn(face, finds);
        masked.push(best?.score ?? 0);
        plain.push(bestOn(face, plainFinds)?.score ?? 0);
        if (best) overlaps.push(iou(best.box, face));
      }
      wrong.push(Math.max(0, ...finds.filter((find) => isBeside(find, real)).map(({ score }) => score)));
    }
  }
  const allowed = Math.floor(wrong.length / SCENES_PER_FALSE_FIND);
  const threshold = [...wrong].sort((a, b) => b - a)[allowed] ?? 1;
  const share = (scores: readonly number[], least: number) =>
    scores.filter((score) => score > least).length / Math.max(1, scores.length);
  const figures = {
    maskedRecall: share(masked, threshold),
    plainRecall: share(plain, threshold),
    maskedAtHalf: share(masked, 0.5),
    plainAtHalf: share(plain, 0.5),
    falseAtHalf: share(wrong, 0.5),
    threshold,
    overlap: overlaps.reduce((sum, value) => sum + value, 0) / Math.max(1, overlaps.length),
  };
  return { score: (figures.maskedRecall + figures.plainRecall + figures.overlap) / 3, figures };
}

/** Scenes with masks and what is found in them at a score of 0.5, before and after training. */
export async function foundExamples(
  student: Student,
  { before, after }: { readonly before: Values; readonly after: Values },
  judged: JudgedScenes,
  pixels: PixelScale,
): Promise<Example[]> {
  const { batch, input } = judged;
  const examples: Example[] = [];
  for (let number = 0; examples.length < SHOWN; number++) {
    const { masked, scenes } = await sceneBatch(judged, number);
    const was = await student.run(masked, batch, before);
    const is = await student.run(masked, batch, after);
    for (const scene of scenes.slice(0, SHOWN - examples.length)) {
      const drawn = (when: string, outputs: typeof was) => {
        const image = readPlanes(masked, pixels, input, scene.row * 3 * input.width * input.height);
        const finds = findsOf(outputs, scene.row, batch, input, SHOWN_SCORE);
        const missed = scene.faces.filter((face) => !bestOn(face, finds));
        const beside = finds.filter((find) => isBeside(find, scene.real));
        for (const face of missed) drawBox(image, face, MISSED);
        for (const find of finds) drawBox(image, find.box, beside.includes(find) ? FALSE : FOUND);
        const all = scene.faces.length;
        const caption = `${when}: ${all - missed.length} of ${all} found${beside.length > 0 ? `, ${beside.length} false` : ''}`;
        return { caption, image };
      };
      examples.push({
        title: 'found green, missed yellow, false red',
        pictures: [drawn('before', was), drawn('after', is)],
      });
    }
  }
  return examples;
}

async function sceneBatch({ sampler, teacher, batch, input }: JudgedScenes, number: number): Promise<SceneBatch> {
  const { input: pictures, plain, known, covered } = sampler.batch(number);
  if (pictures?.type !== 'float32' || plain?.type !== 'float32') throw new RangeError('a batch has no scenes');
  if (known?.type !== 'float32' || covered?.type !== 'float32') throw new RangeError('a batch has no known faces');
  const byTeacher = await teacher.run(plain.data, batch, teacher.initial);
  const scenes = Array.from({ length: batch }, (_, row): Scene => {
    const boxesIn = ({ data }: { readonly data: Float32Array }) =>
      Array.from({ length: KNOWN_FACES }, (_, place) => boxAt(data, row * KNOWN_FACES + place)).filter(
        ({ width }) => width > 0,
      );
    const faces = boxesIn(known);
    const heads = boxesIn(covered);
    // Whoever the teacher finds is there, strangers in the background; but no head whose face is covered is a face.
    const taught = findsOf(byTeacher, row, batch, input, 0.2).filter((find) => isBeside(find, heads));
    return { row, faces, real: [...faces, ...taught.map(({ box }) => box)] };
  });
  return { masked: pictures.data, plain: plain.data, scenes };
}

/** Box of a row of corners. */
export function boxAt(corners: Float32Array, at: number): Box {
  const x = corners[4 * at] ?? 0;
  const y = corners[4 * at + 1] ?? 0;
  return { x, y, width: (corners[4 * at + 2] ?? 0) - x, height: (corners[4 * at + 3] ?? 0) - y };
}

/** Finds in one scene, boxes in 0..1 of it. */
function findsOf(
  outputs: Readonly<Record<string, Float32Array>>,
  row: number,
  count: number,
  input: Size,
  least: number,
): Detection[] {
  const { scores = new Float32Array(), boxes = new Float32Array() } = outputs;
  const candidates = boxes.length / 4 / count;
  const found = decodeDetections(
    { scores: { data: scores, shape: [count, candidates, 2] }, boxes: { data: boxes, shape: [count, candidates, 4] } },
    row,
    input,
    input,
    { minScore: least, nmsIou: 0.3, minFacePx: 0, maxFaces: 50 },
  );
  return found.map(({ box: { x, y, width, height }, score }) => ({
    box: { x: x / input.width, y: y / input.height, width: width / input.width, height: height / input.height },
    score,
  }));
}

function bestOn(face: Box, finds: readonly Detection[]): Detection | undefined {
  return finds.find(({ box }) => iou(box, face) > FOUND_IOU);
}

function isBeside({ box }: Detection, real: readonly Box[]): boolean {
  return real.every((face) => iou(face, box) < BESIDE_IOU);
}
