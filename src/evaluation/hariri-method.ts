import { seededRandom } from '../core/seeded-random.ts';
import { type BagOptions, learnBag, wordsOf } from '../training/classifiers/bag-of-words.ts';
import { type FeatureMatrix, matrixOf } from '../training/classifiers/feature-matrix.ts';
import { trainDense } from '../training/classifiers/train-dense.ts';
import type { OpenSession } from '../training/engine.ts';
import type { FeatureMaps } from './classifiers/feature-maps.ts';
import { cropsTaken, type ReadPicture } from './face-source.ts';
import type { IdentificationMethod } from './identification-method.ts';
import { classesOf, spreadOver, TRAINING_SEED, trainedMethod } from './trained-method.ts';

export interface HaririOptions extends BagOptions {
  /** Neurons of the hidden layer. */
  readonly hidden: number;
  readonly steps: number;
  readonly learningRate: number;
  readonly weightDecay: number;
}

/** Chosen on celeba/train (docs/accuracy.md). */
export const HARIRI: HaririOptions = {
  words: 70,
  softness: 0.25,
  hidden: 128,
  steps: 1000,
  learningRate: 0.003,
  weightDecay: 0.01,
};

/**
 * Hariri, "Efficient masked face recognition method during the COVID-19 pandemic", Signal, Image and Video Processing 2021:
 * the feature map of a pre-trained network over the blocks that are kept, as a histogram over the words of a codebook
 * (bag-of-features.ts), classified by a perceptron with one hidden layer.
 *
 * Its networks (VGG-16, AlexNet, ResNet-50 trained on ImageNet) are replaced by the encoder in use, and its alignment by
 * rotation alone by that to the ArcFace template; the rest is as there.
 */
export function haririMethod(
  id: string,
  maps: FeatureMaps,
  open: OpenSession,
  options: HaririOptions = HARIRI,
): IdentificationMethod {
  const { hidden, steps, learningRate, weightDecay } = options;
  return trainedMethod<FeatureMatrix>({
    id: `${id} hariri`,
    ...cropsTaken(maps),
    features: (pictures) => describePictures(pictures, maps),
    async train(examples, people) {
      const random = seededRandom(TRAINING_SEED);
      const { labels, personOf } = classesOf(examples);
      const bag = learnBag(
        examples.map(({ features }) => features),
        options,
        random,
      );
      const histograms = matrixOf(examples.map(({ features }) => wordsOf(bag, features)));
      const classify = await trainDense(histograms, labels, {
        classes: personOf.length,
        hidden,
        steps,
        learningRate,
        weightDecay,
        seed: TRAINING_SEED,
        random,
        open,
      });
      return async (faces) =>
        (await classify(faces.map((face) => wordsOf(bag, face)))).map((shares) => spreadOver(shares, personOf, people));
    },
  });
}

/** Descriptors of what was read, in order; null where there is no face. */
export async function describePictures(
  pictures: readonly ReadPicture[],
  maps: FeatureMaps,
): Promise<(FeatureMatrix | null)[]> {
  const described = await maps.describe(pictures.flatMap(({ face }) => (face ? [face] : [])));
  let next = 0;
  return pictures.map(({ face }) => (face ? (described[next++] ?? null) : null));
}
