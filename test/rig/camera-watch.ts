import { EventEmitter, once } from 'node:events';
import { onTestFinished } from 'vitest';
import { type CameraOptions, type CameraStatus, CameraSupervisor } from '../../src/capture/camera-supervisor.ts';
import { cameraForker } from '../../src/capture/fork-camera.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { Frame } from '../../src/core/picture.ts';
import { readCounter } from './counter-clip.ts';

/** What a frame showed: the number burnt into it. */
export interface SeenFrame {
  readonly sequence: number;
  readonly number: number;
  readonly captureMs: number;
  readonly capturedAtMs: number;
  /** Since it was captured, when the consumer got it. */
  readonly ageMs: number;
}

/** A real supervisor with a real process, whose frames are looked at; stopped when the test is over. */
export class CameraWatch {
  readonly supervisor: CameraSupervisor;
  readonly log: string[] = [];
  readonly statuses: CameraStatus[] = [];
  readonly seen: SeenFrame[] = [];
  /** Ids of all processes there were. */
  readonly pids = new Set<number>();
  /** How long the consumer takes over each frame. */
  delayMs = 0;
  readonly #events = new EventEmitter();
  #watching: Promise<void> | undefined;

  constructor(source: string, camera: Partial<CameraOptions> = {}) {
    const write = (fields: object, message: string) => void this.log.push(`${JSON.stringify(fields)} ${message}`);
    this.supervisor = new CameraSupervisor({
      camera: {
        id: 'door',
        source,
        backend: 'auto',
        transport: 'tcp',
        fps: 30,
        loop: false,
        openTimeoutMs: 30_000,
        stallTimeoutMs: 2000,
        enabled: true,
        ...camera,
      },
      detectorInput: { width: 320, height: 240 },
      retry: { firstDelayMs: 100, maxDelayMs: 500, factor: 2, jitter: 0 },
      clock: systemClock,
      random: () => 0,
      logger: { debug: write, info: write, warn: write, error: write },
      spawn: cameraForker(process.env),
      onStatus: (status) => {
        this.statuses.push(status);
        this.#events.emit('change');
      },
    });
    onTestFinished(() => this.stop());
  }

  start(): this {
    this.supervisor.start();
    this.#watching = this.#watch();
    return this;
  }

  /** Resolves when the camera has this status, at once if it has it now. */
  async until(status: CameraStatus): Promise<void> {
    while (this.supervisor.status !== status) await once(this.#events, 'change');
  }

  /** The next `count` frames from now on. */
  async next(count: number): Promise<SeenFrame[]> {
    const from = this.seen.length;
    while (this.seen.length < from + count) await once(this.#events, 'change');
    return this.seen.slice(from, from + count);
  }

  async stop(): Promise<void> {
    await this.supervisor.stop();
    await this.#watching;
  }

  /** Resolves when the frames have ended. */
  async over(): Promise<void> {
    await this.#watching;
  }

  async #watch(): Promise<void> {
    for await (const frame of this.supervisor.frames()) {
      await this.#look(frame).catch((error: unknown) => this.log.push(`frame lost: ${String(error)}`));
      frame.release();
    }
  }

  async #look(frame: Frame): Promise<void> {
    const { pid } = this.supervisor.stats;
    if (pid !== null) this.pids.add(pid);
    const { captureMs, capturedAtMs, sequence } = frame;
    const ageMs = systemClock.now() - capturedAtMs;
    const number = await readCounter(frame);
    if (this.delayMs > 0) await systemClock.sleep(this.delayMs);
    this.seen.push({ sequence, number, captureMs, capturedAtMs, ageMs });
    this.#events.emit('change');
  }
}
