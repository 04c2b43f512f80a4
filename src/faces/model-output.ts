import { EyelineError } from '../core/errors.ts';
import type { Outputs, Tensor } from '../inference/vision-model.ts';

/** The output of that name. Throws MODEL_UNSUPPORTED when the model gives others. */
export function namedOutput(model: { readonly id: string }, outputs: Outputs, name: string): Tensor {
  const tensor = outputs[name];
  if (!tensor) {
    throw new EyelineError(
      'MODEL_UNSUPPORTED',
      `model ${model.id} gives no output "${name}" but ${Object.keys(outputs)}`,
    );
  }
  return tensor;
}

/** The output of a model that has one. Throws MODEL_UNSUPPORTED when it has none or several. */
export function onlyOutput(model: { readonly id: string }, outputs: Outputs): Tensor {
  const [name, ...others] = Object.keys(outputs);
  if (name === undefined || others.length > 0) {
    throw new EyelineError(
      'MODEL_UNSUPPORTED',
      `model ${model.id} must give one output, gives ${Object.keys(outputs)}`,
    );
  }
  return namedOutput(model, outputs, name);
}

/**
 * The one output with so many numbers a picture, of a model that may give others too. Throws MODEL_UNSUPPORTED when none
 * has, or several have.
 */
export function outputOfSize(
  model: { readonly id: string },
  outputs: Outputs,
  numbers: number,
): { readonly name: string; readonly tensor: Tensor } {
  const fitting = Object.entries(outputs).filter(([, { shape }]) => numbersOf(shape) === numbers);
  const [found, ...others] = fitting;
  if (!found || others.length > 0) {
    throw new EyelineError(
      'MODEL_UNSUPPORTED',
      `model ${model.id} must give one output of ${numbers} numbers, gives ${Object.keys(outputs)}`,
    );
  }
  return { name: found[0], tensor: found[1] };
}

/** What an output says of one picture of a batch. */
export function rowOf({ data, shape }: Tensor, row: number): Float32Array {
  const numbers = numbersOf(shape);
  return data.slice(row * numbers, (row + 1) * numbers);
}

/** Numbers a picture. */
function numbersOf([, ...shape]: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}
