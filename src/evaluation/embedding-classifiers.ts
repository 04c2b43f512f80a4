import { seededRandom } from '../core/seeded-random.ts';
import { matrixOf } from '../training/classifiers/feature-matrix.ts';
import { trainDense } from '../training/classifiers/train-dense.ts';
import type { OpenSession } from '../training/engine.ts';
import { embedPictures } from './cached-encoder.ts';
import { trainLinearSvm } from './classifiers/linear-svm.ts';
import type { FaceEncoder } from './face-encoder.ts';
import { cropsTaken } from './face-source.ts';
import type { IdentificationMethod } from './identification-method.ts';
import { classesOf, spreadOver, TRAINING_SEED, trainedMethod } from './trained-method.ts';

/** Softmax regression on frozen embeddings: the dense layer on top of an encoder that the project grew from. */
export function softmaxOnEmbeddings(encoder: FaceEncoder<Float32Array>, open: OpenSession): IdentificationMethod {
  return trainedMethod({
    id: `${encoder.id} softmax`,
    ...cropsTaken(encoder),
    features: (pictures) => embedPictures(pictures, encoder),
    async train(examples, people) {
      const { labels, personOf } = classesOf(examples);
      const classify = await trainDense(matrixOf(examples.map(({ features }) => features)), labels, {
        classes: personOf.length,
        hidden: null,
        steps: 1000,
        learningRate: 0.02,
        weightDecay: 0.01,
        seed: TRAINING_SEED,
        random: seededRandom(TRAINING_SEED),
        open,
      });
      return async (faces) => (await classify(faces)).map((shares) => spreadOver(shares, personOf, people));
    },
  });
}

/** Linear support vector machines, one against the rest, on frozen embeddings. */
export function svmOnEmbeddings(encoder: FaceEncoder<Float32Array>): IdentificationMethod {
  return trainedMethod({
    id: `${encoder.id} svm`,
    ...cropsTaken(encoder),
    features: (pictures) => embedPictures(pictures, encoder),
    async train(examples, people) {
      const { labels, personOf } = classesOf(examples);
      const decide = trainLinearSvm(matrixOf(examples.map(({ features }) => features)), labels, {
        classes: personOf.length,
        cost: 1,
        random: seededRandom(TRAINING_SEED),
      });
      // Any distance as a score between -1 and 1, in the same order.
      return async (faces) => faces.map((features) => spreadOver(decide(features).map(Math.tanh), personOf, people));
    },
  });
}
