import type { OptimiserSettings, Parameter } from '../engine.ts';
import { adamw } from './adamw.ts';
import { sgd } from './sgd.ts';

/** Moves the values of one parameter after the other. */
export interface Optimiser {
  /** Arrays of a parameter's size it remembers between steps. */
  readonly slots: readonly string[];
  /** @param at step counted from 1, learning rate, and what the gradient is to be multiplied with */
  update(
    values: Float32Array,
    gradient: Float32Array,
    slots: readonly Float32Array[],
    at: { readonly step: number; readonly rate: number; readonly factor: number; readonly decays: Parameter['decays'] },
  ): void;
}

export function createOptimiser(settings: OptimiserSettings): Optimiser {
  return settings.kind === 'adamw' ? adamw(settings) : sgd(settings);
}
