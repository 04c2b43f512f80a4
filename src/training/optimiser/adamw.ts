import type { OptimiserSettings } from '../engine.ts';
import type { Optimiser } from './optimiser.ts';

/**
 * AdamW: Loshchilov and Hutter, Decoupled Weight Decay Regularization, ICLR 2019, algorithm 2, with the decay times the
 * learning rate as PyTorch has it.
 */
export function adamw(settings: OptimiserSettings & { readonly kind: 'adamw' }): Optimiser {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0.01 } = settings;
  return {
    slots: ['mean', 'square'],
    update: (values, gradient, [mean, square], { step, rate, factor, decays }) => {
      if (!mean || !square) throw new Error('AdamW needs two slots');
      const meanScale = rate / (1 - beta1 ** step);
      const squareScale = 1 / (1 - beta2 ** step);
      const kept = decays ? 1 - rate * weightDecay : 1;
      for (let index = 0; index < values.length; index++) {
        const slope = (gradient[index] ?? 0) * factor;
        const m = beta1 * (mean[index] ?? 0) + (1 - beta1) * slope;
        const v = beta2 * (square[index] ?? 0) + (1 - beta2) * slope * slope;
        mean[index] = m;
        square[index] = v;
        values[index] = (values[index] ?? 0) * kept - (meanScale * m) / (Math.sqrt(v * squareScale) + epsilon);
      }
    },
  };
}
