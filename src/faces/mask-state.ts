import type { FacePart, MaskState } from '../core/person.ts';

/** Whether a mask covers mouth and nose. `incorrect`: the nose is free. */
export interface FaceMask {
  readonly state: MaskState;
  /** Probability of the state, 0..1. */
  readonly confidence: number;
}

/**
 * The part of a face to recognise it by: what no mask covers, where one is worn. A mask that leaves the nose free still
 * covers the mouth, so it counts as worn here; a face nobody has assessed counts as bare.
 */
export function partToEmbed(mask: FaceMask | null): FacePart {
  return mask === null || mask.state === 'none' ? 'full' : 'upper';
}
