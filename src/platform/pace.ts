import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { FrameTimes } from './metrics.ts';

/** What was seen of one camera in a while. */
export interface CameraPace {
  /** Frames decided on a second. */
  readonly fps: number;
  /** From capture to decision, mean, milliseconds; null without frames. */
  readonly latencyMs: number | null;
}

export interface PaceReporterOptions {
  readonly cameras: readonly string[];
  readonly everyMs: number;
  readonly report: (cameras: Readonly<Record<string, CameraPace>>) => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Tells at regular times how many frames of each camera were looked at, and how long that took. */
export class PaceReporter {
  readonly #options: PaceReporterOptions;
  readonly #abort = new AbortController();
  readonly #sums = new Map<string, { frames: number; ms: number }>();
  #sinceMs: number;
  #running: Promise<void> | null = null;

  constructor(options: PaceReporterOptions) {
    this.#options = options;
    this.#sinceMs = options.clock.monotonic();
  }

  frame({ camera, latencyMs }: Pick<FrameTimes, 'camera' | 'latencyMs'>): void {
    const sum = this.#sums.get(camera) ?? { frames: 0, ms: 0 };
    sum.frames++;
    for (const ms of Object.values(latencyMs)) sum.ms += ms;
    this.#sums.set(camera, sum);
  }

  start(): void {
    this.#running ??= this.#run(this.#abort.signal);
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, everyMs, logger, report } = this.#options;
    for (;;) {
      await clock.sleep(everyMs, signal).catch(() => {});
      if (signal.aborted) return;
      await report(this.#take()).catch((error: unknown) => logger.warn({ error }, `diagnostics: ${messageOf(error)}`));
    }
  }

  #take(): Record<string, CameraPace> {
    const nowMs = this.#options.clock.monotonic();
    const seconds = Math.max(0.001, (nowMs - this.#sinceMs) / 1000);
    this.#sinceMs = nowMs;
    const pace = this.#options.cameras.map((camera): [string, CameraPace] => {
      const { frames, ms } = this.#sums.get(camera) ?? { frames: 0, ms: 0 };
      const latencyMs = frames > 0 ? Math.round((ms / frames) * 10) / 10 : null;
      return [camera, { fps: Math.round((frames / seconds) * 10) / 10, latencyMs }];
    });
    this.#sums.clear();
    return Object.fromEntries(pace);
  }
}
