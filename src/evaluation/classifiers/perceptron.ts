import { shuffled } from '../../core/shuffled.ts';
import { type FeatureMatrix, rowOf } from './feature-matrix.ts';

export interface PerceptronOptions {
  readonly classes: number;
  /** Neurons of the hidden layer; null for none, which makes it softmax regression. */
  readonly hidden: number | null;
  /** Steps of the optimiser, each over a batch of examples: as many for a small gallery as for a large one. */
  readonly steps: number;
  readonly learningRate: number;
  /** Pull of the weights towards nothing a step, as a share of the learning rate. */
  readonly weightDecay: number;
  /** Draws the first weights and the order of the examples. */
  readonly random: () => number;
}

/** Probabilities of the classes, which add up to 1. */
export type Classify = (features: Float32Array) => Float64Array;

const BATCH = 32;
const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-8;

/** A fully connected layer with all that its training needs. `weights` are outputs x (inputs + 1), the last the offset. */
interface Layer {
  readonly inputs: number;
  readonly outputs: number;
  readonly weights: Float64Array;
  readonly gradient: Float64Array;
  readonly moment: Float64Array;
  readonly scale: Float64Array;
}

/**
 * Trains a perceptron with at most one hidden layer (rectified) and softmax by cross-entropy, with Adam (Kingma and Ba 2015)
 * and decoupled weight decay (Loshchilov and Hutter 2019).
 *
 * Throws RangeError when a label is no class.
 */
export function trainPerceptron(
  features: FeatureMatrix,
  labels: readonly number[],
  options: PerceptronOptions,
): Classify {
  const { classes, hidden, steps, learningRate, weightDecay, random } = options;
  if (labels.length !== features.rows || labels.some((label) => !(label >= 0 && label < classes))) {
    throw new RangeError(`${features.rows} rows need a label each, below ${classes}`);
  }
  const sizes = [features.columns, ...(hidden === null ? [] : [hidden]), classes];
  const layers = sizes.slice(1).map((outputs, at) => createLayer(sizes[at] ?? 0, outputs, random));
  const rows = Array.from({ length: features.rows }, (_, row) => row);
  let waiting: number[] = [];
  for (let step = 1; step <= steps; step++) {
    if (waiting.length === 0) waiting = shuffled(rows, random);
    const batch = waiting.splice(0, BATCH);
    for (const row of batch) learnFrom(layers, rowOf(features, row), labels[row] ?? 0, 1 / batch.length);
    // The rate falls to nothing along a line, so that the last examples do not weigh most.
    const rate = learningRate * (1 - (step - 1) / steps);
    for (const layer of layers) update(layer, rate, weightDecay, step);
  }
  return (row) => softmax(activations(layers, row).at(-1) ?? new Float64Array());
}

function createLayer(inputs: number, outputs: number, random: () => number): Layer {
  const size = outputs * (inputs + 1);
  // He et al. 2015, uniform; offsets start at nothing.
  const reach = Math.sqrt(6 / inputs);
  const weights = Float64Array.from({ length: size }, (_, at) =>
    at % (inputs + 1) === inputs ? 0 : (random() * 2 - 1) * reach,
  );
  const zeros = () => new Float64Array(size);
  return { inputs, outputs, weights, gradient: zeros(), moment: zeros(), scale: zeros() };
}

/** What each layer gives, the features first; hidden layers rectified, the last not. */
function activations(layers: readonly Layer[], features: ArrayLike<number>): Float64Array[] {
  const all = [Float64Array.from(features)];
  for (const [at, { inputs, outputs, weights }] of layers.entries()) {
    const input = all[at] as Float64Array;
    const output = new Float64Array(outputs);
    for (let neuron = 0; neuron < outputs; neuron++) {
      const base = neuron * (inputs + 1);
      let sum = weights[base + inputs] as number;
      for (let from = 0; from < inputs; from++) sum += (weights[base + from] as number) * (input[from] as number);
      output[neuron] = at < layers.length - 1 ? Math.max(0, sum) : sum;
    }
    all.push(output);
  }
  return all;
}

function learnFrom(layers: readonly Layer[], features: Float32Array, label: number, share: number): void {
  const all = activations(layers, features);
  let error = softmax(all.at(-1) as Float64Array).map((p, at) => (p - (at === label ? 1 : 0)) * share);
  for (let at = layers.length - 1; at >= 0; at--) {
    const { inputs, outputs, weights, gradient } = layers[at] as Layer;
    const input = all[at] as Float64Array;
    const before = new Float64Array(inputs);
    for (let neuron = 0; neuron < outputs; neuron++) {
      const slope = error[neuron] as number;
      if (slope === 0) continue;
      const base = neuron * (inputs + 1);
      for (let from = 0; from < inputs; from++) {
        gradient[base + from] = (gradient[base + from] as number) + slope * (input[from] as number);
        before[from] = (before[from] as number) + slope * (weights[base + from] as number);
      }
      gradient[base + inputs] = (gradient[base + inputs] as number) + slope;
    }
    error = before.map((slope, from) => ((input[from] as number) > 0 ? slope : 0));
  }
}

function update({ weights, gradient, moment, scale }: Layer, rate: number, decay: number, step: number): void {
  const [bias1, bias2] = [1 - BETA1 ** step, 1 - BETA2 ** step];
  for (let at = 0; at < weights.length; at++) {
    const slope = gradient[at] as number;
    const mean = BETA1 * (moment[at] as number) + (1 - BETA1) * slope;
    const square = BETA2 * (scale[at] as number) + (1 - BETA2) * slope * slope;
    moment[at] = mean;
    scale[at] = square;
    gradient[at] = 0;
    const weight = weights[at] as number;
    weights[at] = weight - rate * (mean / bias1 / (Math.sqrt(square / bias2) + EPSILON) + decay * weight);
  }
}

function softmax(logits: Float64Array): Float64Array {
  const largest = logits.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  const powers = logits.map((value) => Math.exp(value - largest));
  const total = powers.reduce((sum, value) => sum + value, 0);
  return powers.map((value) => value / total);
}
