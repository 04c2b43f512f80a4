import type { CameraSupervisor } from './capture/camera-supervisor.ts';
import type { Clock } from './core/clock.ts';
import { endsWithin } from './core/ends-within.ts';
import { messageOf } from './core/errors.ts';
import type { Logger } from './core/logger.ts';
import type { MqttEventPublisher } from './events/mqtt-event-publisher.ts';
import type { LiveGallery } from './gallery/live-gallery.ts';
import type { GallerySync } from './gallery/sync/gallery-sync.ts';
import type { CameraPipeline } from './pipeline/camera-pipeline.ts';
import type { MetricsServer } from './platform/metrics-server.ts';
import type { PaceReporter } from './platform/pace.ts';
import type { ServiceManager } from './platform/systemd.ts';
import type { Watchdog } from './platform/watchdog.ts';

/** How long stopping waits for pipelines, and for models: a run that hangs never ends. */
const STUCK_AFTER_MS = 2000;

/** One camera with all that works for it. */
export interface Camera {
  readonly id: string;
  readonly supervisor: Pick<CameraSupervisor, 'start' | 'stop' | 'frames'>;
  readonly pipeline: Pick<CameraPipeline, 'run'>;
}

/** What a daemon consists of, built by `app.ts`. */
export interface DaemonParts {
  readonly logger: Logger;
  readonly cameras: readonly Camera[];
  readonly models: { close(): Promise<void> };
  readonly gallery: Pick<LiveGallery, 'start' | 'stop'>;
  /** Null for a device that belongs to no fleet. */
  readonly sync: Pick<GallerySync, 'start' | 'stop'> | null;
  readonly publisher: Pick<MqttEventPublisher, 'start' | 'stop'> | null;
  readonly metrics: Pick<MetricsServer, 'start' | 'stop'> | null;
  readonly pace: Pick<PaceReporter, 'start' | 'stop'>;
  readonly manager: ServiceManager;
  readonly watchdog: Pick<Watchdog, 'start' | 'stop'>;
  /** Rejects when the daemon is stuck and no service manager is there to restart it. */
  readonly failed: Promise<never>;
  readonly clock: Pick<Clock, 'sleep'>;
}

/** `eyeline run`: starts its parts in order and stops each whatever becomes of the others. */
export class Daemon {
  readonly #parts: DaemonParts;
  #running: Promise<void>[] = [];

  constructor(parts: DaemonParts) {
    this.#parts = parts;
  }

  /** Rejects with STALE_PROGRESS when the daemon is stuck and no service manager is there to restart it. */
  get failed(): Promise<never> {
    return this.#parts.failed;
  }

  /** Starts everything. Throws GALLERY_UNREADABLE; a camera or a broker that is away is no reason to fail. */
  async start(): Promise<void> {
    const { cameras, gallery, logger, manager, metrics, pace, publisher, sync, watchdog } = this.#parts;
    await gallery.start();
    sync?.start();
    // A port that is taken is no reason to leave the door unwatched.
    await this.#attempt('serving metrics', () => metrics?.start());
    publisher?.start();
    pace.start();
    for (const { supervisor, pipeline } of cameras) {
      supervisor.start();
      this.#running.push(pipeline.run(supervisor.frames()));
    }
    watchdog.start();
    manager.ready();
    logger.info({ cameras: cameras.length }, `watching ${cameras.length} cameras`);
  }

  /**
   * Ends everything; what hangs is left behind. Never throws.
   *
   * Gives false when a model still runs: the process does not end by itself then, since Node waits for its threads, and must
   * be killed.
   */
  async stop(): Promise<boolean> {
    const { cameras, gallery, logger, manager, metrics, models, pace, publisher, sync, watchdog } = this.#parts;
    manager.stopping();
    await this.#attempt('stopping the cameras', () => Promise.all(cameras.map(({ supervisor }) => supervisor.stop())));
    await this.#attemptInTime('stopping the pipelines', () => Promise.all(this.#running));
    await this.#attempt('stopping the diagnostics', () => pace.stop());
    await this.#attempt('stopping the sync of the gallery', () => sync?.stop());
    await this.#attempt('stopping the publisher', () => publisher?.stop());
    await this.#attempt('stopping the gallery', () => gallery.stop());
    await this.#attempt('stopping the metrics', () => metrics?.stop());
    await this.#attempt('stopping the watchdog', () => watchdog.stop());
    const isIdle = await this.#attemptInTime('stopping the models', () => models.close());
    logger.info({}, isIdle ? 'stopped' : 'stopped, but for a model that hangs: the process has to be killed');
    return isIdle;
  }

  /** Waits for no longer than `STUCK_AFTER_MS`; gives whether the work has ended by then. */
  async #attemptInTime(what: string, work: () => Promise<unknown>): Promise<boolean> {
    const { clock, logger } = this.#parts;
    const isOver = await endsWithin(this.#attempt(what, work), STUCK_AFTER_MS, clock);
    if (!isOver) logger.error({}, `${what} takes longer than ${STUCK_AFTER_MS} ms: it hangs and is left behind`);
    return isOver;
  }

  async #attempt(what: string, work: () => Promise<unknown> | undefined): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#parts.logger.error({ error }, `${what} failed: ${messageOf(error)}`);
    }
  }
}
