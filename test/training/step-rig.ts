import { seededRandom } from '../../src/core/seeded-random.ts';
import { openGraph } from '../../src/inference/onnxruntime-model.ts';
import type {
  Batch,
  BatchTensor,
  OpenSession,
  Shape,
  StepParts,
  TensorGraph,
  Values,
} from '../../src/training/engine.ts';
import { sizeOf } from '../../src/training/graph/shapes.ts';
import { buildStepGraph, type StepOptions } from '../../src/training/step-graph.ts';
import { openTrainStep } from '../../src/training/train-step.ts';

export const openSession: OpenSession = (onnx, name) =>
  openGraph(onnx, { providers: ['cpu'], threads: 1, steady: true }, name);

/** Numbers in -1..1, the same for the same seed. */
export function noise(shape: Shape, seed = 1): Float32Array {
  const random = seededRandom(seed);
  return Float32Array.from({ length: sizeOf(shape) }, () => 2 * random() - 1);
}

export function floats(shape: Shape, data: ArrayLike<number> = noise(shape)): BatchTensor {
  return { type: 'float32', shape, data: Float32Array.from(data) };
}

export function integers(values: readonly number[]): BatchTensor {
  return { type: 'int64', shape: [values.length], data: BigInt64Array.from(values, BigInt) };
}

/** Runs a step once. */
export async function runStep(
  build: (graph: TensorGraph) => StepParts,
  batch: Batch,
  values: Values,
  options: StepOptions = {},
) {
  const step = await openTrainStep(buildStepGraph(build, options), openSession);
  try {
    return await step.run(batch, values);
  } finally {
    await step.release();
  }
}

/** Loss as a function of the parameters, in one session. */
export async function withStep<T>(
  build: (graph: TensorGraph) => StepParts,
  batch: Batch,
  use: (run: (values: Values) => Promise<{ loss: number; gradients: Values }>) => Promise<T>,
  options: StepOptions = {},
): Promise<T> {
  const step = await openTrainStep(buildStepGraph(build, options), openSession);
  try {
    return await use((values) => step.run(batch, values));
  } finally {
    await step.release();
  }
}

/**
 * The loss's slope in the direction of each parameter's gradient, by central differences, over what the gradient says: 1
 * where the two agree.
 */
export async function slopeRatios(
  run: (values: Values) => Promise<{ loss: number; gradients: Values }>,
  values: Values,
  distance: number,
): Promise<Record<string, number>> {
  const { gradients } = await run(values);
  const ratios: Record<string, number> = {};
  for (const [name, gradient] of Object.entries(gradients)) {
    const length = Math.hypot(...gradient);
    const moved = (by: number) => ({
      ...values,
      [name]: (values[name] ?? new Float32Array()).map((value, at) => value + (by * (gradient[at] ?? 0)) / length),
    });
    const [after, before] = [await run(moved(distance)), await run(moved(-distance))];
    ratios[name] = (after.loss - before.loss) / (2 * distance) / length;
  }
  return ratios;
}
