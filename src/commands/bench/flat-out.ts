import { CameraSupervisor } from '../../capture/camera-supervisor.ts';
import { cameraForker } from '../../capture/fork-camera.ts';
import type { Config } from '../../config/schema.ts';
import { systemClock } from '../../core/clock.ts';
import { entryBeside } from '../../core/entry-points.ts';
import type { Logger } from '../../core/logger.ts';
import { quantile, rounded } from '../../core/statistics.ts';
import { CameraPipeline, type FrameReport } from '../../pipeline/camera-pipeline.ts';
import { decisionParts } from '../../pipeline/decision-parts.ts';
import type { GalleryView } from '../../pipeline/gallery-view.ts';
import type { OpenFaceAnalyser } from '../../wiring/open-faces.ts';
import { type RunCounts, type RunLog, rawRunMs } from './run-log.ts';

const REPLAY_CAMERA = entryBeside('replay-camera', import.meta.url);
/** After every camera gave this many frames its first faces are decided and all code is warm. */
const SETTLED_FRAMES = 50;

export interface FlatOutOptions {
  readonly config: Config;
  readonly chain: OpenFaceAnalyser;
  readonly runs: RunLog;
  readonly clip: string;
  readonly cameras: number;
  readonly seconds: number;
  readonly gallery: GalleryView;
  readonly env: NodeJS.ProcessEnv;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** The pipeline at full speed on decoded frames. */
export interface FlatOut {
  readonly cameras: number;
  readonly framesPerSecond: number;
  readonly facesPerFrame: number;
  readonly embeddedPerSecond: number;
  /** Raw time of the runs done, each measured alone afterwards, over wall time. */
  readonly efficiency: number;
  /** Time the runs took while all else went on, over wall time. */
  readonly busy: number;
  readonly wallMs: number;
  readonly rawMs: number;
  readonly latencyMs: { readonly p50: number | null; readonly p95: number | null };
  /** Mean time of a frame by part. */
  readonly partsMs: Readonly<Record<keyof FrameReport['latencyMs'], number>>;
  readonly runs: readonly RunCounts[];
}

/**
 * Lets cameras that give decoded frames as fast as they are asked for (replay-camera.ts, one process each) run through
 * the pipeline, and compares the time it took with what the models alone need for the same batches.
 */
export async function runFlatOut(options: FlatOutOptions): Promise<FlatOut> {
  const { cameras, chain, env, logger, runs, seconds, signal } = options;
  const reports: FrameReport[] = [];
  let measuring = false;
  const spawn = cameraForker(env, REPLAY_CAMERA);
  const started = Array.from({ length: cameras }, (_, index) => {
    const camera = `replay-${index}`;
    const supervisor = new CameraSupervisor({
      camera: {
        id: camera,
        source: options.clip,
        backend: 'ffmpeg',
        transport: 'tcp',
        loop: false,
        fps: Number.MAX_VALUE,
        openTimeoutMs: 60_000,
        stallTimeoutMs: 60_000,
        enabled: true,
      },
      detectorInput: chain.detectorInput,
      retry: options.config.capture.retry,
      clock: systemClock,
      random: Math.random,
      logger,
      spawn,
    });
    supervisor.start();
    const pipeline = buildPipeline(camera, options, (report) => {
      if (measuring) reports.push(report);
    });
    return { supervisor, done: pipeline.run(supervisor.frames()) };
  });
  try {
    while (started.some(({ supervisor }) => supervisor.stats.framesDelivered < SETTLED_FRAMES)) {
      await systemClock.sleep(100, signal);
    }
    measuring = true;
    runs.start();
    const startMs = performance.now();
    await systemClock.sleep(seconds * 1000, signal);
    measuring = false;
    const counts = runs.stop();
    const wallMs = performance.now() - startMs;
    await Promise.all(started.map(({ supervisor }) => supervisor.stop()));
    await Promise.all(started.map(({ done }) => done));
    const rawMs = await rawRunMs(counts, runs);
    const busyMs = counts.reduce((sum, { totalMs }) => sum + totalMs, 0);
    const sum = (of: (report: FrameReport) => number) => reports.reduce((total, report) => total + of(report), 0);
    const mean = (of: (latency: FrameReport['latencyMs']) => number) =>
      rounded(sum(({ latencyMs }) => of(latencyMs)) / reports.length, 2);
    const latencies = reports.map(({ latencyMs }) => Object.values(latencyMs).reduce((total, ms) => total + ms, 0));
    return {
      cameras,
      framesPerSecond: rounded((reports.length / wallMs) * 1000, 1),
      facesPerFrame: rounded(sum(({ faces }) => faces) / reports.length, 2),
      embeddedPerSecond: rounded((sum(({ looked }) => looked) / wallMs) * 1000, 1),
      efficiency: rounded(rawMs / wallMs, 3),
      busy: rounded(busyMs / wallMs, 3),
      wallMs: Math.round(wallMs),
      rawMs: Math.round(rawMs),
      latencyMs: { p50: roundedOrNull(quantile(latencies, 0.5)), p95: roundedOrNull(quantile(latencies, 0.95)) },
      partsMs: {
        capture: mean(({ capture }) => capture),
        queue: mean(({ queue }) => queue),
        detect: mean(({ detect }) => detect),
        embed: mean(({ embed }) => embed),
        decide: mean(({ decide }) => decide),
      },
      runs: counts,
    };
  } finally {
    await Promise.all(started.map(({ supervisor }) => supervisor.stop()));
  }
}

function buildPipeline(
  camera: string,
  { chain, config, gallery, logger }: FlatOutOptions,
  onFrame: (report: FrameReport) => void,
): CameraPipeline {
  const decisions = decisionParts(config, chain);
  return new CameraPipeline({
    camera,
    analyser: chain.lane(camera),
    tracker: decisions.tracker(),
    visits: decisions.visits(),
    gallery: () => gallery,
    scores: decisions.scores,
    falseAcceptRate: decisions.falseAcceptRate,
    minQuality: config.recognition.minQuality,
    publish: () => {},
    onFrame,
    clock: systemClock,
    logger,
  });
}

function roundedOrNull(value: number | null): number | null {
  return value === null ? null : rounded(value, 1);
}
