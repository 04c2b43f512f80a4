import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/core/logger.ts';
import { createModelStore } from '../../src/inference/store.ts';
import { probeBlock } from '../../src/training/blocked-layout.ts';
import type { Values } from '../../src/training/engine.ts';
import { initialValues, openTrainableGraph } from '../../src/training/trainable-graph.ts';
import { MODELS_DIR } from '../rig/config.ts';
import { floats, noise, openSession, withStep } from '../training/step-rig.ts';

/** Whole tails of the models that are trained, as the recipes cut them. */
const TAILS = [
  { id: 'mobilefacenet-512', cut: 'Add_61', distance: 1e-3 },
  // The corners of its activations are near: at 1e-3 slopes are off by 0.05, at 1e-4 and 3e-5 by 0.004.
  { id: 'landmarks-68', cut: null, distance: 1e-4 },
  { id: 'rfb-320', cut: null, distance: 1e-3 },
];
const BATCH = 2;

describe.each(TAILS)('gradients through the tail of $id', ({ id, cut, distance }) => {
  it('are the slopes of the loss, along themselves and in directions of chance', async () => {
    const store = await createModelStore({ dir: MODELS_DIR, extraManifest: null, logger: silentLogger });
    await store.pull([id]);
    const { channels, height, width } = store.entry(id).input;
    const input = [channels, height, width];
    const onnx = new Uint8Array(await readFile(await store.sourceFile(id)));
    const graph = openTrainableGraph(onnx, { input, cut });
    const pictures = floats([BATCH, ...input]);
    let activations = pictures;
    if (graph.frozenOnnx) {
      const frozen = await openSession(graph.frozenOnnx, 'frozen');
      const [output] = Object.values(await frozen.run([pictures]));
      await frozen.release();
      activations = floats(output?.shape ?? [], output?.data ?? []);
    }
    const ratios = await withStep(
      (step) => {
        const outputs = graph.apply(step, step.input('x', activations.shape));
        const [first, ...rest] = Object.values(outputs).map((output, at) => {
          const wanted = step.floats(noise(step.shapeOf(output), 7 + at), step.shapeOf(output));
          const product = step.op('Mul', [output, wanted]);
          const axes = step.shapeOf(product).map((_, axis) => axis);
          return step.op('ReduceSum', [product, step.int64s(axes)], { keepdims: 0 });
        });
        return { loss: rest.reduce((sum, it) => step.op('Add', [sum, it]), first ?? '') };
      },
      { x: activations },
      async (run) => {
        const values = initialValues(graph.parameters);
        const { gradients } = await run(values);
        const names = Object.keys(gradients);
        const lengthOf = (it: Values) =>
          Math.sqrt(
            names.reduce((sum, name) => sum + (it[name] ?? new Float32Array()).reduce((part, x) => part + x * x, 0), 0),
          );
        const gradientLength = lengthOf(gradients);
        // One along the gradient, others half along it and half anywhere: slopes that rounding does not drown.
        const directions = [0, 1, 2].map((seed): Values => {
          const other = Object.fromEntries(
            names.map((name, at) => [name, noise([gradients[name]?.length ?? 0], 100 * seed + at)]),
          );
          const share = seed === 0 ? 0 : gradientLength / lengthOf(other);
          return Object.fromEntries(
            names.map((name) => [
              name,
              (gradients[name] ?? new Float32Array()).map((x, at) => x + share * (other[name]?.[at] ?? 0)),
            ]),
          );
        });
        const found: number[] = [];
        for (const direction of directions) {
          const length = lengthOf(direction);
          const said = names.reduce(
            (sum, name) =>
              sum +
              (gradients[name] ?? new Float32Array()).reduce(
                (part, x, at) => part + x * (direction[name]?.[at] ?? 0),
                0,
              ),
            0,
          );
          const at = (by: number): Values => ({
            ...values,
            ...Object.fromEntries(
              names.map((name) => [
                name,
                (values[name] ?? new Float32Array()).map(
                  (x, index) => x + (by * (direction[name]?.[index] ?? 0)) / length,
                ),
              ]),
            ),
          });
          const [after, before] = [await run(at(distance)), await run(at(-distance))];
          found.push((after.loss - before.loss) / (2 * distance) / (said / length));
        }
        return found;
      },
      { block: await probeBlock(openSession) },
    );
    for (const ratio of ratios) expect(ratio).toBeCloseTo(1, 1);
  });
});
