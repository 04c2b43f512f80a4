import { isDeepStrictEqual } from 'node:util';
import type { RecipeOf } from '../../config/training-recipe.ts';
import { alignBy } from '../../faces/align.ts';
import { jointTemplate } from '../../faces/joint-template.ts';
import { fingerprintOf, type ModelEntry } from '../../inference/manifest.ts';
import { writeContract } from '../../inference/model-contract.ts';
import { cutSmoothly, type FaceAlignments, marksOf, towardsPersonMean } from '../data/encoder-sampler.ts';
import { type PixelScale, writePlanes } from '../data/sampler.ts';
import type { RgbImage } from '../data/warp.ts';
import type { OpenSession, TensorGraph, Values } from '../engine.ts';
import { reshape, scaled, slice } from '../graph/shorthand.ts';
import { average, complement, cosines, normalised, pairedCosines } from '../losses/building-blocks.ts';
import { infoNce } from '../losses/contrastive.ts';
import { openTrainableGraph } from '../trainable-graph.ts';
import {
  chooseJudged,
  type EncoderAsked,
  embedCrops,
  type JudgedCrops,
  judgedCrops,
  judgeEncoder,
  plainOf,
  probeOf,
} from './judge-encoder.ts';
import type { LessonParts } from './landmarks-lesson.ts';
import type { Lesson } from './lesson.ts';
import { nearestExamples } from './nearest-examples.ts';
import { openStudent } from './student.ts';
import { keepUpperRows, lastMap } from './upper-part.ts';

/** Faces whose lower part is blanked to see what is left of it in the last feature map, and the grey level of the blank. */
const BLANK_FACES = 64;
const BLANK = 127;

export interface EncoderModels {
  /** The encoder for whole faces: the teacher. */
  readonly entry: ModelEntry;
  readonly onnx: Uint8Array;
  /** What the student begins as: one that learned from the same teacher before; null for the teacher's own upper rows. */
  readonly begin: Uint8Array | null;
  /** What masked faces are embedded by now: the upper-part encoder in use, or the same one. */
  readonly inUse: { readonly entry: ModelEntry; readonly onnx: Uint8Array };
}

export interface EncoderParts extends LessonParts {
  /** Where the landmarks in use put what every face and mask is aligned by. */
  readonly alignments: FaceAlignments;
  /** What the frozen encoder says of every plain face: unit length, one after another. */
  readonly targets: Float32Array;
}

/**
 * An encoder that sees no more of a face than a mask leaves free. It learns to say of a part what the frozen encoder says of
 * the whole (distillation: Hinton et al. 2015, on embeddings), and to tell the people of a batch apart when one picture of each
 * wears a mask (InfoNCE: van den Oord et al. 2018).
 */
export async function encoderLesson(
  recipe: RecipeOf<'encoder'>,
  { store, train, validation, alignments, targets }: EncoderParts,
  { entry, onnx, begin, inUse }: EncoderModels,
  open: OpenSession,
): Promise<Lesson> {
  const { seed, masked, alignedBy, mirrored, jointShare, jitterPx, degradation, blankFrom } = recipe;
  const { width, height } = entry.input;
  const people = Math.floor(recipe.batch / 2);
  const dimension = entry.embedding ?? 0;
  const output = entry.outputs[0]?.name ?? '';
  const pixels = entry.input;
  const size = { width, height: Math.min(recipe.rows, height) };
  const teacher = fingerprintOf(entry);
  const jointWith = jointShare > 0 ? { encoder: teacher, share: jointShare } : undefined;
  const templates = (faces: readonly number[], own: readonly Float32Array[], share: number) =>
    own.map((embedding, at) => {
      const from = (faces[at] ?? 0) * dimension;
      return share > 0 ? jointTemplate(embedding, targets.subarray(from, from + dimension), share) : embedding;
    });
  const inOtherLight = degradation.lightShare > 0;
  let judged: JudgedCrops | null = null;
  const crops = () => {
    judged ??= judgedCrops(store, chooseJudged(store, validation, recipe.validation.faces), size, {
      alignments,
      alignedBy,
      inOtherLight,
    });
    return judged;
  };
  const asked = (): EncoderAsked => {
    const { faces } = crops();
    return { output, mirrored, pixels, templates: (own) => templates(faces, own, jointShare) };
  };
  const upperRows = async () => {
    const shown = train.slice(0, BLANK_FACES).map((face) => {
      const crop = cutSmoothly(store.read(face), alignBy(alignedBy, marksOf(alignments, face, 0)), { width, height });
      crop.rgb.fill(BLANK, size.height * width * 3);
      return crop;
    });
    return keepUpperRows(onnx, height, size.height, await meanMap(shown, { onnx, height, pixels, open }));
  };
  return {
    onnx: writeContract(begin ?? (await upperRows()), {
      ...entry.input,
      part: 'upper',
      alignedBy,
      mirrored,
      jointWith,
    }),
    input: [3, size.height, size.width],
    contract: {
      input: { ...entry.input, ...size },
      outputs: entry.outputs,
      embedding: entry.embedding,
      alignedBy,
      mirrored,
      ...(jointWith && { jointWith }),
    },
    cut: recipe.cut,
    // The teacher's upper rows have learned nothing yet that is worth keeping.
    keptShare: begin ? recipe.keptShare : 0,
    batch: 2 * people,
    sampleThreads: 1,
    sampling: {
      kind: 'encoder',
      options: {
        faces: train,
        people,
        seed,
        input: size,
        pixels,
        masked,
        alignedBy,
        jitterPx,
        degradation,
        alignments,
        targets: towardsPersonMean(store, train, { targets, dimension, share: recipe.personMean }),
        dimension,
        others: recipe.others,
        blankFrom,
      },
    },
    complete: async (given) => given,
    loss(graph, outputs) {
      const target = graph.input('target', [2 * people, dimension]);
      const given = graph.op('Reshape', [outputs[output] ?? '', graph.int64s([2 * people, dimension])]);
      const unit = normalised(graph, given);
      const alike = pairedCosines(graph, unit, target);
      const distance = complement(graph, average(graph, alike));
      const half = (from: number) => slice(graph, given, { axes: [0], starts: [from], ends: [from + people] });
      // The first half is plain, the second the same people with a mask.
      const contrast = infoNce(graph, { anchors: half(people), positives: half(0), temperature: recipe.temperature });
      const others = graph.input('others', [recipe.others, dimension]);
      const telling = toldFromOthers(graph, { unit, alike, others, temperature: recipe.temperature });
      const weighted = (loss: string, weight: number) => scaled(graph, loss, weight);
      return {
        loss: graph.op('Add', [
          graph.op('Add', [weighted(distance, recipe.distillation), weighted(contrast, recipe.contrast)]),
          weighted(telling, recipe.telling),
        ]),
        metrics: { distance, contrast, telling },
      };
    },
    async judgeInUse() {
      const { width: across, height: down } = inUse.entry.input;
      const seen = chooseJudged(store, validation, recipe.validation.faces);
      const shown = judgedCrops(
        store,
        seen,
        { width: across, height: down },
        {
          alignments,
          alignedBy: inUse.entry.alignedBy ?? 'five',
          inOtherLight,
        },
      );
      const student = await openStudent({
        onnx: inUse.onnx,
        input: [3, down, across],
        cut: null,
        batch: 2 * people,
        open,
        block: null,
      });
      try {
        const { jointWith: before, mirrored: twice = false } = inUse.entry;
        // Made with another encoder than the teacher they would be of another space.
        const share = before?.encoder === teacher ? before.share : 0;
        return await judgeEncoder(student, student.initial, shown, {
          output: inUse.entry.outputs[0]?.name ?? '',
          mirrored: twice,
          pixels: inUse.entry.input,
          templates: (own) => templates(shown.faces, own, share),
        });
      } finally {
        await student.close();
      }
    },
    judge: (student, values) => judgeEncoder(student, values, crops(), asked()),
    async examples(student, before, after) {
      const { faces, people } = crops();
      const embedded = (values: Values) => embedCrops(student, values, crops(), asked());
      // Shown as a whole, though the encoder sees the upper rows.
      const whole = { width, height };
      const crop = (at: number, wears: boolean) => {
        const face = faces[at] ?? 0;
        return wears
          ? probeOf(store, face, at, whole, { alignments, alignedBy })
          : plainOf(store, face, whole, { alignments, alignedBy });
      };
      return nearestExamples({ people, crop }, { before: await embedded(before), after: await embedded(after) });
    },
    close: async () => {},
  };
}

/**
 * Whether a student of a recipe can begin as this encoder: it is for the upper part, takes the same crops, and learned the space of the
 * same teacher.
 */
export function canBeginAs(it: ModelEntry, recipe: RecipeOf<'encoder'>, teacher: ModelEntry): boolean {
  if (it.role !== 'encoder' || it.part !== 'upper') return false;
  const { width, height } = teacher.input;
  const takes = { ...teacher.input, width, height: Math.min(recipe.rows, height) };
  return (
    isDeepStrictEqual(it.input, takes) &&
    (it.alignedBy ?? 'five') === recipe.alignedBy &&
    it.embedding === teacher.embedding &&
    it.jointWith?.encoder === fingerprintOf(teacher)
  );
}

/** The last feature map of crops, their mean. */
async function meanMap(
  crops: readonly RgbImage[],
  { onnx, height, pixels, open }: { onnx: Uint8Array; height: number; pixels: PixelScale; open: OpenSession },
): Promise<Float32Array> {
  const width = crops[0]?.width ?? height;
  const { frozenOnnx } = openTrainableGraph(onnx, { input: [3, height, width], cut: lastMap(onnx, height) });
  if (!frozenOnnx) throw new Error('the model has no feature map');
  const session = await open(frozenOnnx, 'feature map');
  try {
    const data = new Float32Array(crops.length * 3 * height * width);
    for (const [row, crop] of crops.entries()) writePlanes(crop, pixels, data, row * 3 * height * width);
    const outputs = await session.run([{ type: 'float32', data, shape: [crops.length, 3, height, width] }]);
    const [map] = Object.values(outputs);
    const mean = new Float32Array((map?.data.length ?? 0) / crops.length);
    for (let at = 0; at < (map?.data.length ?? 0); at++) {
      const cell = at % mean.length;
      mean[cell] = (mean[cell] ?? 0) + (map?.data[at] ?? 0) / crops.length;
    }
    return mean;
  } finally {
    await session.release();
  }
}

/** How well each face is told from those of other people, all by what the frozen encoder says: a softmax over whom it is like. */
function toldFromOthers(
  graph: TensorGraph,
  { unit, alike, others, temperature }: { unit: string; alike: string; others: string; temperature: number },
): string {
  const rows = graph.shapeOf(alike)[0] ?? 0;
  const own = reshape(graph, scaled(graph, alike, 1 / temperature), [rows, 1]);
  const strangers = scaled(graph, cosines(graph, unit, others), 1 / temperature);
  const likelihood = graph.op('LogSoftmax', [graph.op('Concat', [own, strangers], { axis: 1 })], { axis: 1 });
  const right = slice(graph, likelihood, { axes: [1], starts: [0], ends: [1] });
  return graph.op('Neg', [average(graph, right)]);
}
