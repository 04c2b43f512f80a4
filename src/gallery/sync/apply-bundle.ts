import { randomUUID } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { EyelineError } from '../../core/errors.ts';
import {
  type BundleHeader,
  entryOf,
  type GalleryState,
  lineDigest,
  type PersonEntry,
  personLine,
  personOf,
  stateDigest,
  tombstoneLine,
} from '../bundle/bundle-format.ts';
import { readTrustedKeys, type SigningKey } from '../bundle/bundle-keys.ts';
import { type BundleContent, type BundleTrust, readBundle } from '../bundle/read-bundle.ts';
import { writeBundle } from '../bundle/write-bundle.ts';
import type { GalleryBatch, PersonState, Tombstone } from '../gallery-changes.ts';
import {
  FLEET_FACT,
  type FleetState,
  fleetFacts,
  floorIn,
  otherFloorsIn,
  RECEIPTS_FACT,
  readFleetPeople,
  readFleetState,
  stateIn,
} from './fleet-state.ts';
import { signReceipt, withReceipt } from './receipt.ts';

/** What the sync needs of the device's gallery; `SqliteGalleryStore` fits. */
export interface FleetGallery {
  /** A fact kept with the gallery; null when there is none. */
  state(key: string): string | null;
  /** A person with all templates; null when there is none of that id. */
  personState(id: string): PersonState | null;
  /** All of the batch or, when it throws, nothing. */
  applyBatch(batch: GalleryBatch): unknown;
}

export interface ApplyOptions {
  readonly gallery: FleetGallery;
  /** Id of the device, for receipts. */
  readonly device: string;
  /** The device's own key: signs receipts and the way back. */
  readonly deviceKey: SigningKey;
  /** Encrypts the way back. */
  readonly bodyKey: Uint8Array;
  /** Where the way back is kept. */
  readonly folder: string;
  readonly nowMs: number;
}

export interface RollBackOptions extends ApplyOptions, Pick<BundleTrust, 'bodyKeys'> {
  /** The site the device is of. */
  readonly site: string;
}

export interface RolledBack {
  readonly state: FleetState;
  /** How many people of the version before were deleted on the device, or are past their last day, and were left out. */
  readonly stayDeleted: number;
}

const FOR_EVER_MS = 253_402_300_799_000;

/** Where the way back of that hash lies. */
export function undoFile(folder: string, sha256: string): string {
  return join(folder, `undo-${sha256}.eyb`);
}

/**
 * Takes a bundle over in one transaction: whoever reads the gallery sees the version before or this one. What leads back to
 * the version before is on the disk first. It brings back changes, never a person that was deleted.
 *
 * Throws BUNDLE_WRONG_BASE when a delta is for another state, BUNDLE_REPLAYED when a newer version is there, BUNDLE_CORRUPT when the result would not be what was signed.
 */
export async function applyBundle(content: BundleContent, options: ApplyOptions): Promise<FleetState> {
  const { gallery, folder, nowMs, device, deviceKey } = options;
  const { header, tombstones } = content;
  const fact = (key: string) => gallery.state(key);
  const seen = fact(FLEET_FACT);
  const before = readFleetState(fact);
  const here = stateIn(before, header);
  const floor = floorIn(before, header);
  // Looked at again: while this bundle was received another one may have been taken over.
  if (header.to.version <= floor) {
    throw new EyelineError('BUNDLE_REPLAYED', `version ${floor} has been taken over meanwhile`);
  }
  const known = readFleetPeople(fact);
  const people = resultOf(content, here, known);
  // No way leads back to another site or another master.
  const undo = here && {
    sha256: await writeUndo(content, here, { known, after: people }, options),
    version: here.version,
  };
  const state: FleetState = {
    stream: header.stream,
    site: header.site,
    ...header.to,
    floor: header.to.version,
    otherFloors: otherFloorsIn(before, header),
    createdAtMs: header.createdAtMs,
    syncedAtMs: nowMs,
    encoders: header.encoders.map(({ fingerprint }) => fingerprint),
    undo,
  };
  const facts = fleetFacts(state, people);
  const isLeft = [...known.keys()].filter((id) => !people.has(id));
  const deleted = [...new Set([...tombstones.map(({ id }) => id), ...isLeft])].filter((id) => gallery.personState(id));
  if (deleted.length > 0) {
    const { stream, site, version } = state;
    const receipt = signReceipt({ device, stream, site, version, deletedAtMs: nowMs }, deleted, deviceKey);
    facts[RECEIPTS_FACT] = withReceipt(fact(RECEIPTS_FACT), receipt);
  }
  const encoders = [...new Set([...state.encoders, ...(before?.encoders ?? [])])];
  commit(gallery, content, { facts, seen, encoders, isWanted: () => true });
  if (before?.undo) await rm(undoFile(folder, before.undo.sha256), { force: true });
  return state;
}

/**
 * Goes back to the version before the last one taken over. People who were deleted since, by the fleet or on the device, stay
 * deleted. The version left is not taken over again: only a newer one is.
 *
 * Throws ROLLBACK_UNAVAILABLE when there is no way back.
 */
export async function rollBack(options: RollBackOptions): Promise<RolledBack> {
  const { gallery, folder, nowMs, bodyKeys, deviceKey, site } = options;
  // What leads back was signed by the device itself.
  const signers = readTrustedKeys([deviceKey.publicKey]);
  const fact = (key: string) => gallery.state(key);
  const seen = fact(FLEET_FACT);
  const before = readFleetState(fact);
  if (!before?.undo) throw new EyelineError('ROLLBACK_UNAVAILABLE', 'there is no version to go back to');
  if (before.site !== site) {
    throw new EyelineError(
      'ROLLBACK_UNAVAILABLE',
      `the version before is of site ${before.site}, this device is of ${site}: take a version of ${site} over`,
    );
  }
  const file = undoFile(folder, before.undo.sha256);
  const content = await readBundle(file, { signers, bodyKeys }).catch((error: unknown) => {
    throw new EyelineError('ROLLBACK_UNAVAILABLE', 'the version before cannot be read', { cause: error });
  });
  const people = resultOf(content, before, readFleetPeople(fact));
  const { header } = content;
  const state: FleetState = {
    ...before,
    ...header.to,
    createdAtMs: header.createdAtMs,
    syncedAtMs: nowMs,
    encoders: header.encoders.map(({ fingerprint }) => fingerprint),
    undo: null,
  };
  const facts = fleetFacts(state, people);
  const encoders = [...new Set([...state.encoders, ...before.encoders])];
  let stayDeleted = 0;
  const isWanted = ({ person }: PersonEntry) => {
    const isThere = isSamePerson(person, gallery.personState(person.id), nowMs);
    if (!isThere) stayDeleted++;
    return isThere;
  };
  commit(gallery, content, { facts, seen, encoders, isWanted });
  await rm(file, { force: true });
  return { state, stayDeleted };
}

/**
 * Whether the person of what leads back, who was there when it was written, still is: neither removed since, though the id may
 * have been enrolled anew, nor past the last day they may be kept.
 */
function isSamePerson(person: PersonEntry['person'], now: PersonState | null, nowMs: number): boolean {
  if (now === null || now.createdAtMs !== person.createdAtMs) return false;
  return now.retainUntilMs === null || now.retainUntilMs > nowMs;
}

interface Commit {
  readonly facts: Readonly<Record<string, string>>;
  /** The state that was looked at. */
  readonly seen: string | null;
  readonly encoders: readonly string[];
  /** Asked within the transaction; who is not wanted stays as they are. */
  readonly isWanted: (entry: PersonEntry) => boolean;
}

function commit(
  gallery: FleetGallery,
  { header, people, tombstones }: BundleContent,
  { facts, seen, encoders, isWanted }: Commit,
): void {
  const all = function* () {
    // Read within the transaction: another process may have taken a version over since.
    if (gallery.state(FLEET_FACT) !== seen) throw wrongBase('another process has taken a version over meanwhile');
    for (const entry of people) if (isWanted(entry)) yield personOf(entry);
  };
  const { kind, to, site } = header;
  const detail = { site, kind, version: to.version };
  gallery.applyBatch({
    origin: 'fleet',
    encoders,
    people: all(),
    tombstones,
    complete: kind === 'full',
    state: facts,
    detail,
  });
}

/** Id and digest of everybody after the bundle; throws unless that is what was signed. */
function resultOf(
  { header, people, tombstones }: BundleContent,
  before: GalleryState | null,
  known: ReadonlyMap<string, string>,
): Map<string, string> {
  const { from, to } = header;
  if (from !== null && (before?.version !== from.version || before.digest !== from.digest)) {
    const has = before === null ? 'none' : `version ${before.version}`;
    throw wrongBase(`a delta from version ${from.version} does not fit: the device has ${has}`);
  }
  const result = new Map(from === null ? [] : known);
  for (const { id } of tombstones) result.delete(id);
  for (const { person, digest } of people) result.set(person.id, digest);
  if (stateDigest(result) === to.digest) return result;
  if (from !== null) throw wrongBase('with the delta the gallery would not be what was signed');
  throw new EyelineError('BUNDLE_CORRUPT', 'the bundle does not hold the people that its header says');
}

function wrongBase(message: string): EyelineError {
  return new EyelineError('BUNDLE_WRONG_BASE', message);
}

/** Writes what leads from the bundle's version back to `before`; gives its SHA-256. */
async function writeUndo(
  { header, people }: BundleContent,
  before: FleetState,
  { known, after }: { readonly known: ReadonlyMap<string, string>; readonly after: ReadonlyMap<string, string> },
  { bodyKey, deviceKey, folder, gallery, nowMs }: ApplyOptions,
): Promise<string> {
  const encoders = new Set(before.encoders);
  const dimensions = new Map(header.encoders.map((it) => [it.fingerprint, it.dimension]));
  const lines: string[] = [];
  const added: Tombstone[] = [];
  const back = new Map(after);
  for (const { person, digest } of people) {
    const old = known.get(person.id);
    if (old === digest) continue;
    const kept = old === undefined ? null : gallery.personState(person.id);
    if (kept === null) {
      added.push({ id: person.id, deletedAtMs: nowMs });
      back.delete(person.id);
      continue;
    }
    for (const it of kept.templates) dimensions.set(it.encoder, it.embedding.length);
    const line = personLine(entryOf(kept, encoders));
    back.set(person.id, lineDigest(line));
    lines.push(line);
  }
  const bundle: Pick<BundleHeader, 'kind' | 'from' | 'to' | 'stream' | 'site' | 'createdAtMs' | 'expiresAtMs'> = {
    kind: 'delta',
    from: header.to,
    to: { version: before.version, digest: stateDigest(back) },
    stream: before.stream,
    site: before.site,
    createdAtMs: before.createdAtMs,
    expiresAtMs: FOR_EVER_MS,
  };
  const named = [...dimensions].filter(([it]) => encoders.has(it));
  const counts = { people: lines.length, tombstones: added.length };
  const unnamed = join(folder, `undo-${randomUUID()}`);
  const { sha256 } = await writeBundle(
    unnamed,
    { ...bundle, ...counts, encoders: named.map(([fingerprint, dimension]) => ({ fingerprint, dimension })) },
    [...lines, ...added.map(tombstoneLine)],
    { signing: deviceKey, body: bodyKey },
  );
  await rename(unnamed, undoFile(folder, sha256));
  return sha256;
}
