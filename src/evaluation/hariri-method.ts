import { seededRandom } from '../core/seeded-random.ts';
import { shuffled } from '../core/shuffled.ts';
import { histogramOf, learnCodebook } from './classifiers/bag-of-features.ts';
import type { FeatureMaps } from './classifiers/feature-maps.ts';
import { type FeatureMatrix, matrixOf, rowOf } from './classifiers/feature-matrix.ts';
import { trainPerceptron } from './classifiers/perceptron.ts';
import { cropsTaken } from './face-source.ts';
import type { IdentificationMethod } from './identification-method.ts';
import { classesOf, spreadOver, TRAINING_SEED, trainedMethod } from './trained-method.ts';

export interface HaririOptions {
  /** Words of the codebook. */
  readonly words: number;
  /** Width of the radial basis neurons, in mean distances of a descriptor to its nearest centre. */
  readonly softness: number;
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

/** Descriptors that k-means learns from: of more, so many are drawn. */
const MOST_DESCRIPTORS = 8000;

/**
 * Hariri, "Efficient masked face recognition method during the COVID-19 pandemic", Signal, Image and Video Processing 2021:
 * the feature map of a pre-trained network over the blocks that are kept, as a histogram over the words of a codebook
 * (bag-of-features.ts), classified by a perceptron with one hidden layer.
 *
 * Its networks (VGG-16, AlexNet, ResNet-50 trained on ImageNet) are replaced by the encoder in use, and its alignment by
 * rotation alone by that to the ArcFace template; the rest is as there.
 */
export function haririMethod(id: string, maps: FeatureMaps, options: HaririOptions = HARIRI): IdentificationMethod {
  const { words, softness, hidden, steps, learningRate, weightDecay } = options;
  return trainedMethod<FeatureMatrix>({
    id: `${id} hariri`,
    ...cropsTaken(maps),
    async features(pictures) {
      const described = await maps.describe(pictures.flatMap(({ face }) => (face ? [face] : [])));
      let next = 0;
      return pictures.map(({ face }) => (face ? (described[next++] ?? null) : null));
    },
    train(examples, people) {
      const random = seededRandom(TRAINING_SEED);
      const { labels, personOf } = classesOf(examples);
      const descriptors = examples.flatMap(({ features }) =>
        Array.from({ length: features.rows }, (_, row) => rowOf(features, row)),
      );
      const sample = matrixOf(shuffled(descriptors, random).slice(0, MOST_DESCRIPTORS));
      const codebook = learnCodebook(sample, Math.min(words, sample.rows), softness, random);
      const histograms = matrixOf(examples.map(({ features }) => histogramOf(codebook, features)));
      const scale = standardisation(histograms);
      const classify = trainPerceptron(standardised(histograms, scale), labels, {
        classes: personOf.length,
        hidden,
        steps,
        learningRate,
        weightDecay,
        random,
      });
      return (features) => {
        const histogram = matrixOf([histogramOf(codebook, features)]);
        return spreadOver(classify(rowOf(standardised(histogram, scale), 0)), personOf, people);
      };
    },
  });
}

interface Standardisation {
  readonly mean: Float64Array;
  readonly deviation: Float64Array;
}

function standardisation({ rows, columns, data }: FeatureMatrix): Standardisation {
  const mean = new Float64Array(columns);
  const deviation = new Float64Array(columns);
  for (let column = 0; column < columns; column++) {
    let [sum, squares] = [0, 0];
    for (let row = 0; row < rows; row++) {
      const value = data[row * columns + column] as number;
      sum += value;
      squares += value * value;
    }
    mean[column] = sum / rows;
    deviation[column] = Math.sqrt(Math.max(squares / rows - (sum / rows) ** 2, 0)) || 1;
  }
  return { mean, deviation };
}

function standardised({ rows, columns, data }: FeatureMatrix, { mean, deviation }: Standardisation): FeatureMatrix {
  const scaled = data.map((value, at) => (value - (mean[at % columns] ?? 0)) / (deviation[at % columns] ?? 1));
  return { rows, columns, data: scaled };
}
