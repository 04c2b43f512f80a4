import type { RunTiming } from './vision-model.ts';

/** How pictures of several cameras are put together. */
export interface BatchPolicy {
  /** Most pictures a run takes. */
  readonly maxBatch: number;
  /** How long a picture waits for company, at most. */
  readonly maxWaitMs: number;
}

/** A request that waits, or what is left of one. */
export interface WaitingRequest {
  readonly lane: string;
  readonly pictures: number;
  /** Monotonic. */
  readonly sinceMs: number;
}

export interface BatchSituation {
  readonly nowMs: number;
  /** Lanes that asked lately, those that wait among them: others may come soon. */
  readonly activeLanes: number;
  /** The lane that had the last place in the batch before; undefined at first. */
  readonly servedLast: string | undefined;
}

export type BatchPlan =
  /** How many pictures to take of each request, and which lane had the last place. */
  | { readonly kind: 'run'; readonly take: readonly number[]; readonly servedLast: string }
  | { readonly kind: 'wait'; readonly untilMs: number };

/** A batch whose pictures cost at most this much more than in the best batch is as good, and over sooner. */
const NEARLY_BEST = 1.1;
/** No run keeps others waiting for longer than this: a face that just came must be found and named at once. */
const MAX_RUN_MS = 60;
/** Waiting for company longer than this is felt at the door. */
const MAX_WAIT_MS = 5;

/**
 * What to do with the requests that wait, in the order they came: fill a batch, one picture a lane in turn so that no
 * camera with many faces keeps another waiting, or wait a moment for the lanes that are still to come.
 */
export function planBatch(
  waiting: readonly WaitingRequest[],
  { maxBatch, maxWaitMs }: BatchPolicy,
  { nowMs, activeLanes, servedLast }: BatchSituation,
): BatchPlan {
  const left = new Map<string, number>();
  for (const { lane, pictures } of waiting) left.set(lane, (left.get(lane) ?? 0) + pictures);
  const total = [...left.values()].reduce((sum, pictures) => sum + pictures, 0);
  const untilMs = Math.min(...waiting.map(({ sinceMs }) => sinceMs)) + maxWaitMs;
  if (total === 0) return { kind: 'wait', untilMs: Number.POSITIVE_INFINITY };
  if (total < maxBatch && left.size < activeLanes && nowMs < untilMs) return { kind: 'wait', untilMs };

  const lanes = turnOrder([...left.keys()], servedLast);
  const shares = new Map<string, number>();
  let places = Math.min(total, maxBatch);
  let last = servedLast ?? '';
  while (places > 0) {
    for (const lane of lanes) {
      const share = shares.get(lane) ?? 0;
      if (places === 0 || share === left.get(lane)) continue;
      shares.set(lane, share + 1);
      places--;
      last = lane;
    }
  }
  const take = waiting.map(({ lane, pictures }) => {
    const taken = Math.min(pictures, shares.get(lane) ?? 0);
    shares.set(lane, (shares.get(lane) ?? 0) - taken);
    return taken;
  });
  return { kind: 'run', take, servedLast: last };
}

/** The lanes by name, beginning with the one after `servedLast`. */
function turnOrder(lanes: readonly string[], servedLast: string | undefined): string[] {
  const sorted = [...lanes].sort();
  const first = servedLast === undefined ? 0 : sorted.findIndex((lane) => lane > servedLast);
  return first <= 0 ? sorted : [...sorted.slice(first), ...sorted.slice(0, first)];
}

/**
 * The policy that fits a model's measured runs: the smallest batch in which a picture is nearly as cheap as it gets, and
 * waiting no longer than a second picture in the batch saves.
 *
 * Throws RangeError without timings.
 */
export function chooseBatchPolicy(timings: readonly RunTiming[]): BatchPolicy {
  const [alone] = timings;
  if (!alone) throw new RangeError('a batch policy needs timings');
  const bearable = timings.filter(({ ms, pictures }) => pictures === 1 || ms <= MAX_RUN_MS);
  const cheapest = Math.min(...bearable.map(({ pictures, ms }) => ms / pictures));
  const best = bearable.find(({ pictures, ms }) => ms / pictures <= cheapest * NEARLY_BEST) ?? alone;
  const pair = timings.find(({ pictures }) => pictures === 2);
  const saved = pair && best.pictures > 1 ? 2 * alone.ms - pair.ms : 0;
  return { maxBatch: best.pictures, maxWaitMs: Math.min(Math.max(saved, 0), MAX_WAIT_MS) };
}
