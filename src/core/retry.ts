/** Exponential backoff as a plain value. */
export interface RetryPolicy {
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
  readonly factor: number;
  /** Share of the delay that is random, 0..1: keeps many devices from coming back at once. */
  readonly jitter: number;
}

/**
 * Delay before retry number `attempt` (0 for the first), in milliseconds. Grows by `factor` up to `maxDelayMs`, then
 * takes off a random share of at most `jitter`.
 *
 * @param random number in [0, 1)
 */
export function retryDelayMs(policy: RetryPolicy, attempt: number, random: number): number {
  const grown = Math.min(policy.maxDelayMs, policy.firstDelayMs * policy.factor ** attempt);
  return Math.round(grown * (1 - policy.jitter * random));
}
