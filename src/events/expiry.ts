/** One moment on both clocks, milliseconds. */
export interface Instant {
  readonly wallMs: number;
  readonly monotonicMs: number;
}

/** When an event was taken over, on both clocks, and until when it may be acted on. Milliseconds. */
export interface Lifetime {
  /** Wall clock: capture time plus the time an event is worth something. */
  readonly expiresAtMs: number;
  /** What was left of it, by the wall clock, when the event was taken over. */
  readonly leftMs: number;
  /** Monotonic clock when the event was taken over. */
  readonly takenMonotonicMs: number;
}

/** Lifetime of an event captured at `capturedAtMs` that is taken over now and is worth something for `expireAfterMs`. */
export function lifetimeOf(capturedAtMs: number, expireAfterMs: number, now: Instant): Lifetime {
  const expiresAtMs = capturedAtMs + expireAfterMs;
  return {
    expiresAtMs,
    // A wall clock set back after the capture must not make the event last longer than it may.
    leftMs: Math.min(expireAfterMs, expiresAtMs - now.wallMs),
    takenMonotonicMs: now.monotonicMs,
  };
}

/**
 * Milliseconds until the event expires, 0 or less when it has: what the clock that is further on says. A wall clock
 * that is set forward makes it expire early, one that is set back does not make it last.
 */
export function remainingMs(lifetime: Lifetime, now: Instant): number {
  const byWall = lifetime.expiresAtMs - now.wallMs;
  const byMonotonic = lifetime.leftMs - (now.monotonicMs - lifetime.takenMonotonicMs);
  return Math.min(byWall, byMonotonic);
}

/**
 * MQTT 5 message expiry interval in whole seconds (section 3.3.2.3.3): rounded up, because 0 would have the broker
 * drop the message at once.
 */
export function messageExpiryS(leftMs: number): number {
  return Math.max(1, Math.ceil(leftMs / 1000));
}
