import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { EyelineError, isDiskFull, systemCodeOf } from '../../core/errors.ts';
import type { Announcement, OfferedBundle } from '../bundle/bundle-format.ts';
import type { SigningKey } from '../bundle/bundle-keys.ts';
import { type BundleContent, type BundleTrust, readBundle } from '../bundle/read-bundle.ts';
import { readAnnouncement } from '../bundle/signed-json.ts';
import { applyBundle, type FleetGallery, undoFile } from './apply-bundle.ts';
import type { BundleSource } from './bundle-source.ts';
import { type FleetState, floorIn, readFleetState, stateIn } from './fleet-state.ts';

/** By how much the clocks of master and device may differ. */
const SKEW_MS = 10 * 60_000;
/** What stays free on the disk. */
const SPARE_BYTES = 32 * 1024 ** 2;
/** Room for a bundle's content in the database and its journal. */
const COPIES = 3;

export interface TakeOverOptions {
  readonly gallery: FleetGallery;
  readonly source: Pick<BundleSource, 'receive'>;
  readonly trust: BundleTrust;
  readonly site: string;
  readonly device: string;
  readonly deviceKey: SigningKey;
  /** Fingerprint of the full-face encoder in use; null takes any. */
  readonly encoder: string | null;
  /** For what is under way and the way back. */
  readonly folder: string;
  readonly clock: Pick<Clock, 'now'>;
  /** Bytes free where the folder is; what the file system says when left out. */
  readonly freeBytes?: () => Promise<number>;
  /** Whether a new master gallery is accepted in place of the one before. */
  readonly newMaster?: boolean;
}

export interface TakenOver {
  readonly state: FleetState;
  /** `taken`: a new version runs; `current`: nothing to do; `held`: it was rolled back and waits for a newer version. */
  readonly outcome: 'taken' | 'current' | 'held';
  /** Bytes received. */
  readonly bytes: number;
}

/**
 * Does what a signed announcement asks for, if it is to be believed: by the delta that fits, else by the full bundle. Whatever
 * is wrong is thrown, with a code that says what, and the gallery stays as it is.
 */
export async function takeOver(
  text: string | Uint8Array,
  options: TakeOverOptions,
  signal: AbortSignal,
): Promise<TakenOver> {
  const { folder, gallery, trust } = options;
  const announcement = readAnnouncement(text, trust.signers);
  const state = readFleetState((key) => gallery.state(key));
  const known = judge(announcement, state, options);
  if (known) return { ...known, bytes: 0 };
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await tidy(folder, state, announcement);
  const [full, ...deltas] = announcement.bundles;
  const here = stateIn(state, announcement);
  const delta = deltas.find((it) => here && it.from?.version === here.version && it.from.digest === here.digest);
  let bytes = 0;
  for (const offered of [delta, full]) {
    if (!offered) continue;
    try {
      const content = await receive(offered, announcement, options, signal);
      bytes += offered.bytes;
      signal.throwIfAborted();
      const bodyKey = trust.bodyKeys.get(content.header.bodyKey) ?? new Uint8Array();
      const applied = await applyBundle(content, { ...options, bodyKey, nowMs: options.clock.now() });
      return { state: applied, outcome: 'taken', bytes };
    } catch (error) {
      if (systemCodeOf(error) === 'ENOENT') {
        throw new EyelineError('SYNC_UNREACHABLE', 'another process takes a version over at this moment', {
          cause: error,
        });
      }
      if (isDiskFull(error)) throw new EyelineError('SYNC_NO_SPACE', 'the disk is full', { cause: error });
      const another = error instanceof EyelineError && ['BUNDLE_WRONG_BASE', 'BUNDLE_CORRUPT'].includes(error.code);
      if (offered === full || !another) throw error;
    } finally {
      await rm(bundleFile(folder, offered.sha256), { force: true });
    }
  }
  throw new EyelineError('BUNDLE_CORRUPT', 'the announcement offers no bundle');
}

/** What needs no bundle; throws what forbids taking it over. */
function judge(
  { site, stream, to, createdAtMs, expiresAtMs }: Announcement,
  state: FleetState | null,
  options: TakeOverOptions,
): Pick<TakenOver, 'state' | 'outcome'> | null {
  if (site !== options.site) {
    throw new EyelineError(
      'BUNDLE_WRONG_GALLERY',
      `the announcement is of site ${site}, this device is of ${options.site}`,
    );
  }
  if (state && state.stream !== stream && !options.newMaster) {
    throw new EyelineError(
      'BUNDLE_WRONG_GALLERY',
      'the announcement is of another master gallery than the versions before',
    );
  }
  // Null also for a device that was of another site: what that site gave is replaced, whatever number it has.
  const here = stateIn(state, { stream, site });
  if (here && to.version === here.version && to.digest === here.digest) return { state: here, outcome: 'current' };
  const floor = floorIn(state, { stream, site });
  if (to.version <= floor) {
    if (here && to.version === floor && here.version < floor) return { state: here, outcome: 'held' };
    throw new EyelineError(
      'BUNDLE_REPLAYED',
      `version ${to.version} is offered, but this device has had version ${floor} already`,
    );
  }
  const now = options.clock.now();
  if (createdAtMs > now + SKEW_MS) {
    throw new EyelineError(
      'BUNDLE_NOT_VALID_NOW',
      `version ${to.version} is of ${timeOf(createdAtMs)}, but the clock of this device says ${timeOf(now)}`,
    );
  }
  if (expiresAtMs < now) {
    throw new EyelineError(
      'BUNDLE_NOT_VALID_NOW',
      `version ${to.version} has expired at ${timeOf(expiresAtMs)}; the clock of this device says ${timeOf(now)}`,
    );
  }
  return null;
}

async function receive(
  offered: OfferedBundle,
  announcement: Announcement,
  options: TakeOverOptions,
  signal: AbortSignal,
): Promise<BundleContent> {
  const { folder, source, trust, encoder } = options;
  const free = await (options.freeBytes ?? (() => freeBytesOf(folder)))();
  const needed = offered.bytes + COPIES * offered.rawBytes + SPARE_BYTES;
  if (free < needed) {
    throw new EyelineError(
      'SYNC_NO_SPACE',
      `version ${announcement.to.version} needs ${mb(needed)} of disk, ${mb(free)} are free`,
    );
  }
  const file = bundleFile(folder, offered.sha256);
  await source.receive(offered.sha256, offered.bytes, file, signal);
  if ((await sha256Of(file, signal)) !== offered.sha256) {
    throw new EyelineError('BUNDLE_CORRUPT', 'the bundle has another SHA-256 than was announced');
  }
  const content = await readBundle(file, trust, signal);
  const { header } = content;
  const said = [header.stream, header.site, header.kind, header.from, header.to];
  const meant = [announcement.stream, announcement.site, offered.kind, offered.from, announcement.to];
  if (JSON.stringify(said) !== JSON.stringify(meant)) {
    throw new EyelineError('BUNDLE_CORRUPT', 'the bundle is another one than was announced');
  }
  if (encoder !== null && header.encoders.length > 0 && !header.encoders.some((it) => it.fingerprint === encoder)) {
    throw new EyelineError(
      'BUNDLE_ENCODER_MISMATCH',
      `version ${header.to.version} has no templates of the encoder in use (${encoder.slice(0, 8)})`,
    );
  }
  return content;
}

/** Removes what an interrupted run left behind; parts of what is announced now are gone on with. */
async function tidy(folder: string, state: FleetState | null, { bundles }: Announcement): Promise<void> {
  const keep = [
    ...bundles.map((it) => bundleFile(folder, it.sha256)),
    ...(state?.undo ? [undoFile(folder, state.undo.sha256)] : []),
  ];
  for (const name of await readdir(folder)) {
    const file = join(folder, name);
    if (!keep.some((it) => file.startsWith(it))) await rm(file, { force: true });
  }
}

function bundleFile(folder: string, sha256: string): string {
  return join(folder, `${sha256}.eyb`);
}

async function sha256Of(file: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { signal })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

async function freeBytesOf(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}

function mb(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`;
}
