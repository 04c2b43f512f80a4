import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { convertTfjs } from '../../../src/inference/convert/tfjs-to-onnx.ts';
import { evaluateGraph } from '../../../src/inference/onnxruntime-model.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});
afterEach(() => tf.disposeVariables());
console.log(typeof evaluateGraph, typeof convertTfjs, describe, expect, it);
