import { z } from 'zod';
import type { IdentityEvent } from './identity-event.ts';

/**
 * Keeps events that are not acknowledged yet where the end of the process does not reach them. Positions are whole
 * numbers that only grow. All methods throw SPOOL_UNUSABLE when the medium fails.
 */
export interface EventSpool {
  /** Keeps an event behind all others; gives its position. It outlives the process when this returns. */
  append(event: IdentityEvent): number;
  /** The event at a position; null when there is none, or none that can be read. */
  read(position: number): IdentityEvent | null;
  /** Forgets events. */
  remove(positions: readonly number[]): void;
  /** Positions of all events, oldest first. */
  positions(): readonly number[];
  /** Never throws. */
  close(): void;
}

/** What sending an event again needs of it; whatever else an older version wrote stays as it is. */
const spooled = z.looseObject({
  id: z.string(),
  bootId: z.string(),
  sequence: z.number(),
  capturedAt: z.iso.datetime(),
  decidedAt: z.iso.datetime(),
  latencyMs: z.looseObject({}),
});

/** The event a spool kept as text; null when it is none. */
export function readSpooled(text: string): IdentityEvent | null {
  try {
    const value: unknown = JSON.parse(text);
    // What was valid when it was written is what it says it is, as far as this version or an older one knew.
    return spooled.safeParse(value).success ? (value as IdentityEvent) : null;
  } catch {
    return null;
  }
}
