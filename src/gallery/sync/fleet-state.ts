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
  /** The highest version of the site ever taken over: none up to it is taken again, also after a rollback. */
  floor: z.int(),
  /** Of the master's other sites that the device was of: up to which version none is taken when it is of them again. */
  otherFloors: z.record(z.string(), z.int()).default({}),
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

/** A site's gallery of a master: its versions are counted on their own. */
type SiteGallery = Pick<FleetState, 'stream' | 'site'>;

/** The state when it is of that gallery; null when the device is new there. */
export function stateIn(state: FleetState | null, { stream, site }: SiteGallery): FleetState | null {
  return state?.stream === stream && state.site === site ? state : null;
}

/** Up to which version of that gallery none is taken over any more; 0 when the device was never there. */
export function floorIn(state: FleetState | null, { stream, site }: SiteGallery): number {
  if (state?.stream !== stream) return 0;
  if (state.site === site) return state.floor;
  // A site may be called `constructor`, which every object has.
  return Object.hasOwn(state.otherFloors, site) ? (state.otherFloors[site] ?? 0) : 0;
}

/** The floors to be kept of other sites when the device is of that gallery from now on. */
export function otherFloorsIn(state: FleetState | null, { stream, site }: SiteGallery): Record<string, number> {
  if (state?.stream !== stream) return {};
  // What ran there may be taken again, not what was rolled back.
  const floor = state.version < state.floor ? state.floor : state.floor - 1;
  const { [site]: _, ...others } = { ...state.otherFloors, [state.site]: floor };
  return others;
}

/** Id and digest of everybody the fleet has given. */
export function readFleetPeople(fact: (key: string) => string | null): Map<string, string> {
  const text = fact(FLEET_PEOPLE_FACT);
  return new Map(text === null ? [] : Object.entries(z.record(z.string(), z.string()).parse(JSON.parse(text))));
}

export function fleetFacts(state: FleetState, people: ReadonlyMap<string, string>): Record<string, string> {
  return { [FLEET_FACT]: JSON.stringify(state), [FLEET_PEOPLE_FACT]: JSON.stringify(Object.fromEntries(people)) };
}
