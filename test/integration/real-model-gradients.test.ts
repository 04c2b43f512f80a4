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
  { id: 'mobilefacenet-512', cut: 'Add_61' },
  { id: 'landmarks-68', cut: null },
  { id: 'rfb-320', cut: null },
];
const BATCH = 2;
/**
 * How far from the weights slopes are taken. A rectifier has a corner, and the further the step, the more of them it crosses: slopes are
 * then of another piece of the loss, and off by as much. So they must come nearer to the gradient as the step shrinks, which
 * they would not if a derivative were wrong. Below 1e-5 rounding takes over.
 */
const [FAR, NEAR] = [1e-3, 1e-4];
/** What slopes at NEAR may be off by, and how much less that must be than at FAR unless it is rounding. */
const [CLOSE, NEARER, ROUNDING] = [0.02, 0.5, 0.005];

describe.each(TAILS)('gradients through the tail of $id', ({ id, cut }) => {
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
    const errors = await withStep(
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
        const found: { far: number; near: number }[] = [];
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
          const errorAt = async (distance: number) => {
            const [after, before] = [await run(at(distance)), await run(at(-distance))];
            return Math.abs((after.loss - before.loss) / (2 * distance) / (said / length) - 1);
          };
          found.push({ far: await errorAt(FAR), near: await errorAt(NEAR) });
        }
        return found;
      },
      { block: await probeBlock(openSession) },
    );
    for (const { far, near } of errors) {
      expect(near).toBeLessThan(CLOSE);
      expect(near).toBeLessThan(Math.max(NEARER * far, ROUNDING));
    }
  });
});
