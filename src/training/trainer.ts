import { EyelineError } from '../core/errors.ts';
import type { Trainer, TrainerSettings, TrainStep, Values } from './engine.ts';
import { clipFactor, globalNorm } from './optimiser/gradient-norm.ts';
import { createOptimiser } from './optimiser/optimiser.ts';
import { learningRate } from './optimiser/schedule.ts';
import { decodeTensors, type TensorFile, tensorPieces } from './safetensors.ts';
import { initialValues } from './trainable-graph.ts';

/** A trainer at step 0, with the values the parameters begin with. */
export function createTrainer(step: TrainStep, settings: TrainerSettings): Trainer {
  const { parameters, buffers } = step.graph;
  const { schedule, clipNorm = null, rateOf = () => 1 } = settings;
  const optimiser = createOptimiser(settings.optimiser);
  const values = initialValues([...parameters, ...buffers]);
  const slots = new Map(
    parameters.map((it) => [it.name, optimiser.slots.map(() => new Float32Array(it.initial.length))]),
  );
  let done = 0;

  return {
    values,
    get step() {
      return done;
    },
    train: async (batch) => {
      const { loss, metrics, outputs, gradients, buffers: statistics } = await step.run(batch, values);
      const gradientNorm = globalNorm(gradients);
      const rate = learningRate(schedule, done);
      requireFinite({ loss, gradientNorm, gradients, step: done + 1, rate });
      const factor = clipFactor(gradientNorm, clipNorm);
      for (const { name, decays } of parameters) {
        const [value, gradient, state] = [values[name], gradients[name], slots.get(name)];
        if (!value || !gradient || !state) throw new Error(`nothing is known of ${name}`);
        optimiser.update(value, gradient, state, { step: done + 1, rate: rate * rateOf(name), factor, decays });
      }
      for (const [name, statistic] of Object.entries(statistics)) values[name]?.set(statistic);
      done += 1;
      return { loss, metrics, outputs, step: done, learningRate: rate, gradientNorm };
    },
    save: () => {
      const tensors: Record<string, { shape: readonly number[]; data: Float32Array }> = {};
      for (const { name, shape } of [...parameters, ...buffers]) {
        tensors[valueName(name)] = { shape, data: values[name] ?? new Float32Array() };
      }
      for (const { name, shape } of parameters) {
        for (const [index, slot] of optimiser.slots.entries()) {
          tensors[slotName(slot, name)] = { shape, data: slots.get(name)?.[index] ?? new Float32Array() };
        }
      }
      return tensorPieces({ tensors, metadata: { step: String(done), optimiser: settings.optimiser.kind } });
    },
    restore: (checkpoint) => {
      const { tensors, metadata } = decodeTensors(checkpoint);
      const step = Number(metadata.step);
      if (!Number.isInteger(step) || metadata.optimiser !== settings.optimiser.kind) {
        throw new EyelineError('CHECKPOINT_UNREADABLE', `the checkpoint is not one of ${settings.optimiser.kind}`);
      }
      const read = (name: string, length: number) => arrayOf(tensors, name, length);
      // All are read before the first is taken over.
      const taken = [
        ...[...parameters, ...buffers].map(
          ({ name, initial }) => [values[name], read(valueName(name), initial.length)] as const,
        ),
        ...parameters.flatMap(({ name, initial }) =>
          optimiser.slots.map(
            (slot, index) => [slots.get(name)?.[index], read(slotName(slot, name), initial.length)] as const,
          ),
        ),
      ];
      for (const [to, from] of taken) to?.set(from);
      done = step;
    },
  };
}

const valueName = (name: string) => `value/${name}`;
const slotName = (slot: string, name: string) => `${slot}/${name}`;

function arrayOf(tensors: TensorFile['tensors'], name: string, length: number): Float32Array {
  const data = tensors[name]?.data;
  if (data?.length !== length) {
    throw new EyelineError('CHECKPOINT_UNREADABLE', `the checkpoint has no ${name} of ${length} numbers`);
  }
  return data;
}

function requireFinite(at: {
  readonly loss: number;
  readonly gradientNorm: number;
  readonly gradients: Values;
  readonly step: number;
  readonly rate: number;
}): void {
  const { loss, gradientNorm, gradients, step, rate } = at;
  if (Number.isFinite(loss) && Number.isFinite(gradientNorm)) return;
  const broken = Object.entries(gradients).find(([, values]) => !values.every(Number.isFinite))?.[0];
  const where = Number.isFinite(loss) && broken ? `the gradient of ${broken}` : 'the loss';
  const what = Number.isFinite(loss) ? 'is not finite' : `is ${loss}`;
  throw new EyelineError(
    'TRAINING_DIVERGED',
    `${where} ${what} in step ${step}, at a learning rate of ${rate.toPrecision(3)}`,
  );
}
