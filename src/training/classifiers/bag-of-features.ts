import { type FeatureMatrix, rowOf, squaredDistance } from './feature-matrix.ts';
import { kMeans } from './k-means.ts';

/**
 * Bag of features with soft assignment (Passalis and Tefas, "Learning bag-of-features pooling for deep convolutional neural
 * networks", ICCV 2017): radial basis neurons answer to a descriptor by its distance to their centre, their answers are
 * scaled to a sum of 1, and a picture is the mean answer over its descriptors. There the centres go on learning with the
 * network; here, as in Hariri 2021, they stay where k-means puts them.
 */
export interface Codebook {
  readonly centres: FeatureMatrix;
  /** Distance at which a neuron's answer has fallen to 1/e. */
  readonly width: number;
}

/**
 * @param softness width of the neurons, in mean distances of a descriptor to its nearest centre
 * @param random draws the first centres
 * Throws RangeError when there are fewer descriptors than words.
 */
export function learnCodebook(
  descriptors: FeatureMatrix,
  words: number,
  softness: number,
  random: () => number,
): Codebook {
  const { centres, assignment } = kMeans(descriptors, words, random);
  let sum = 0;
  for (let row = 0; row < descriptors.rows; row++) {
    sum += Math.sqrt(squaredDistance(rowOf(descriptors, row), rowOf(centres, assignment[row] ?? 0)));
  }
  const width = (sum / descriptors.rows) * softness;
  // Where every descriptor is a word of its own there is no distance to go by.
  return { centres, width: width > 0 ? width : 1 };
}

/** Histogram of a picture over the words of a codebook; its numbers add up to 1. */
export function histogramOf({ centres, width }: Codebook, descriptors: FeatureMatrix): Float32Array {
  const histogram = new Float32Array(centres.rows);
  const answers = new Float64Array(centres.rows);
  for (let row = 0; row < descriptors.rows; row++) {
    let nearest = Number.POSITIVE_INFINITY;
    for (let word = 0; word < centres.rows; word++) {
      const distance = Math.sqrt(squaredDistance(rowOf(descriptors, row), rowOf(centres, word)));
      answers[word] = distance;
      nearest = Math.min(nearest, distance);
    }
    let total = 0;
    for (let word = 0; word < centres.rows; word++) {
      // Against the nearest, which changes no share: far from all words every answer would round to nothing.
      answers[word] = Math.exp(-((answers[word] as number) - nearest) / width);
      total += answers[word] as number;
    }
    for (let word = 0; word < centres.rows; word++) {
      histogram[word] = (histogram[word] as number) + (answers[word] as number) / total / descriptors.rows;
    }
  }
  return histogram;
}
