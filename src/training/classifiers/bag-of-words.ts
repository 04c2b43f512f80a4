import { shuffled } from '../../core/shuffled.ts';
import { decodeTensors, encodeTensors } from '../safetensors.ts';
import { type Codebook, histogramOf, learnCodebook } from './bag-of-features.ts';
import { type FeatureMatrix, matrixOf, rowOf } from './feature-matrix.ts';

/** A codebook, with the mean and deviation of the histograms it makes of the faces it was learnt from. */
export interface BagOfWords {
  readonly codebook: Codebook;
  readonly mean: Float32Array;
  readonly deviation: Float32Array;
}

export interface BagOptions {
  /** Words of the codebook. */
  readonly words: number;
  /** Width of the radial basis neurons, in mean distances of a descriptor to its nearest centre. */
  readonly softness: number;
}

/** Descriptors that k-means learns from: of more, so many are drawn. */
const MOST_DESCRIPTORS = 8000;

/**
 * Learns words from the descriptors of faces, one matrix a face.
 *
 * @param random draws descriptors and first centres
 */
export function learnBag(
  faces: readonly FeatureMatrix[],
  { words, softness }: BagOptions,
  random: () => number,
): BagOfWords {
  const descriptors = faces.flatMap((face) => Array.from({ length: face.rows }, (_, row) => rowOf(face, row)));
  const sample = matrixOf(shuffled(descriptors, random).slice(0, MOST_DESCRIPTORS));
  const codebook = learnCodebook(sample, Math.min(words, sample.rows), softness, random);
  return { codebook, ...spreadOf(matrixOf(faces.map((face) => histogramOf(codebook, face)))) };
}

/** The histogram of a face's descriptors, its mean taken away and divided by its deviation. */
export function wordsOf({ codebook, mean, deviation }: BagOfWords, face: FeatureMatrix): Float32Array {
  return histogramOf(codebook, face).map((value, at) => (value - (mean[at] ?? 0)) / (deviation[at] ?? 1));
}

function spreadOf({ rows, columns, data }: FeatureMatrix): Pick<BagOfWords, 'mean' | 'deviation'> {
  const mean = new Float32Array(columns);
  const deviation = new Float32Array(columns);
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

/** As a safetensors file. */
export function encodeBag({ codebook, mean, deviation }: BagOfWords): Uint8Array {
  const { centres, width } = codebook;
  const row = (data: Float32Array) => ({ shape: [data.length], data });
  return encodeTensors({
    tensors: {
      centres: { shape: [centres.rows, centres.columns], data: centres.data },
      width: row(Float32Array.of(width)),
      mean: row(mean),
      deviation: row(deviation),
    },
    metadata: {},
  });
}

/** Throws CHECKPOINT_UNREADABLE. */
export function decodeBag(bytes: Uint8Array): BagOfWords {
  const { centres, width, mean, deviation } = decodeTensors(bytes).tensors;
  const [rows = 0, columns = 0] = centres?.shape ?? [];
  const data = (tensor: typeof centres) => tensor?.data ?? new Float32Array();
  return {
    codebook: { centres: { rows, columns, data: data(centres) }, width: data(width)[0] ?? 1 },
    mean: data(mean),
    deviation: data(deviation),
  };
}
