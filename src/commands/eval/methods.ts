import type { CachedEncoder } from '../../evaluation/cached-encoder.ts';
import { softmaxOnEmbeddings, svmOnEmbeddings } from '../../evaluation/embedding-classifiers.ts';
import { haririMethod } from '../../evaluation/hariri-method.ts';
import { type IdentificationMethod, nearestFace } from '../../evaluation/identification-method.ts';
import { openGraph } from '../../inference/onnxruntime-model.ts';
import type { OpenSession } from '../../training/engine.ts';
import type { EvaluationModels } from './evaluation-models.ts';

/** How an identity is told from faces: the most similar one enrolled, or a classifier trained on the gallery. */
export const CLASSIFIERS = ['nearest', 'softmax', 'svm', 'hariri'] as const;
export type Classifier = (typeof CLASSIFIERS)[number];

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
