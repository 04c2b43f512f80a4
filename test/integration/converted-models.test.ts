import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/core/logger.ts';
import { readTflite } from '../../src/inference/convert/tflite-file.ts';
import { toOnnx } from '../../src/inference/convert/to-onnx.ts';
import { evaluateGraph } from '../../src/inference/onnxruntime-model.ts';
import { createModelStore, type ModelStore } from '../../src/inference/store.ts';
import { MODELS_DIR } from '../rig/config.ts';

let store: ModelStore;

beforeAll(async () => {
  store = await createModelStore({ dir: MODELS_DIR, extraManifest: null, logger: silentLogger });
  await store.pull(['blazeface-back', 'facemesh-468', 'human-antispoof', 'mtcnn', 'mtcnn-rnet', 'mtcnn-onet']);
  await tf.setBackend('cpu');
});

const source = (sha256: string, extension: string) => readFile(join(MODELS_DIR, 'sources', `${sha256}.${extension}`));
const noise = (size: number) => Float32Array.from({ length: size }, (_, index) => Math.sin(index * 12.9898) * 0.9);

function expectSame(found: Float32Array | undefined, expected: ArrayLike<number>): void {
  const largest = Array.from(expected).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  expect(found).toHaveLength(expected.length);
  const apart = Array.from(found ?? [], (value, index) => Math.abs(value - (expected[index] ?? Number.NaN)));
  expect(Math.max(...apart)).toBeLessThan(1e-4 * largest);
}

describe.each(['blazeface-back', 'facemesh-468', 'human-antispoof'])('%s', (id) => {
  it('gives what the original gives in TensorFlow.js', async () => {
    const entry = store.entry(id);
    const json = await source(entry.sha256, 'json');
    const weights = new Uint8Array(await source(entry.weights?.sha256 ?? '', 'bin'));
    const spec = JSON.parse(json.toString());
    const original = await tf.loadGraphModel(
      tf.io.fromMemory({
        modelTopology: spec.modelTopology,
        weightSpecs: spec.weightsManifest[0].weights,
        weightData: weights.buffer,
      }),
    );
    const { width, height } = entry.input;
    const data = noise(width * height * 3);
    const names = entry.outputs.map(({ name }) => name);
    const expected = [original.execute(tf.tensor4d(data, [1, height, width, 3]), names)].flat();
    const found = await evaluateGraph(toOnnx(entry, json, weights), {
      type: 'float32',
      data,
      shape: [1, height, width, 3],
    });
    for (const [index, name] of names.entries()) expectSame(found[name]?.data, expected[index]?.dataSync() ?? []);
    original.dispose();
  });
});

/**
 * There is no TFLite runtime for Node.js to compare with. So the networks are built here once more, in TensorFlow.js, as
 * the paper draws them (Zhang et al., 2016, figure 2), and given the weights by their names in the file: another order of
 * operators, channels or paddings in the conversion would show.
 */
describe('the networks of MTCNN', () => {
  type Net = {
    conv(x: tf.Tensor4D, layer: string, prelu?: string): tf.Tensor4D;
    dense(x: tf.Tensor2D, layer: string, prelu?: string): tf.Tensor2D;
  };

  async function networkOf(id: string): Promise<Net> {
    const { tensors } = readTflite(await source(store.entry(id).sha256, 'tflite'));
    const weights = (part: string) => {
      const [tensor, ...others] = tensors.filter(({ name, data }) => name.includes(part) && data.length > 0);
      if (!tensor || others.length > 0) throw new Error(`${others.length + 1} tensors are called ${part}`);
      return tf.tensor(new Float32Array(new Uint8Array(tensor.data).buffer), [...tensor.shape]);
    };
    const bent = <T extends tf.Tensor>(x: T, prelu?: string) =>
      (prelu ? tf.prelu(x, weights(`/${prelu}/alpha`)) : x) as T;
    return {
      conv: (x, layer, prelu) => {
        const kernel = weights(`/${layer}/weights`).transpose<tf.Tensor4D>([1, 2, 3, 0]);
        return bent(tf.conv2d(x, kernel, 1, 'valid').add(weights(`/${layer}/Conv2D_bias`)), prelu);
      },
      dense: (x, layer, prelu) =>
        bent(tf.matMul(x, weights(`/${layer}/weights`), false, true).add(weights(`${layer}/MatMul_bias`)), prelu),
    };
  }

  /** What the converted network gives of a picture, and the picture as the original takes it: columns first. */
  async function run(id: string, size?: { width: number; height: number }) {
    const entry = store.entry(id);
    const input = { ...entry.input, ...size };
    const { width, height } = input;
    const data = noise(width * height * 3);
    const onnx = toOnnx({ ...entry, input }, await source(entry.sha256, 'tflite'), null);
    const found = await evaluateGraph(onnx, { type: 'float32', data, shape: [1, height, width, 3] });
    return { found, x: tf.tensor4d(data, [1, height, width, 3]).transpose<tf.Tensor4D>([0, 2, 1, 3]) };
  }

  const flat = (x: tf.Tensor4D) => x.reshape([1, -1]) as tf.Tensor2D;

  it('P-Net looks at pictures of any size', async () => {
    const { conv } = await networkOf('mtcnn');
    const { found, x } = await run('mtcnn', { width: 39, height: 26 });
    let y = tf.maxPool(conv(x, 'conv1', 'PReLU1'), 2, 2, 'same');
    y = conv(conv(y, 'conv2', 'PReLU2'), 'conv3', 'PReLU3');
    const rowsFirst = (map: tf.Tensor) => map.transpose([0, 2, 1, 3]).dataSync();
    expectSame(found['pnet/prob1']?.data, rowsFirst(tf.softmax(conv(y, 'conv4-1'))));
    expectSame(found['pnet/conv4-2/BiasAdd']?.data, rowsFirst(conv(y, 'conv4-2')));
  });

  it('R-Net', async () => {
    const { conv, dense } = await networkOf('mtcnn-rnet');
    const { found, x } = await run('mtcnn-rnet');
    let y = tf.maxPool(conv(x, 'conv1', 'prelu1'), 3, 2, 'same');
    y = tf.maxPool(conv(y, 'conv2', 'prelu2'), 3, 2, 'valid');
    const features = dense(flat(conv(y, 'conv3', 'prelu3')), 'conv4', 'prelu4');
    expectSame(found['rnet/prob1']?.data, tf.softmax(dense(features, 'conv5-1')).dataSync());
    expectSame(found['rnet/conv5-2/conv5-2']?.data, dense(features, 'conv5-2').dataSync());
  });

  it('O-Net', async () => {
    const { conv, dense } = await networkOf('mtcnn-onet');
    const { found, x } = await run('mtcnn-onet');
    let y = tf.maxPool(conv(x, 'conv1', 'prelu1'), 3, 2, 'same');
    y = tf.maxPool(conv(y, 'conv2', 'prelu2'), 3, 2, 'valid');
    y = tf.maxPool(conv(y, 'conv3', 'prelu3'), 2, 2, 'same');
    const features = dense(flat(conv(y, 'conv4', 'prelu4')), 'conv5', 'prelu5');
    expectSame(found['onet/prob1']?.data, tf.softmax(dense(features, 'conv6-1')).dataSync());
    expectSame(found['onet/conv6-2/conv6-2']?.data, dense(features, 'conv6-2').dataSync());
    expectSame(found['onet/conv6-3/conv6-3']?.data, dense(features, 'conv6-3').dataSync());
  });
});
