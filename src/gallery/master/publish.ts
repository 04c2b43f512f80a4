import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { EyelineError } from '../../core/errors.ts';
import {
  type Announcement,
  announcementPath,
  type BundleEncoder,
  bundlePath,
  entryOf,
  type GalleryState,
  LIMITS,
  lineDigest,
  type OfferedBundle,
  personLine,
  stateDigest,
  tombstoneLine,
} from '../bundle/bundle-format.ts';
import { signAnnouncement } from '../bundle/signed-json.ts';
import { type BundleKeys, type NewBundle, writeBundle } from '../bundle/write-bundle.ts';
import type { PersonState, Tombstone } from '../gallery-changes.ts';
import type { BundleShelf } from './bundle-shelf.ts';
import type { MasterGallery } from './master-gallery.ts';

const DAY_MS = 86_400_000;
const STREAM_FACT = 'publish.stream';
const SITES_FACT = 'publish.sites';

/** What was published of a site, kept in the master gallery: deltas are made against it. */
const historySchema = z.strictObject({
  /** Newest last. */
  versions: z.array(
    z.strictObject({
      version: z.int(),
      digest: z.string(),
      people: z.record(z.string(), z.string()),
      bundles: z.array(z.string()),
    }),
  ),
  tombstones: z.record(z.string(), z.number()),
  encoders: z.array(z.strictObject({ fingerprint: z.string(), dimension: z.int() })),
  announcement: z.string(),
  expiresAtMs: z.number(),
});
type History = z.output<typeof historySchema>;

const sitesSchema = z.record(z.string(), z.array(z.string()));

export interface PublishOptions {
  readonly site: string;
  readonly keys: BundleKeys;
  readonly nowMs: number;
  /** How long devices take the version over; those that have it keep it for as long as they must. */
  readonly validDays: number;
  /** From how many versions before there is a delta. */
  readonly deltas: number;
}

export interface Published {
  readonly version: number;
  /** False when nothing had changed: the announcement was stored again. */
  readonly isNew: boolean;
  readonly people: number;
  readonly tombstones: number;
  readonly bundles: readonly OfferedBundle[];
  /** What is to be announced, signed. */
  readonly announcement: string;
}

/**
 * Publishes what the master gallery holds for a site: a full bundle, deltas from the versions before, and the announcement
 * last, so that whatever is announced is there. Nothing changed and half of the validity left: nothing new.
 *
 * Rejects with PUBLISH_FAILED when the shelf cannot be written or somebody else publishes the same site at this moment.
 */
export async function publish(master: MasterGallery, shelf: BundleShelf, options: PublishOptions): Promise<Published> {
  const { site, keys, nowMs, validDays } = options;
  const fact = `publish.site.${site}`;
  const before = await master.fact(fact);
  const history: History | null = before === null ? null : historySchema.parse(JSON.parse(before));
  const last = history?.versions.at(-1);
  const { people, encoders } = await peopleOf(master, site);
  const digests = new Map(people.map(({ id, line }) => [id, lineDigest(line)]));
  const digest = stateDigest(digests);
  const validMs = validDays * DAY_MS;
  if (history && last?.digest === digest && history.expiresAtMs - nowMs > validMs / 2) {
    const { announcement } = history;
    const { bundles } = announced(announcement);
    // On another shelf than the last time they are missing.
    const isThere = await Promise.all(bundles.map((it) => shelf.has(bundlePath(it.sha256))));
    if (isThere.every(Boolean)) {
      await shelf.putText(announcementPath(site), announcement);
      const { version } = last;
      return { version, isNew: false, people: people.length, tombstones: 0, bundles, announcement };
    }
  }

  const tombstones = await tombstonesOf(master, history, digests, nowMs);
  const to: GalleryState & { version: number } = { version: (last?.version ?? 0) + 1, digest };
  const common = { stream: await streamOf(master), site, to, createdAtMs: nowMs, expiresAtMs: nowMs + validMs };
  // A gallery may lose its last template of an encoder: what a delta removes must still be named.
  const named = [...new Map([...(history?.encoders ?? []), ...encoders].map((it) => [it.fingerprint, it])).values()];
  const folder = await mkdtemp(join(tmpdir(), 'eyeline-publish-'));
  const bundles: OfferedBundle[] = [];
  try {
    const add = async (
      bundle: Pick<NewBundle, 'kind' | 'from'>,
      lines: readonly string[],
      gone: readonly Tombstone[],
    ) => {
      const file = join(folder, bundle.kind + String(bundle.from?.version ?? ''));
      const count = { people: lines.length, tombstones: gone.length };
      const all = [...lines, ...gone.map(tombstoneLine)];
      const written = await writeBundle(file, { ...common, ...bundle, ...count, encoders: named }, all, keys);
      await shelf.put(bundlePath(written.sha256), file);
      await rm(file);
      bundles.push({ ...bundle, ...written });
    };
    await add(
      { kind: 'full', from: null },
      people.map(({ line }) => line),
      tombstones,
    );
    for (const base of history?.versions.slice(-Math.min(options.deltas, LIMITS.deltas)).reverse() ?? []) {
      const changed = people.filter(({ id }) => base.people[id] !== digests.get(id));
      const gone = tombstones.filter(({ id }) => base.people[id] !== undefined);
      const from = { version: base.version, digest: base.digest };
      await add(
        { kind: 'delta', from },
        changed.map(({ line }) => line),
        gone,
      );
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }

  const announcement = signAnnouncement({ ...common, schema: 'eyeline.announcement/1', bundles }, keys.signing);
  const versions = [
    ...(history?.versions ?? []),
    { ...to, people: Object.fromEntries(digests), bundles: bundles.map((it) => it.sha256) },
  ];
  // Devices may be fetching what was announced a moment ago: what is older goes.
  const old = versions.splice(0, Math.max(0, versions.length - Math.max(2, options.deltas + 1)));
  const after: History = {
    versions,
    tombstones: Object.fromEntries(tombstones.map((it) => [it.id, it.deletedAtMs])),
    encoders: encoders.length > 0 ? [...encoders] : named,
    announcement,
    expiresAtMs: common.expiresAtMs,
  };
  if (!(await master.swapFact(fact, before, JSON.stringify(after)))) {
    // Nobody will announce them, nor take them away with the versions that get old.
    for (const { sha256 } of bundles) await shelf.remove(bundlePath(sha256));
    throw new EyelineError('PUBLISH_FAILED', `site ${site} was published by somebody else at the same moment`);
  }
  await shelf.putText(announcementPath(site), announcement);
  for (const { bundles: gone } of old) for (const sha of gone) await shelf.remove(bundlePath(sha));
  return {
    version: to.version,
    isNew: true,
    people: people.length,
    tombstones: tombstones.length,
    bundles,
    announcement,
  };
}

/** Publishes a person to these sites only; null for all. */
export async function setSites(master: MasterGallery, person: string, sites: readonly string[] | null): Promise<void> {
  for (;;) {
    const before = await master.fact(SITES_FACT);
    const { [person]: _, ...others } = before === null ? {} : sitesSchema.parse(JSON.parse(before));
    const after = sites === null ? others : { ...others, [person]: [...sites] };
    if (await master.swapFact(SITES_FACT, before, JSON.stringify(after))) return;
  }
}

async function readSites(master: MasterGallery): Promise<Readonly<Record<string, readonly string[]>>> {
  const text = await master.fact(SITES_FACT);
  return text === null ? {} : sitesSchema.parse(JSON.parse(text));
}

async function streamOf(master: MasterGallery): Promise<string> {
  for (;;) {
    const known = await master.fact(STREAM_FACT);
    if (known !== null) return known;
    await master.swapFact(STREAM_FACT, null, randomUUID());
  }
}

async function peopleOf(master: MasterGallery, site: string) {
  const sites = await readSites(master);
  const people: { readonly id: string; readonly line: string }[] = [];
  const encoders = new Map<string, BundleEncoder>();
  for await (const person of master.everybody()) {
    if (sites[person.id]?.includes(site) === false) continue;
    for (const { encoder, embedding } of person.templates) {
      encoders.set(encoder, { fingerprint: encoder, dimension: embedding.length });
    }
    people.push({ id: person.id, line: lineOf(person) });
  }
  return { people, encoders: [...encoders.values()].sort((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1)) };
}

function lineOf(person: PersonState): string {
  return personLine(entryOf(person, new Set(person.templates.map(({ encoder }) => encoder))));
}

/** Those who were deleted from the gallery, and those who were published to this site and are not any more. */
async function tombstonesOf(
  master: MasterGallery,
  history: History | null,
  people: ReadonlyMap<string, string>,
  nowMs: number,
): Promise<readonly Tombstone[]> {
  const deleted = new Map((await master.tombstones()).map((it) => [it.id, it.deletedAtMs]));
  const gone = new Map(Object.entries(history?.tombstones ?? {}));
  for (const id of history?.versions.flatMap((it) => Object.keys(it.people)) ?? []) {
    if (!gone.has(id)) gone.set(id, deleted.get(id) ?? nowMs);
  }
  return [...gone]
    .filter(([id]) => !people.has(id))
    .map(([id, deletedAtMs]) => ({ id, deletedAtMs }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** What an announcement of ours says. */
function announced(text: string): Pick<Announcement, 'bundles'> {
  const { payload } = JSON.parse(text) as { payload: string };
  return JSON.parse(Buffer.from(payload, 'base64').toString('utf8')) as Announcement;
}
