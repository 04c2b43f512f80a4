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
