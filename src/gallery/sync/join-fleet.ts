import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { EyelineError } from '../../core/errors.ts';
import {
  bodyKeyId,
  generateSigningKey,
  readSigningKey,
  readTrustedKeys,
  type SigningKey,
} from '../bundle/bundle-keys.ts';
import { createSecretFile } from '../gallery-key.ts';
import { type FleetGallery, type RolledBack, rollBack } from './apply-bundle.ts';
import type { BundleSource } from './bundle-source.ts';
import { type FleetState, RECEIPTS_FACT, readFleetState } from './fleet-state.ts';
import { readReceipts } from './receipt.ts';
import { type TakenOver, takeOver } from './take-over.ts';
import { httpBundleSource } from './undici-bundle-source.ts';

/** However slow the line is: by then a bundle is there, or the next try goes on with it. */
const WHOLE_MS = 3_600_000;

export interface JoinOptions {
  readonly url: string;
  readonly site: string;
  readonly device: string;
  /** Public keys of those who may publish. */
  readonly trust: readonly string[];
  /** Keys that bundles are encrypted with, the newest last. */
  readonly bodyKeys: readonly Uint8Array[];
  readonly proxy: string | null;
  readonly idleMs: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The gallery's file: what is under way lies beside it. */
  readonly file: string;
  /** Opens the gallery, for one use: the first time a missing one may be made (`create`); later a missing one is a failure. */
  readonly open: (create: boolean) => FleetGallery & { close(): void };
  /** What the gallery is encrypted with, where it is configured. */
  readonly key?: Uint8Array | undefined;
  readonly encoder: string | null;
  readonly newMaster?: boolean;
  readonly clock: Clock;
}

/** A device's part in a fleet. What needs the gallery throws GALLERY_UNREADABLE or GALLERY_KEY_INVALID when it cannot be opened. */
export interface FleetMember {
  readonly source: BundleSource;
  readonly deviceKey: string;
  takeOver(announcement: string, signal: AbortSignal): Promise<TakenOver>;
  rollBack(): Promise<RolledBack>;
  /** What runs of the site's gallery; null as long as nothing of it was taken over. */
  state(): FleetState | null;
  /** Signed receipts of deletions, oldest first. */
  receipts(): readonly string[];
}

/**
 * Throws SYNC_NOT_CONFIGURED when nobody is trusted or there is no key, BUNDLE_KEY_INVALID when a key is none,
 * GALLERY_UNREADABLE when the gallery cannot be opened.
 */
export function joinFleet(options: JoinOptions): FleetMember {
  const { bodyKeys, clock, file } = options;
  const newest = bodyKeys.at(-1);
  if (options.trust.length === 0 || !newest) {
    throw new EyelineError('SYNC_NOT_CONFIGURED', 'gallery.sync: trust and keys are needed beside url');
  }
  const trust = {
    signers: readTrustedKeys(options.trust),
    bodyKeys: new Map(bodyKeys.map((key) => [bodyKeyId(key), key])),
  };
  const folder = join(dirname(file), 'sync');
  options.open(true).close();
  const use = <T>(work: (gallery: FleetGallery) => T): T => {
    const gallery = options.open(false);
    let result: T | undefined;
    try {
      result = work(gallery);
      return result;
    } finally {
      if (result instanceof Promise) result.finally(() => gallery.close()).catch(() => {});
      else gallery.close();
    }
  };
  const deviceKey = deviceKeyOf(join(dirname(file), 'device.key'));
  const common = { ...options, folder, trust, deviceKey };
  const source = httpBundleSource({ ...options, wholeMs: WHOLE_MS });
  return {
    source,
    deviceKey: deviceKey.publicKey,
    takeOver: (text, signal) => use((gallery) => takeOver(text, { ...common, gallery, source }, signal)),
    rollBack: () =>
      use((gallery) => rollBack({ ...common, gallery, bodyKey: newest, bodyKeys: trust.bodyKeys, nowMs: clock.now() })),
    state: () =>
      use((gallery) => {
        const state = readFleetState((key) => gallery.state(key));
        return state?.site === options.site ? state : null;
      }),
    receipts: () => use((gallery) => readReceipts(gallery.state(RECEIPTS_FACT))),
  };
}

/** The device's own key, made when there is none. */
function deviceKeyOf(file: string): SigningKey {
  if (!existsSync(file)) createSecretFile(file, generateSigningKey().pem);
  return readSigningKey(readFileSync(file, 'utf8'), `key file ${file}`);
}
