import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../core/clock.ts';
import { EyelineError, messageOf } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { type RetryPolicy, retryDelayMs } from '../../core/retry.ts';
import type { BundleSource } from './bundle-source.ts';
import type { FleetState } from './fleet-state.ts';
import type { TakenOver } from './take-over.ts';

/** How a device stands to its fleet. */
export interface SyncReport {
  /** `refused`: what was offered must not be taken over; `unreachable`: nothing can be asked; `held`: after a rollback. */
  readonly state: 'never' | 'current' | 'held' | 'refused' | 'unreachable';
  /** The version of the site's gallery that runs; null before the first one. */
  readonly version: number | null;
  readonly syncedAtMs: number | null;
  /** Why it is not `current`: a code of docs/errors.md. */
  readonly code: string | null;
  readonly message: string | null;
}

export interface GallerySyncOptions {
  readonly source: Pick<BundleSource, 'announcement' | 'close'>;
  /** Checks an announcement and takes the version over; throws what forbids it. */
  readonly takeOver: (announcement: string, signal: AbortSignal) => Promise<TakenOver>;
  /** What runs now; throws when the gallery cannot be opened. */
  readonly state: () => FleetState | null;
  readonly pollMs: number;
  /** Announcements that come over MQTT are followed after a random share of this: a fleet must not come all at once. */
  readonly spreadMs: number;
  readonly retry: RetryPolicy;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  /** Told at the start and after each round; when it throws, that is logged. */
  readonly onReport: (report: SyncReport) => void;
}

/** An announcement that was followed, and what ran then. */
interface Followed {
  readonly etag: string | null;
  readonly state: FleetState;
}

/**
 * Keeps a device's gallery at the fleet's newest version: asks the store now and then, and whenever a version is announced.
 * One version at a time is taken over; whatever fails leaves the gallery as it is, is told, and is tried again later.
 */
export class GallerySync {
  readonly #options: GallerySyncOptions;
  readonly #stopped = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #announced: string | null = null;
  #followed: Followed | null = null;
  #wake: (() => void) | null = null;
  #woken = false;
  #waiting: ((report: SyncReport) => void)[] = [];
  #report: SyncReport;
  #lastTold = '';

  constructor(options: GallerySyncOptions) {
    this.#options = options;
    const running = options.state();
    this.#report = running === null ? reportOf('never', running) : settled(running);
  }

  start(): void {
    this.#handOver(this.#report);
    this.#running = this.#run();
  }

  /** The newest announcement, as it came: it is looked at soon. */
  announce(text: string): void {
    this.#announced = text;
    this.#rouse();
  }

  /** Asks the store at once. Resolves with how it went; rejects when the sync has stopped. */
  syncNow(): Promise<SyncReport> {
    return new Promise((resolve, reject) => {
      const { signal } = this.#stopped;
      if (signal.aborted) return reject(signal.reason);
      const onStop = () => reject(signal.reason);
      signal.addEventListener('abort', onStop);
      this.#waiting.push((report) => {
        signal.removeEventListener('abort', onStop);
        resolve(report);
      });
      this.#rouse();
    });
  }

  /** Ends what is under way; it never ends half way through taking a version over. Never throws. */
  async stop(): Promise<void> {
    this.#stopped.abort(new Error('the sync of the gallery has stopped'));
    this.#wake?.();
    await this.#running;
    await this.#options.source.close().catch(() => {});
  }

  #rouse(): void {
    this.#woken = true;
    this.#wake?.();
  }

  async #run(): Promise<void> {
    const { clock, pollMs, random, retry, spreadMs } = this.#options;
    const { signal } = this.#stopped;
    let failures = 0;
    while (!signal.aborted) {
      this.#woken = false;
      const waiting = this.#waiting.splice(0);
      const announced = waiting.length > 0 ? null : this.#announced;
      this.#announced = null;
      if (announced !== null) await clock.sleep(spreadMs * random(), signal).catch(() => {});
      if (signal.aborted) return;
      let isDone = true;
      try {
        await this.#once(announced);
      } catch (error) {
        if (signal.aborted) return;
        this.#tellFailure(error);
        isDone = false;
      }
      for (const answer of waiting) answer(this.#report);
      failures = isDone ? 0 : failures + 1;
      // Polls are spread as well: devices that were switched on together must not stay together.
      const pause = isDone ? pollMs * (1 - retry.jitter * random()) : retryDelayMs(retry, failures - 1, random());
      await this.#pause(isDone ? pause : Math.min(pause, pollMs));
    }
  }

  /** One round; throws when it should be tried again soon. */
  async #once(announced: string | null): Promise<void> {
    const { source, state: running, takeOver } = this.#options;
    const { signal } = this.#stopped;
    let text = announced;
    let etag: string | null = null;
    if (text === null) {
      // With an older gallery put back in its place, what was followed has to be followed again.
      const isThere = isDeepStrictEqual(this.#followed?.state, running());
      const found = await source.announcement(isThere ? (this.#followed?.etag ?? null) : null, signal);
      if (found === null) {
        this.#tell(settled(running()));
        return;
      }
      ({ text, etag } = found);
    }
    const { outcome, bytes, state } = await takeOver(text, signal);
    // Only what was done need not be looked at again.
    if (announced === null) this.#followed = { etag, state };
    if (outcome === 'taken') {
      this.#options.logger.info(
        { fleetVersion: state.version, bytes },
        `gallery: version ${state.version} of the fleet was taken over`,
      );
    }
    this.#tell(settled(running()));
  }

  #tellFailure(error: unknown): void {
    const code = error instanceof EyelineError ? error.code : null;
    const state = code === 'SYNC_UNREACHABLE' ? 'unreachable' : 'refused';
    this.#tell({ ...this.#kept(), state, code: code ?? 'FAILED', message: messageOf(error) });
  }

  /** What runs now or, while the gallery cannot be opened, ran when it could. */
  #kept(): Pick<SyncReport, 'version' | 'syncedAtMs'> {
    try {
      const { version = null, syncedAtMs = null } = this.#options.state() ?? {};
      return { version, syncedAtMs };
    } catch {
      const { version, syncedAtMs } = this.#report;
      return { version, syncedAtMs };
    }
  }

  #tell(report: SyncReport): void {
    const { logger } = this.#options;
    this.#report = report;
    const told = `${report.state} ${report.code} ${report.message}`;
    if (told !== this.#lastTold && report.code !== null) {
      const kept = report.version === null ? 'no version of the site yet' : `version ${report.version} stays`;
      logger.warn({ code: report.code, fleetVersion: report.version }, `gallery sync: ${report.message}; ${kept}`);
    }
    this.#lastTold = told;
    this.#handOver(report);
  }

  #handOver(report: SyncReport): void {
    try {
      this.#options.onReport(report);
    } catch (error) {
      this.#options.logger.error(
        { error: messageOf(error) },
        `gallery sync: a report was not told: ${messageOf(error)}`,
      );
    }
  }

  async #pause(ms: number): Promise<void> {
    if (this.#woken) return;
    const over = new AbortController();
    this.#wake = () => over.abort();
    await this.#options.clock.sleep(ms, AbortSignal.any([over.signal, this.#stopped.signal])).catch(() => {});
    this.#wake = null;
  }
}

/** Nothing is left to be done: the newest version runs, or it was rolled back and a newer one is waited for. */
function settled(running: FleetState | null): SyncReport {
  return reportOf(running && running.version < running.floor ? 'held' : 'current', running);
}

function reportOf(state: SyncReport['state'], running: FleetState | null): SyncReport {
  const { version = null, syncedAtMs = null } = running ?? {};
  return { state, version, syncedAtMs, code: null, message: null };
}
