import { quantile } from '../../core/statistics.ts';
import type { IdentityEvent } from '../../events/identity-event.ts';

/** What a demo saw, from the events a subscriber received. */
export interface DemoTally {
  readonly events: number;
  readonly known: readonly string[];
  readonly unknown: number;
  /** Capture to decision, milliseconds; null without events. */
  readonly latencyMs: { readonly p50: number; readonly p95: number } | null;
}

export function tallyOf(all: readonly IdentityEvent[]): DemoTally {
  const events = all.filter(({ type }) => type !== 'exit');
  const latencies = events.map(decisionMs);
  const [p50, p95] = [quantile(latencies, 0.5), quantile(latencies, 0.95)];
  return {
    events: all.length,
    known: [...new Set(events.flatMap(({ person }) => (person ? [person.name] : [])))].sort(),
    unknown: new Set(events.filter(({ decision }) => decision === 'unknown').map(({ track }) => track)).size,
    latencyMs: p50 === null || p95 === null ? null : { p50, p95 },
  };
}

/** One event in one line, for a person to read. */
export function describeEvent(event: IdentityEvent): string {
  const time = new Date(event.capturedAt).toLocaleTimeString('en-GB');
  const who = event.decision === 'known' ? `${event.person?.name}` : 'unknown person';
  const score = event.score === null ? 'nobody enrolled' : `similarity ${event.score.toFixed(2)}`;
  const frames = `${event.frames} frames`;
  const mask = { none: '', worn: ', mask worn', incorrect: ', mask worn below the nose' }[event.mask ?? 'none'];
  return `  ${time}  ${event.camera}  ${who.padEnd(15)} ${score}, ${frames}${mask}, decided ${decisionMs(event)} ms after capture`;
}

function decisionMs({ capturedAt, decidedAt }: IdentityEvent): number {
  return Date.parse(decidedAt) - Date.parse(capturedAt);
}
