/** When frames pass although nothing moves. */
export interface MotionGatePolicy {
  /** The gate stays open for this long after the last motion. */
  readonly holdMs: number;
  /** Longest time between two frames that pass a shut gate, within one frame's time. */
  readonly idleIntervalMs: number;
}

/** What the gate remembers; all times monotonic milliseconds. */
export interface MotionGateState {
  /** Motion holds it open until then. */
  readonly heldUntilMs: number;
  /** The consumer asked for every frame until then. */
  readonly attendedUntilMs: number;
  /** When a frame passed last. */
  readonly passedMs: number;
}

/** Why a frame passes; `idle` is one that does not. */
export type MotionVerdict = 'motion' | 'held' | 'attended' | 'heartbeat' | 'idle';

/** A gate no frame has come to: the first one passes. */
export const NEW_GATE: MotionGateState = {
  heldUntilMs: Number.NEGATIVE_INFINITY,
  attendedUntilMs: Number.NEGATIVE_INFINITY,
  passedMs: Number.NEGATIVE_INFINITY,
};

/**
 * Decides on one frame. Motion opens the gate with the very frame that shows it, and for `holdMs` after; a shut gate
 * lets a frame through every `idleIntervalMs`, so that nobody is overlooked who stands still or came unnoticed.
 *
 * @param moved whether the frame shows motion
 */
export function stepGate(
  state: MotionGateState,
  { holdMs, idleIntervalMs }: MotionGatePolicy,
  { nowMs, moved }: { readonly nowMs: number; readonly moved: boolean },
): { readonly state: MotionGateState; readonly verdict: MotionVerdict } {
  const verdict = reason();
  const heldUntilMs = moved ? nowMs + holdMs : state.heldUntilMs;
  const passedMs = verdict === 'idle' ? state.passedMs : nowMs;
  return { state: { ...state, heldUntilMs, passedMs }, verdict };

  function reason(): MotionVerdict {
    if (moved) return 'motion';
    if (nowMs < state.heldUntilMs) return 'held';
    if (nowMs < state.attendedUntilMs) return 'attended';
    return nowMs - state.passedMs >= idleIntervalMs ? 'heartbeat' : 'idle';
  }
}

/** Keeps the gate open until `untilMs`, whatever moves; a shorter wish does not undo a longer one. */
export function attendUntil(state: MotionGateState, untilMs: number): MotionGateState {
  return { ...state, attendedUntilMs: Math.max(state.attendedUntilMs, untilMs) };
}
