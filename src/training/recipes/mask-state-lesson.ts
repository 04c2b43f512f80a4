import type { RecipeOf } from '../../config/training-recipe.ts';
import { EyelineError } from '../../core/errors.ts';
import { boxToCrop } from '../../core/geometry.ts';
import type { MaskState } from '../../core/person.ts';
import { seededRandom } from '../../core/seeded-random.ts';
import { shuffled } from '../../core/shuffled.ts';
import { MASK_STATES, sideOf } from '../../faces/mask-state.ts';
import type { ModelEntry } from '../../inference/manifest.ts';
import type { FaceStore } from '../data/face-store.ts';
import {
  chipOf,
  type MaskExample,
  type MaskVariation,
  maskExamples,
  variedCrop,
  writeGrey,
} from '../data/mask-state-sampler.ts';
import type { MaskFits } from '../data/prepare-face.ts';
import { type PixelScale, sampleRandom } from '../data/sampler.ts';
import { greyOf, type RgbImage, warp } from '../data/warp.ts';
import type { OpenSession, Values } from '../engine.ts';
import { accuracy, crossEntropy } from '../losses/classification.ts';
import type { Judgement } from '../run/run-folder.ts';
import type { LessonParts } from './landmarks-lesson.ts';
import type { Example, Lesson } from './lesson.ts';
import { MASK_CROP_PX, MASK_OUTPUT, MASK_PIXELS, maskNetwork } from './mask-network.ts';
import { openStudent, type Student } from './student.ts';

/** How the masks of this recipe are worn, in turn: each face as it should be and with the nose free. */
export const MASK_STATE_FITS: MaskFits = [['high', 'normal'], ['low']];

const SIZE = { width: MASK_CROP_PX, height: MASK_CROP_PX };
/** How the faces held out are varied, whatever the recipe trains on: runs can be compared. */
const JUDGED: Omit<MaskVariation, 'side'> = {
  shift: 0.06,
  stretch: 0.08,
  turn: 0.5,
  pose: 0.6,
  tight: 0.3,
  covered: 0.4,
  degradation: {
    lightShare: 0,
    brightness: 0.15,
    contrast: 0.25,
    saturation: 0.4,
    tint: 0.08,
    blurShare: 0.3,
    blurPx: 1.2,
    shrinkShare: 0.35,
    shrinkTo: 0.35,
    jpegShare: 0.3,
    jpegQuality: 35,
    noise: 8,
  },
};
/** Mistakes in a run's report. */
const SHOWN = 24;

/**
 * Tells mask states from the grey crop of a face's box: bare faces, masks drawn on them, and photographs of real masks where there
 * are any. The network begins with weights by chance.
 *
 * Throws TRAINING_DATA_UNUSABLE when nobody to train on, or nobody held out, has a bare face, and MODEL_UNSUPPORTED when the model in
 * use, which it is compared with, takes no grey square or gives no logit a state.
 */
export function maskStateLesson(
  recipe: RecipeOf<'mask-state'>,
  { store, train, validation }: LessonParts,
  inUse: { readonly entry: ModelEntry; readonly onnx: Uint8Array },
  open: OpenSession,
): Lesson {
  const { batch, seed, bare, incorrect, real, smoothing, channels, hidden } = recipe;
  const { shift, stretch, turn, pose, tight, covered, degradation } = recipe;
  const variation = { side: MASK_CROP_PX, shift, stretch, turn, pose, tight, covered, degradation };
  requireBare(store, train, 'to train on');
  requireBare(store, validation, 'held out');
  const states = MASK_STATES.length;
  const old = contractOf(inUse.entry);
  const own: MaskModel = { side: MASK_CROP_PX, output: MASK_OUTPUT, pixels: MASK_PIXELS };
  const facesFor = (side: number) => judgedFaces(store, validation, recipe.validation.faces, side);
  let judged: JudgedFaces | null = null;
  const faces = () => {
    judged ??= facesFor(own.side);
    return judged;
  };
  return {
    onnx: maskNetwork({ channels, hidden, seed }),
    input: [1, MASK_CROP_PX, MASK_CROP_PX],
    cut: null,
    contract: {
      input: { ...SIZE, channels: 1, ...MASK_PIXELS },
      outputs: [{ name: MASK_OUTPUT, shape: [states] }],
      embedding: undefined,
    },
    batch,
    sampleThreads: 2,
    sampling: {
      kind: 'mask-state',
      options: { faces: train, batch, seed, bare, incorrect, real, pixels: MASK_PIXELS, variation },
    },
    complete: async (given) => given,
    loss(graph, outputs) {
      const logits = outputs[MASK_OUTPUT] ?? '';
      const labels = graph.input('labels', [batch], 'int64');
      return {
        loss: crossEntropy(graph, { logits, labels, smoothing }),
        metrics: { right: accuracy(graph, { logits, labels }) },
      };
    },
    judge: (student, values) => judgeStates(student, values, own, faces()),
    async judgeInUse() {
      const input = [1, old.side, old.side];
      const student = await openStudent({ onnx: inUse.onnx, input, cut: null, batch, open, block: null });
      try {
        return await judgeStates(student, student.initial, old, old.side === own.side ? faces() : facesFor(old.side));
      } finally {
        await student.close();
      }
    },
    examples: (student, _before, after) => mistakes(student, after, own, faces()),
    close: async () => {},
  };
}

/** What a mask-state model takes and gives. */
interface MaskModel {
  readonly side: number;
  readonly pixels: PixelScale;
  readonly output: string;
}

/** As the daemon reads it of a manifest. Throws MODEL_UNSUPPORTED. */
function contractOf({ id, input, outputs }: ModelEntry): MaskModel {
  const side = sideOf(id, input);
  const [logits, ...others] = outputs.filter(
    ({ shape }) => shape.reduce((product, it) => product * it, 1) === MASK_STATES.length,
  );
  if (logits && others.length === 0) return { side, pixels: input, output: logits.name };
  throw new EyelineError('MODEL_UNSUPPORTED', `model ${id} gives no logit for each of ${MASK_STATES.join(', ')}`);
}

function requireBare(store: FaceStore, faces: readonly number[], what: string): void {
  if (faces.some((face) => store.faces[face]?.worn === undefined)) return;
  throw new EyelineError(
    'TRAINING_DATA_UNUSABLE',
    `none of the people ${what} has a bare face: --data needs pictures of people without masks`,
  );
}

/** A face held out, as it is and varied, grey. */
interface JudgedFace {
  readonly example: MaskExample;
  readonly asIs: Uint8Array;
  readonly varied: Uint8Array;
}
type JudgedFaces = readonly JudgedFace[];

/** At most so many faces, real masks first, each with all that it shows; the same ones and in the same variation every time. */
function judgedFaces(store: FaceStore, validation: readonly number[], most: number, side: number): JudgedFaces {
  const size = { width: side, height: side };
  const isReal = (face: number) => store.faces[face]?.worn === true;
  const real = validation.filter(isReal);
  const others = shuffled(
    validation.filter((face) => !isReal(face)),
    seededRandom(0),
  );
  const some = [...real.slice(0, most / 2), ...others].slice(0, most);
  return maskExamples(store, some).map((example, index) => {
    const chip = chipOf(store, example);
    return {
      example,
      asIs: greyOf(warp(chip, boxToCrop(chip.box, size), size)),
      varied: variedCrop(chip, example.state, { ...JUDGED, side }, sampleRandom(0, 0, index)),
    };
  });
}

/**
 * Shares of held-out faces told rightly, bare ones and masks weighing the same (and of masks drawn and real ones), as they are and
 * varied: `accuracy` and `variedAccuracy` whether
 * a mask is there at all; `bareRight`, `variedBareRight` bare faces, `drawnRight`, `realRight` masks; `stateAccuracy` all three states.
 */
async function judgeStates(student: Student, values: Values, model: MaskModel, faces: JudgedFaces): Promise<Judgement> {
  const { asIs, varied } = await toldOf(student, values, model, faces);
  const share = (answers: readonly number[], of: (example: MaskExample) => boolean, exact = false) => {
    let [right, all] = [0, 0];
    for (const [at, { example }] of faces.entries()) {
      if (!of(example)) continue;
      all++;
      const answer = MASK_STATES[answers[at] ?? 0];
      if (exact ? answer === example.state : (answer === 'none') === (example.state === 'none')) right++;
    }
    return all === 0 ? null : right / all;
  };
  const isBare = ({ state }: MaskExample) => state === 'none';
  const isDrawn = ({ state, real }: MaskExample) => state !== 'none' && !real;
  const isReal = ({ real }: MaskExample) => real;
  const mean = (shares: readonly (number | null)[]) => {
    const known = shares.filter((it) => it !== null);
    return known.reduce((sum, it) => sum + it, 0) / Math.max(1, known.length);
  };
  const accuracyOf = (answers: readonly number[]) => {
    const masked = mean([share(answers, isDrawn), share(answers, isReal)]);
    return mean([share(answers, isBare), masked]);
  };
  const byState = (state: MaskState) => share(asIs, (example) => example.state === state, true);
  const realRight = share(asIs, isReal);
  const figures = {
    accuracy: accuracyOf(asIs),
    variedAccuracy: accuracyOf(varied),
    bareRight: share(asIs, isBare) ?? 0,
    drawnRight: share(asIs, isDrawn) ?? 0,
    ...(realRight !== null && { realRight, variedRealRight: share(varied, isReal) ?? 0 }),
    variedBareRight: share(varied, isBare) ?? 0,
    stateAccuracy: mean(MASK_STATES.map(byState)),
  };
  return { score: figures.accuracy + figures.variedAccuracy + 0.5 * figures.stateAccuracy, figures };
}

/** The likeliest state of each face as it is and varied, its index. */
async function toldOf(student: Student, values: Values, model: MaskModel, faces: JudgedFaces) {
  return {
    asIs: await told(
      student,
      values,
      model,
      faces.map((it) => it.asIs),
    ),
    varied: await told(
      student,
      values,
      model,
      faces.map((it) => it.varied),
    ),
  };
}

async function told(
  student: Student,
  values: Values,
  { side, pixels, output }: MaskModel,
  crops: readonly Uint8Array[],
): Promise<number[]> {
  const input = new Float32Array(crops.length * side ** 2);
  for (const [at, crop] of crops.entries()) writeGrey(crop, pixels, input, at * side ** 2);
  const logits = (await student.run(input, crops.length, values))[output] ?? new Float32Array();
  return crops.map((_, at) => {
    const row = logits.subarray(at * MASK_STATES.length, (at + 1) * MASK_STATES.length);
    return row.indexOf(Math.max(...row));
  });
}

/** Faces held out that are told wrongly, as they are and varied. */
async function mistakes(student: Student, values: Values, model: MaskModel, faces: JudgedFaces): Promise<Example[]> {
  const { asIs, varied } = await toldOf(student, values, model, faces);
  const name = (answers: readonly number[], at: number) => MASK_STATES[answers[at] ?? 0] ?? '';
  const wrong = faces.flatMap((face, at) => {
    const [one, other] = [name(asIs, at), name(varied, at)];
    return one === face.example.state && other === face.example.state ? [] : [{ face, one, other }];
  });
  return wrong.slice(0, SHOWN).map(({ face, one, other }) => ({
    title: `${face.example.state}${face.example.real ? ', real' : ''}`,
    pictures: [
      { caption: `told ${one}`, image: coloured(face.asIs) },
      { caption: `varied: ${other}`, image: coloured(face.varied) },
    ],
  }));
}

function coloured(grey: Uint8Array): RgbImage {
  return { ...SIZE, rgb: Uint8Array.from({ length: grey.length * 3 }, (_, at) => grey[Math.floor(at / 3)] ?? 0) };
}
