import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { ProgressLedger } from './health.ts';
import type { ServiceManager } from './systemd.ts';

export interface WatchdogOptions {
  readonly clock: Pick<Clock, 'sleep'>;
  readonly ledger: Pick<ProgressLedger, 'stalledParts'>;
  readonly manager: Pick<ServiceManager, 'alive' | 'watchdogMs'>;
  readonly logger: Logger;
  /** How often to look when no service manager watches; it says itself when it does. */
  readonly checkEveryMs: number;
  /** Told once a stall, for those that no service manager restarts. */
  readonly onStalled?: (parts: readonly string[]) => void;
}

/**
 * Gives the service manager a sign of life at half its period, as sd_watchdog_enabled(3) advises, as long as every
 * part of the daemon makes progress. A timer alone would call a daemon alive that has long stopped working.
 */
export class Watchdog {
  readonly #options: WatchdogOptions;
  #stop: AbortController | null = null;
  #loop: Promise<void> | null = null;

  constructor(options: WatchdogOptions) {
    this.#options = options;
  }

  start(): void {
    this.#stop = new AbortController();
    this.#loop = this.#watch(this.#stop.signal);
  }

  async stop(): Promise<void> {
    this.#stop?.abort();
    await this.#loop;
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { clock, ledger, manager, logger, checkEveryMs, onStalled } = this.#options;
    const periodMs = manager.watchdogMs === null ? checkEveryMs : manager.watchdogMs / 2;
    let stalledBefore = '';
    while (!signal.aborted) {
      const parts = ledger.stalledParts();
      const stalled = parts.join(', ');
      if (parts.length === 0) manager.alive();
      if (stalled !== stalledBefore) {
        if (parts.length === 0) logger.info({}, 'progress again');
        else logger.error({ parts }, 'no progress: the watchdog is not fed');
        if (parts.length > 0) onStalled?.(parts);
      }
      stalledBefore = stalled;
      await clock.sleep(periodMs, signal).catch(() => {});
    }
  }
}
