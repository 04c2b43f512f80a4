import { readFile } from 'node:fs/promises';
import type { RecipeOf } from '../../config/training-recipe.ts';
import { EyelineError, messageOf } from '../../core/errors.ts';
import { type AlignmentPoints, alignBy } from '../../faces/align.ts';
import { cutSmoothly, type FaceAlignments, groupByPerson, marksOf } from '../data/encoder-sampler.ts';
import type { FaceStore } from '../data/face-store.ts';
import { type PixelScale, RAW_PIXELS } from '../data/sampler.ts';
import type { RgbImage } from '../data/warp.ts';
import type { OpenSession, TensorGraph, Values } from '../engine.ts';
import { batchHardTriplet, semiHardTriplet, type TripletLoss, tripletMargin } from '../losses/triplet.ts';
import { resnet } from '../resnet.ts';
import type { Judgement } from '../run/run-folder.ts';
import type { EncoderModels } from './encoder-lesson.ts';
import type { LessonParts } from './landmarks-lesson.ts';
import type { Lesson } from './lesson.ts';
import { nearestExamples } from './nearest-examples.ts';
import { EMBEDDING, seeUpperBlocks, withEmbedding } from './siamese-network.ts';
import { openStudent, type Student } from './student.ts';
import { trueAcceptRates } from './true-accept-rates.ts';
import { type EmbeddingOf, unitEmbeddings } from './unit-embeddings.ts';

export interface SiameseParts extends LessonParts {
  readonly alignments: FaceAlignments;
}

/** Pictures of a person that are judged at most. */
const MOST_OF_A_PERSON = 6;
const OWN: EmbeddingOf = { output: EMBEDDING, mirrored: false };

/**
 * The upper blocks of aligned faces through one network for anchor, positive and negative, taught by triplets: ResNet50 with
 * weights by chance, or a classifier of the user's (ImageNet's, as a rule) whose last layer is replaced.
 *
 * Throws GRAPH_UNTRAINABLE for a network that cannot be read, and TRAINING_DATA_UNUSABLE.
 */
export async function siameseLesson(
  recipe: RecipeOf<'siamese'>,
  parts: SiameseParts,
  inUse: EncoderModels['inUse'],
  open: OpenSession,
): Promise<Lesson> {
  const { store, train, validation, alignments } = parts;
  const { people, pictures, side, seed, masked, jitterPx, degradation, embedding } = recipe;
  requirePairs(store, train, people, 'to train on');
  requirePairs(store, validation, 2, 'held out');
  const batch = people * pictures;
  const judged = judgedFaces(store, validation, recipe.validation.faces);
  const cuts = { store, alignments, faces: judged, alignedBy: 'five' } as const;
  const own = { ...cuts, width: side, height: side, pixels: RAW_PIXELS };
  return {
    onnx: await networkOf(recipe),
    input: [3, side, side],
    cut: recipe.train === 'all' ? null : { layers: lastStageLayers(recipe.stages.at(-1) ?? 1) },
    batchNormalization: 'batch',
    contract: {
      input: { width: side, height: side, channels: 3, ...RAW_PIXELS },
      outputs: [{ name: EMBEDDING, shape: [embedding] }],
      embedding,
    },
    batch,
    sampleThreads: 1,
    sampling: {
      kind: 'triplets',
      options: { faces: train, people, pictures, seed, side, masked, jitterPx, degradation, alignments },
    },
    complete: async (given) => given,
    loss(graph, outputs) {
      const { loss, active } = tripletLoss(graph, outputs[EMBEDDING] ?? '', batch, recipe);
      return { loss, metrics: { active } };
    },
    judge: (student, values) => judgeEncoder(student, values, OWN, own),
    async examples(student, before, after) {
      const embedded = async (values: Values) => ({
        gallery: await embedFaces(student, values, OWN, own, false),
        probes: await embedFaces(student, values, OWN, own, true),
      });
      const crop = (at: number, wears: boolean) => cropOf(own, judged[at] ?? 0, wears);
      const people = peopleOf(own);
      return nearestExamples({ people, crop }, { before: await embedded(before), after: await embedded(after) });
    },
    async judgeInUse() {
      const { width, height } = inUse.entry.input;
      const student = await openStudent({
        onnx: inUse.onnx,
        input: [3, height, width],
        cut: null,
        batch,
        open,
        block: null,
      });
      try {
        const { outputs, alignedBy = 'five', mirrored = false } = inUse.entry;
        const shown = { ...cuts, alignedBy, width, height, pixels: inUse.entry.input };
        return await judgeEncoder(student, student.initial, { output: outputs[0]?.name ?? '', mirrored }, shown);
      } finally {
        await student.close();
      }
    },
    close: async () => {},
  };
}

function tripletLoss(
  graph: TensorGraph,
  embeddings: string,
  batch: number,
  { mining, margin }: RecipeOf<'siamese'>,
): TripletLoss {
  if (mining === 'random') {
    const rows = (name: string) => graph.input(name, [batch], 'int64');
    const [anchors, positives, negatives] = [rows('anchors'), rows('positives'), rows('negatives')];
    return tripletMargin(graph, { embeddings, anchors, positives, negatives, margin });
  }
  const people = graph.input('people', [batch]);
  const mine = mining === 'semi-hard' ? semiHardTriplet : batchHardTriplet;
  return mine(graph, { embeddings, people, margin });
}

async function networkOf(recipe: RecipeOf<'siamese'>): Promise<Uint8Array> {
  const { model, side, embedding, stages, width, seed } = recipe;
  if (model === null) return seeUpperBlocks(resnet({ input: side, embedding, stages, width, seed }), side);
  const bytes = await readFile(model).catch((error: unknown) => {
    throw new EyelineError('MODEL_MISSING', `${model} cannot be read: ${messageOf(error)}`, { cause: error });
  });
  try {
    return seeUpperBlocks(withEmbedding(new Uint8Array(bytes), embedding, seed), side);
  } catch (error) {
    throw new EyelineError('GRAPH_UNTRAINABLE', `${model}: ${messageOf(error)}`, { cause: error });
  }
}

/** Layers of a last stage of bottleneck blocks: three convolutions a block, the shortcut of the first, the embedding. */
function lastStageLayers(blocks: number): number {
  return 3 * blocks + 2;
}

function requirePairs(store: FaceStore, faces: readonly number[], needed: number, which: string): void {
  const people = [...groupByPerson(store, faces).values()].filter((group) => group.length > 1).length;
  if (people >= needed) return;
  throw new EyelineError(
    'TRAINING_DATA_UNUSABLE',
    `${people} people ${which} have two pictures with a face; ${needed} are needed: a pair is two pictures of one person`,
  );
}

/** Only people with several pictures say how well somebody is recognised. */
function judgedFaces(store: FaceStore, faces: readonly number[], most: number): number[] {
  return [...groupByPerson(store, faces).values()]
    .filter((group) => group.length > 1)
    .flatMap((group) => group.slice(0, MOST_OF_A_PERSON))
    .slice(0, most);
}

interface JudgedFaces {
  readonly store: FaceStore;
  readonly alignments: FaceAlignments;
  readonly faces: readonly number[];
  readonly alignedBy: AlignmentPoints;
  readonly width: number;
  readonly height: number;
  readonly pixels: PixelScale;
}

/** Masked faces against plain ones, and plain ones among themselves. */
async function judgeEncoder(
  student: Student,
  values: Values,
  of: EmbeddingOf,
  judged: JudgedFaces,
): Promise<Judgement> {
  const embed = (wears: boolean) => embedFaces(student, values, of, judged, wears);
  const gallery = await embed(false);
  const probes = await embed(true);
  const people = peopleOf(judged);
  const under = trueAcceptRates(gallery, probes, people, [1e-1, 1e-2, 1e-3]);
  const without = trueAcceptRates(gallery, gallery, people, [1e-2, 1e-3]);
  const [maskedTar1 = 0, maskedTar2 = 0, maskedTar3 = 0] = under.tar;
  const [plainTar2 = 0, plainTar3 = 0] = without.tar;
  const figures = { maskedTar2, plainTar2, maskedTar1, maskedTar3, plainTar3, maskedCeiling: under.ceiling };
  return { score: (maskedTar1 + maskedTar2 + maskedTar3 + plainTar2) / 4, figures };
}

function peopleOf({ store, faces }: JudgedFaces): number[] {
  return faces.map((face) => store.faces[face]?.person ?? -1);
}

/** Unit embeddings of plain faces, or with their first mask on. */
async function embedFaces(
  student: Student,
  values: Values,
  of: EmbeddingOf,
  judged: JudgedFaces,
  wears: boolean,
): Promise<Float32Array[]> {
  const crops = function* () {
    for (const face of judged.faces) yield cropOf(judged, face, wears);
  };
  return unitEmbeddings(student, values, { crops: crops(), pixels: judged.pixels }, of);
}

function cropOf({ store, alignments, alignedBy, width, height }: JudgedFaces, face: number, wears: boolean): RgbImage {
  const chip = store.read(face);
  const masked = wears && (store.faces[face]?.masks.length ?? 0) > 0;
  const shown = masked ? store.withMask(face, chip, 0) : chip;
  const marks = marksOf(alignments, face, masked ? 1 : 0);
  return cutSmoothly(shown, alignBy(alignedBy, marks, width), { width, height });
}
