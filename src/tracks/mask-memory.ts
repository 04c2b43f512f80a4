import type { MaskState } from '../core/person.ts';
import type { FaceMask } from '../faces/mask-state.ts';

/** Weight of what was seen before against the newest look: two looks that agree change the state, one alone does not. */
const MEMORY = 0.6;

type Belief = Readonly<Record<MaskState, number>>;

/**
 * The mask state of each track over its looks: an exponential mean of the probabilities. A single look that errs must not
 * send a face to the other encoder; somebody who takes the mask off is believed with the second look.
 */
export class MaskMemory {
  readonly #beliefs = new Map<number, Belief>();

  /** Takes in one look at a track's face; gives what is believed from then on. Null, not assessed, stays null. */
  see(track: number, mask: FaceMask | null): FaceMask | null {
    if (!mask) return null;
    const now = spread(mask);
    const before = this.#beliefs.get(track);
    const mix = (state: MaskState) => (before ? MEMORY * before[state] + (1 - MEMORY) * now[state] : now[state]);
    const belief = { none: mix('none'), worn: mix('worn'), incorrect: mix('incorrect') };
    this.#beliefs.set(track, belief);
    const [state, confidence] = (Object.entries(belief) as [MaskState, number][]).reduce((best, it) =>
      it[1] > best[1] ? it : best,
    );
    return { state, confidence };
  }

  /** Forgets tracks that ended or are another's now. */
  forget(tracks: readonly number[]): void {
    for (const track of tracks) this.#beliefs.delete(track);
  }

  clear(): void {
    this.#beliefs.clear();
  }
}

/** What is not sure is shared by the other two states. */
function spread({ state, confidence }: FaceMask): Belief {
  const rest = (1 - confidence) / 2;
  return { none: rest, worn: rest, incorrect: rest, [state]: confidence };
}
