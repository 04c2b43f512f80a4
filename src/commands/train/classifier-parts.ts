import { join, sep } from 'node:path';
import type { RecipeOf } from '../../config/training-recipe.ts';
import { EyelineError } from '../../core/errors.ts';
import { silentLogger } from '../../core/logger.ts';
import { seededRandom } from '../../core/seeded-random.ts';
import { shuffled } from '../../core/shuffled.ts';
import type { VisionModel } from '../../inference/vision-model.ts';
import { type BagOfWords, encodeBag, learnBag, wordsOf } from '../../training/classifiers/bag-of-words.ts';
import type { FeatureMatrix } from '../../training/classifiers/feature-matrix.ts';
import type { ClassifiedFace } from '../../training/data/classifier-sampler.ts';
import { type FaceAlignments, MARK_VALUES } from '../../training/data/encoder-sampler.ts';
import { alignedCrops, alignmentsOf, readFloats, writeFloats } from '../../training/data/face-features.ts';
import { readRecord } from '../../training/data/prepare-set.ts';
import type { PictureSplit } from '../../training/data/training-pictures.ts';
import type { ClassifierParts } from '../../training/recipes/classifier-lesson.ts';
import { BAG_FILE, CLASSES_FILE, type ClassifierRun } from '../classifier-run.ts';
import { EvaluationModels } from '../eval/evaluation-models.ts';
import type { LessonContext } from './open-lesson.ts';
import { withinCores } from './within-cores.ts';

/** Faces whose descriptors the words are learnt from. */
const FACES_FOR_WORDS = 600;

interface Features {
  readonly features: Float32Array;
  readonly columns: number;
  readonly bag: BagOfWords | null;
}

/**
 * What a classifier is trained on: features of all faces, plain and masked, as `eval` computes them; kept beside the faces, and read
 * from there the next time. Throws USAGE for an encoder there is none of, and OUTPUT_UNWRITABLE.
 */
export async function classifierParts(
  recipe: RecipeOf<'classifier'>,
  context: LessonContext,
  split: PictureSplit,
): Promise<ClassifierParts> {
  const { faces: store, folder, signal } = context;
  const models = new EvaluationModels(withinCores(context.config, context.cores), context.store, silentLogger);
  try {
    context.say('aligning faces');
    const landmarker = await context.openModel(context.config.models.landmarks);
    const alignments = await alignmentsOf(store, landmarker, { folder, signal });
    context.say(`asking ${recipe.encoder} about ${store.faces.length} faces, plain and masked`);
    const { model } = models.modelOf(recipe.encoder);
    const { fingerprint } = await models.open(model);
    const encoder = { id: recipe.encoder, fingerprint };
    const features =
      recipe.features === 'embedding'
        ? await embeddings(models, encoder, alignments, landmarker, context)
        : await words(models, recipe, alignments, split.train, context);
    const names = (await readRecord(folder))?.people ?? [];
    const people = [...new Set(store.faces.map(({ person }) => person))];
    const labelOf = new Map(people.map((person, label) => [person, label]));
    const classified = (face: number): ClassifiedFace => {
      const { person = -1, masks = [] } = store.faces[face] ?? {};
      return { row: alignments.starts[face] ?? 0, masks: masks.length, label: labelOf.get(person) ?? -1 };
    };
    const nameOf = (person: number) => names[person] ?? '';
    const run: ClassifierRun = {
      features: recipe.features,
      encoder,
      people: people.map(nameOf),
      learned: split.train.map((face) => {
        const { file = '', person = -1 } = store.faces[face] ?? {};
        return belowPerson(file, nameOf(person));
      }),
    };
    return {
      features: features.features,
      columns: features.columns,
      train: split.train.map(classified),
      validation: split.validation.map(classified),
      classes: people.length,
      files: {
        [CLASSES_FILE]: `${JSON.stringify(run, null, 2)}\n`,
        ...(features.bag && { [BAG_FILE]: encodeBag(features.bag) }),
      },
    };
  } finally {
    await models.close();
  }
}

async function embeddings(
  models: EvaluationModels,
  { id, fingerprint }: ClassifierRun['encoder'],
  alignments: FaceAlignments,
  landmarker: Pick<VisionModel, 'fingerprint'>,
  { faces: store, folder, signal }: LessonContext,
): Promise<Features> {
  const encoder = await models.encoder(id);
  const rows = alignments.points.length / MARK_VALUES;
  const columns = models.dimensionOf(id);
  const name = `classified-${id}-${fingerprint.slice(0, 16)}-${landmarker.fingerprint.slice(0, 16)}.f32`;
  const file = join(folder, name);
  const known = await readFloats(file, rows * columns);
  if (known) return { features: known, columns, bag: null };
  const features = new Float32Array(rows * columns);
  const all = store.faces.map((_, face) => face);
  for (const { aligned, rows: places } of alignedCrops(store, alignments, all, encoder)) {
    signal.throwIfAborted();
    const embedded = await encoder.embed(aligned.map(({ crops }) => ({ crops, mask: null })));
    for (const [at, place] of places.entries()) features.set(embedded[at] ?? [], place * columns);
  }
  await writeFloats(file, features);
  return { features, columns, bag: null };
}

async function words(
  models: EvaluationModels,
  { encoder, words: count, softness, seed }: RecipeOf<'classifier'>,
  alignments: FaceAlignments,
  train: readonly number[],
  { faces: store, signal }: LessonContext,
): Promise<Features> {
  const maps = await models.featureMaps(encoder);
  const random = seededRandom(seed);
  // Words are learnt from plain faces that are trained on; what is held out has no part in them.
  const described: FeatureMatrix[] = [];
  const some = shuffled(train, random).slice(0, FACES_FOR_WORDS);
  const plain = new Set(some.map((face) => alignments.starts[face] ?? 0));
  for (const { aligned, rows } of alignedCrops(store, alignments, some, maps)) {
    signal.throwIfAborted();
    described.push(...(await maps.describe(aligned.filter((_, at) => plain.has(rows[at] ?? -1)))));
  }
  const bag = learnBag(described, { words: count, softness }, random);
  const columns = bag.mean.length;
  const features = new Float32Array((alignments.points.length / MARK_VALUES) * columns);
  const all = store.faces.map((_, face) => face);
  for (const { aligned, rows } of alignedCrops(store, alignments, all, maps)) {
    signal.throwIfAborted();
    const matrices = await maps.describe(aligned);
    for (const [at, row] of rows.entries()) {
      const matrix = matrices[at];
      if (matrix) features.set(wordsOf(bag, matrix), row * columns);
    }
  }
  return { features, columns, bag };
}

/** A picture's path from its person's folder on, the same wherever the folder of people lies. */
function belowPerson(file: string, person: string): string {
  const parts = file.split(sep);
  const at = parts.lastIndexOf(person);
  if (at === -1) throw new EyelineError('USAGE', `${file} is not in the folder of ${person}`);
  return parts.slice(at).join('/');
}
