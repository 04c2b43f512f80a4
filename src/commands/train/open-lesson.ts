import { readFile } from 'node:fs/promises';
import type { Config } from '../../config/schema.ts';
import type { TrainingRecipe } from '../../config/training-recipe.ts';
import { EyelineError, messageOf } from '../../core/errors.ts';
import type { ModelStore } from '../../inference/store.ts';
import type { VisionModel } from '../../inference/vision-model.ts';
import { alignmentsOf, embeddingsOf } from '../../training/data/face-features.ts';
import type { FaceStore } from '../../training/data/face-store.ts';
import type { PictureSplit } from '../../training/data/training-pictures.ts';
import type { OpenSession } from '../../training/engine.ts';
import { classifierLesson } from '../../training/recipes/classifier-lesson.ts';
import { detectorLesson } from '../../training/recipes/detector-lesson.ts';
import { type EncoderModels, encoderLesson } from '../../training/recipes/encoder-lesson.ts';
import { landmarksLesson } from '../../training/recipes/landmarks-lesson.ts';
import type { Lesson } from '../../training/recipes/lesson.ts';
import { maskStateLesson } from '../../training/recipes/mask-state-lesson.ts';
import { siameseLesson } from '../../training/recipes/siamese-lesson.ts';
import { classifierParts } from './classifier-parts.ts';
import { shippedEncoder } from './shipped-encoder.ts';

export interface LessonContext {
  readonly config: Config;
  readonly store: ModelStore;
  readonly faces: FaceStore;
  readonly folder: string;
  /** Faces to train on, and to judge by. */
  readonly split: PictureSplit;
  readonly signal: AbortSignal;
  readonly open: OpenSession;
  readonly block: number | null;
  /** Models are run on so many. */
  readonly cores: number;
  /** Opens a model as the daemon runs it. */
  readonly openModel: (id: string) => Promise<VisionModel>;
  readonly say: (line: string) => void;
}

/** What a mask-state model is compared with where none is configured. */
const SHIPPED_MASK_STATE = 'mask-state';

/** The model a recipe begins with, whose word it takes, or which it is compared with: id in the manifest. */
export function modelOf(kind: TrainingRecipe['kind'], { models }: Pick<Config, 'models'>): string {
  switch (kind) {
    case 'detector':
      return models.detector;
    case 'landmarks':
      return models.landmarks;
    case 'encoder':
    case 'siamese':
    case 'classifier':
      return models.encoder;
    case 'mask-state':
      return models.maskState ?? SHIPPED_MASK_STATE;
  }
}

/** The model whose place the result of a recipe takes, and which it is compared with: id in the manifest. Masked faces are embedded by it now. */
export function comparedWith(kind: TrainingRecipe['kind'], config: Pick<Config, 'models'>): string {
  const { upperEncoder, encoder } = config.models;
  return kind === 'encoder' || kind === 'siamese' ? (upperEncoder ?? encoder) : modelOf(kind, config);
}

/**
 * Builds what a recipe teaches, over prepared faces. Throws MODEL_MISSING, TRAINING_DATA_UNUSABLE, GRAPH_UNTRAINABLE and
 * OUTPUT_UNWRITABLE.
 */
export async function openLesson(recipe: TrainingRecipe, context: LessonContext): Promise<Lesson> {
  const { store, faces, split } = context;
  const id = modelOf(recipe.kind, context.config);
  const entry = store.entry(id);
  const onnx = new Uint8Array(await readFile(await store.sourceFile(id)));
  const parts = { store: faces, ...split };
  switch (recipe.kind) {
    case 'landmarks':
      return landmarksLesson(recipe, parts, { entry, onnx });
    case 'detector':
      return detectorLesson(recipe, parts, { entry, onnx }, context);
    case 'mask-state':
      return maskStateLesson(recipe, parts, { entry, onnx }, context.open);
    case 'classifier':
      return classifierLesson(recipe, await classifierParts(recipe, context, split));
    case 'encoder': {
      const people = peopleOf(faces, split.train).size;
      if (people < recipe.batch / 2) {
        const needed = recipe.batch / 2;
        throw new EyelineError(
          'TRAINING_DATA_UNUSABLE',
          `${people} people to train on are fewer than the ${needed} of a batch: lower "batch" in the recipe`,
        );
      }
      requireSecondPictures(faces, peopleOf(faces, split.validation));
      const options = { folder: context.folder, signal: context.signal };
      context.say('aligning faces');
      const landmarker = await context.openModel(context.config.models.landmarks);
      const alignments = await alignmentsOf(faces, landmarker, options);
      context.say(`asking ${id} about ${faces.faces.length} plain faces`);
      const encoder = await context.openModel(id);
      const targets = await embeddingsOf(faces, encoder, entry, alignments, landmarker.fingerprint, options);
      const inUse = await maskedEncoderInUse(context);
      const shipped = await shippedEncoder(recipe, entry);
      if (shipped) context.say(`going on from ${shipped.entry.id}`);
      try {
        return await encoderLesson(
          recipe,
          { ...parts, alignments, targets },
          { entry, onnx, begin: shipped?.onnx ?? null, inUse },
          context.open,
        );
      } catch (error) {
        if (error instanceof EyelineError) throw error;
        throw new EyelineError('GRAPH_UNTRAINABLE', `model ${id}: ${messageOf(error)}`, { cause: error });
      }
    }
    case 'siamese': {
      context.say('aligning faces');
      const landmarker = await context.openModel(context.config.models.landmarks);
      const alignments = await alignmentsOf(faces, landmarker, { folder: context.folder, signal: context.signal });
      return siameseLesson(recipe, { ...parts, alignments }, await maskedEncoderInUse(context), context.open);
    }
  }
}

export function peopleOf({ faces }: Pick<FaceStore, 'faces'>, some: readonly number[]): Set<number> {
  return new Set(some.map((face) => faces[face]?.person ?? -1));
}

/** What masked faces are embedded by now: the encoder for their upper part, or the one for whole faces. */
async function maskedEncoderInUse({ config, store }: LessonContext): Promise<EncoderModels['inUse']> {
  const id = comparedWith('encoder', config);
  return { entry: store.entry(id), onnx: new Uint8Array(await readFile(await store.sourceFile(id))) };
}

/** Throws TRAINING_DATA_UNUSABLE when nobody who is held out has a second picture to be recognised in. */
function requireSecondPictures(faces: FaceStore, heldOut: ReadonlySet<number>): void {
  const seen = new Set<number>();
  for (const { person } of faces.faces) {
    if (heldOut.has(person) && seen.has(person)) return;
    seen.add(person);
  }
  throw new EyelineError(
    'TRAINING_DATA_UNUSABLE',
    `none of the ${heldOut.size} people held out has two pictures with a face: an encoder is judged by recognising them`,
  );
}
