import type { ModelEntry } from '../../inference/manifest.ts';

/** Where neither the configuration nor the manifest says it. */
const USUAL = 0.7;

/**
 * Score from which on what a detector finds is a face. Detectors score on scales of their own: so it is the model's, unless the
 * configuration says another.
 */
export function leastScoreOf({ minScore }: Pick<ModelEntry, 'minScore'>, configured: number | null): number {
  return configured ?? minScore ?? USUAL;
}
