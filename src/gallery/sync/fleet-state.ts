import { z } from 'zod';
import type { GalleryState } from '../bundle/bundle-format.ts';

/** Facts kept in the gallery, in whose transactions they change. */
export const FLEET_FACT = 'fleet';
const FLEET_PEOPLE_FACT = 'fleet.people';
export const RECEIPTS_FACT = 'fleet.receipts';

const stateSchema = z.strictObject({
  stream: z.string(),
  site: z.string(),
  version: z.int(),
  digest: z.string(),
  /** The highest version ever taken over: none up to it is taken again, also after a rollback. */
  floor: z.int(),
  /** When the version was published and when it was taken over. */
  createdAtMs: z.number(),
  syncedAtMs: z.number(),
  encoders: z.array(z.string()),
  /** The way back: SHA-256 of the file, and the version it leads to. */
  undo: z.strictObject({ sha256: z.string(), version: z.int() }).nullable(),
});

/** Which version of the fleet's gallery a device runs. */
export type FleetState = z.output<typeof stateSchema> & GalleryState;

/** Reads what {@link fleetFacts} made; null before anything was taken over. */
export function readFleetState(fact: (key: string) => string | null): FleetState | null {
  const text = fact(FLEET_FACT);
  return text === null ? null : stateSchema.parse(JSON.parse(text));
}

/** Id and digest of everybody the fleet has given. */
export function readFleetPeople(fact: (key: string) => string | null): Map<string, string> {
  const text = fact(FLEET_PEOPLE_FACT);
  return new Map(text === null ? [] : Object.entries(z.record(z.string(), z.string()).parse(JSON.parse(text))));
}

export function fleetFacts(state: FleetState, people: ReadonlyMap<string, string>): Record<string, string> {
  return { [FLEET_FACT]: JSON.stringify(state), [FLEET_PEOPLE_FACT]: JSON.stringify(Object.fromEntries(people)) };
}
