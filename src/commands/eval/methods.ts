import { relative, sep } from 'node:path';
import { EyelineError } from '../../core/errors.ts';
import { type CachedEncoder, embedPictures } from '../../evaluation/cached-encoder.ts';
import { softmaxOnEmbeddings, svmOnEmbeddings } from '../../evaluation/embedding-classifiers.ts';
import type { ReadPicture } from '../../evaluation/face-source.ts';
import { cropsTaken } from '../../evaluation/face-source.ts';
import { describePictures, haririMethod } from '../../evaluation/hariri-method.ts';
import { type IdentificationMethod, nearestFace } from '../../evaluation/identification-method.ts';
import { learnedMethod } from '../../evaluation/learned-classifier.ts';
import { openGraph } from '../../inference/onnxruntime-model.ts';
import { decodeBag, wordsOf } from '../../training/classifiers/bag-of-words.ts';
import { denseClassifier } from '../../training/classifiers/train-dense.ts';
import type { OpenSession } from '../../training/engine.ts';
import { readClassifierRun } from '../classifier-run.ts';
import type { EvaluationModels } from './evaluation-models.ts';

/** How an identity is told from faces: the most similar one enrolled, or a classifier trained on the gallery. */
export const CLASSIFIERS = ['nearest', 'softmax', 'svm', 'hariri'] as const;
export type Classifier = (typeof CLASSIFIERS)[number];

export function isClassifier(name: string): name is Classifier {
  return CLASSIFIERS.some((it) => it === name);
}

/** Figures must repeat to their last digit: one thread of the CPU, whatever models run on. */
const openOnCpu: OpenSession = (onnx, name) => openGraph(onnx, { providers: ['cpu'], threads: 1, steady: true }, name);

/** A method by the ids of its parts, and its encoder where it has one. Throws what opening the models throws. */
export async function methodOf(
  models: EvaluationModels,
  encoderId: string,
  classifier: Classifier,
  upperEncoder?: string | null,
): Promise<{ method: IdentificationMethod; encoder: CachedEncoder<object> | null }> {
  if (classifier === 'hariri') {
    return { method: haririMethod(encoderId, await models.featureMaps(encoderId), openOnCpu), encoder: null };
  }
  if (classifier === 'nearest') {
    const encoder = await models.comparer(encoderId, upperEncoder);
    return { method: nearestFace(encoder), encoder };
  }
  const encoder = await models.encoder(encoderId);
  switch (classifier) {
    case 'softmax':
      return { method: softmaxOnEmbeddings(encoder, openOnCpu), encoder };
    case 'svm':
      return { method: svmOnEmbeddings(encoder), encoder };
  }
}

export interface LearnedMethodOptions {
  readonly folder: string;
  /** As the command was given it; `auto` is whatever the classifier was trained on. */
  readonly encoder: string;
  /** Folder of people, and their names in order. */
  readonly dir: string;
  readonly names: readonly string[];
}

/**
 * A classifier that a run trained. Throws USAGE when the folder is none of such a run, or its encoder is another than the one asked for,
 * and MODEL_UNSUPPORTED when the encoder's model is not the one it was trained on.
 */
export async function learnedMethodOf(
  models: EvaluationModels,
  { folder, encoder: asked, dir, names }: LearnedMethodOptions,
): Promise<IdentificationMethod> {
  const { run, onnx, bag } = await readClassifierRun(folder);
  const { id, fingerprint } = run.encoder;
  if (asked !== 'auto' && asked !== id) {
    throw new EyelineError('USAGE', `${folder} was trained on the encoder ${id}, not ${asked}: leave --encoder out`);
  }
  const { model } = models.modelOf(id);
  if ((await models.open(model)).fingerprint !== fingerprint) {
    throw new EyelineError(
      'MODEL_UNSUPPORTED',
      `${folder} was trained on another model than ${model} is now: train it again`,
    );
  }
  const learned = new Set(run.learned);
  const common = {
    id: `${id} ${folder}`,
    people: run.people,
    learned: { pictures: learned.size, has: (file: string) => learned.has(relative(dir, file).split(sep).join('/')) },
    classify: denseClassifier(onnx, null, openOnCpu),
  };
  if (bag === null) {
    const encoder = await models.encoder(id);
    const features = (pictures: readonly ReadPicture[]) => embedPictures(pictures, encoder);
    return learnedMethod({ ...common, ...cropsTaken(encoder), features }, names);
  }
  const [maps, words] = [await models.featureMaps(id), decodeBag(bag)];
  const features = async (pictures: readonly ReadPicture[]) =>
    (await describePictures(pictures, maps)).map((face) => face && wordsOf(words, face));
  return learnedMethod({ ...common, ...cropsTaken(maps), features }, names);
}
