import type { OptimiserSettings } from '../engine.ts';
import type { Optimiser } from './optimiser.ts';

/** Stochastic gradient descent with momentum (Sutskever et al., ICML 2013, in the form of PyTorch), decay added to the gradient. */
export function sgd(settings: OptimiserSettings & { readonly kind: 'sgd' }): Optimiser {
  const { momentum = 0.9, nesterov = false, weightDecay = 0 } = settings;
  return {
    slots: ['velocity'],
    update: (values, gradient, [velocity], { rate, factor, decays }) => {
      if (!velocity) throw new Error('SGD needs a slot');
      const decay = decays ? weightDecay : 0;
      for (let index = 0; index < values.length; index++) {
        const value = values[index] ?? 0;
        const slope = (gradient[index] ?? 0) * factor + decay * value;
        const moved = momentum * (velocity[index] ?? 0) + slope;
        velocity[index] = moved;
        values[index] = value - rate * (nesterov ? slope + momentum * moved : moved);
      }
    },
  };
}
