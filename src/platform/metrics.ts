import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Seconds; from a fast model's run to a door that is kept waiting. */
const LATENCY_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5];
const BATCH_BUCKETS = [1, 2, 4, 8, 16, 32];

/** Counts a camera's supervisor keeps; see `CameraStats`. */
export interface CameraCounts {
  readonly framesRead: number;
  readonly framesDelivered: number;
  readonly framesDropped: number;
  readonly framesIdle: number;
  readonly restarts: number;
}

/** One run of a model. */
export interface ModelRun {
  readonly model: string;
  readonly pictures: number;
  readonly runMs: number;
}

/** What became of one frame, milliseconds by part; see `FrameReport`. */
export interface FrameTimes {
  readonly camera: string;
  readonly faces: number;
  readonly looked: number;
  readonly latencyMs: Readonly<Record<string, number>>;
}

/**
 * What the daemon counts and times, in the text format of Prometheus. Histograms hold seconds, as their conventions
 * ask for. Nothing here names a person.
 */
export class Metrics {
  readonly #registry = new Registry();
  readonly #stages = new Histogram({
    name: 'eyeline_stage_seconds',
    help: 'Time of a frame by part: capture, queue (waiting), detect, embed, decide.',
    labelNames: ['camera', 'stage'],
    buckets: LATENCY_BUCKETS,
    registers: [this.#registry],
  });
  readonly #frames = new Histogram({
    name: 'eyeline_frame_seconds',
    help: 'From the decoder handing a frame out until all about it was decided.',
    labelNames: ['camera'],
    buckets: LATENCY_BUCKETS,
    registers: [this.#registry],
  });
  readonly #faces = new Counter({
    name: 'eyeline_faces_total',
    help: 'Faces found, and of those the ones that were embedded.',
    labelNames: ['camera', 'step'],
    registers: [this.#registry],
  });
  readonly #decisions = new Counter({
    name: 'eyeline_decisions_total',
    help: 'Decisions announced.',
    labelNames: ['camera', 'decision'],
    registers: [this.#registry],
  });
  readonly #runs = new Histogram({
    name: 'eyeline_inference_run_seconds',
    help: 'Time of one run of a model.',
    labelNames: ['model'],
    buckets: LATENCY_BUCKETS,
    registers: [this.#registry],
  });
  readonly #batches = new Histogram({
    name: 'eyeline_inference_batch_pictures',
    help: 'Pictures in one run of a model.',
    labelNames: ['model'],
    buckets: BATCH_BUCKETS,
    registers: [this.#registry],
  });

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Everything, as Prometheus reads it. */
  async text(): Promise<string> {
    return this.#registry.metrics();
  }

  frame({ camera, faces, looked, latencyMs }: FrameTimes): void {
    let total = 0;
    for (const [stage, ms] of Object.entries(latencyMs)) {
      this.#stages.observe({ camera, stage }, ms / 1000);
      total += ms;
    }
    this.#frames.observe({ camera }, total / 1000);
    this.#faces.inc({ camera, step: 'found' }, faces);
    this.#faces.inc({ camera, step: 'embedded' }, looked);
  }

  decision(camera: string, decision: string): void {
    this.#decisions.inc({ camera, decision });
  }

  run({ model, pictures, runMs }: ModelRun): void {
    this.#runs.observe({ model }, runMs / 1000);
    this.#batches.observe({ model }, pictures);
  }

  /** Reads the cameras' own counts whenever the metrics are asked for. */
  watchCameras(cameras: ReadonlyMap<string, { readonly stats: CameraCounts; readonly status: string }>): void {
    const registers = [this.#registry];
    new Gauge({
      name: 'eyeline_camera_online',
      help: 'Whether the camera gives frames.',
      labelNames: ['camera'],
      registers,
      collect() {
        for (const [camera, { status }] of cameras) this.set({ camera }, status === 'online' ? 1 : 0);
      },
    });
    new Gauge({
      name: 'eyeline_camera_frames',
      help: 'Frames since the start: read (decoded), delivered, dropped (over the rate or replaced by a newer one), idle (nothing moved).',
      labelNames: ['camera', 'outcome'],
      registers,
      collect() {
        for (const [camera, { stats }] of cameras) {
          this.set({ camera, outcome: 'read' }, stats.framesRead);
          this.set({ camera, outcome: 'delivered' }, stats.framesDelivered);
          this.set({ camera, outcome: 'dropped' }, stats.framesDropped);
          this.set({ camera, outcome: 'idle' }, stats.framesIdle);
        }
      },
    });
    new Gauge({
      name: 'eyeline_camera_restarts',
      help: 'Processes of the camera started after the first.',
      labelNames: ['camera'],
      registers,
      collect() {
        for (const [camera, { stats }] of cameras) this.set({ camera }, stats.restarts);
      },
    });
  }
}
