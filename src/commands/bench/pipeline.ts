import { join } from 'node:path';
import { decodePicture } from '../../capture/opencv-picture.ts';
import type { Config } from '../../config/schema.ts';
import { systemClock } from '../../core/clock.ts';
import type { Logger } from '../../core/logger.ts';
import { rounded } from '../../core/statistics.ts';
import { enrolPictures } from '../../gallery/enrol.ts';
import { LiveGallery } from '../../gallery/live-gallery.ts';
import { findPictures } from '../../gallery/picture-files.ts';
import { openGalleryStore } from '../../gallery/sqlite-gallery-store.ts';
import { inferenceWorkers } from '../../inference/inference-pool.ts';
import { createModelStore } from '../../inference/store.ts';
import { openFaceAnalyser, openFaceReader } from '../../wiring/open-faces.ts';
import { decodeOnlyCores } from './decode-only.ts';
import { type FlatOut, runFlatOut } from './flat-out.ts';
import { type Live, runLive } from './live.ts';
import { RunLog } from './run-log.ts';
import { makeScenes, type Scenes } from './scenes.ts';

export type PipelinePart = 'full-speed' | 'busy' | 'idle';

export interface PipelineOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly folder: string;
  readonly clips: readonly string[];
  readonly cameras: readonly number[];
  readonly seconds: number;
  /** That part alone; null for all. */
  readonly only: PipelinePart | null;
  readonly reconnectEveryS: number | null;
  readonly say: (line: string) => void;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

export interface PipelineResult {
  /** The least of `fullSpeed`; null when that was left out. */
  readonly efficiency: number | null;
  /** Decoded frames as fast as they are taken, by number of cameras. */
  readonly fullSpeed: Readonly<Record<string, FlatOut>>;
  /** Real RTSP cameras with people in view, by number of cameras. */
  readonly cameras: Readonly<Record<string, Live>>;
  /** One RTSP camera of a scene in which nothing moves. */
  readonly idle: IdleResult | null;
}

export interface IdleResult extends Live {
  readonly decodeOnlyCores: number;
  /** CPU of the whole daemon over that of decoding alone. */
  readonly timesDecodeOnly: number | null;
}

/** Numbers of cameras the pipeline is run with at full speed. */
const FULL_SPEED_CAMERAS = [1, 4];

/** `eyeline bench pipeline`. */
export async function benchPipeline(options: PipelineOptions): Promise<PipelineResult> {
  const { cameras, clips, config, env, folder, only, say, seconds, signal } = options;
  const { dir, manifest } = config.models;
  const store = await createModelStore({ dir, extraManifest: manifest, logger: options.logger });
  const scenes = await makeScenes(clips, { ...options, store });
  const galleryFile = join(folder, 'gallery.sqlite');
  await enrolScene(scenes, galleryFile, options);
  const wanted = (part: PipelinePart) => only === null || only === part;

  const fullSpeed: Record<string, FlatOut> = {};
  if (wanted('full-speed')) {
    for (const count of FULL_SPEED_CAMERAS) {
      say(`full speed, ${count} ${count === 1 ? 'camera' : 'cameras'}: ${seconds} s`);
      fullSpeed[count] = await atFullSpeed(count, scenes, galleryFile, options);
    }
  }
  const { models, inference, detection, recognition, tracks } = config;
  const settings = { models: { ...models, dir: store.dir }, inference, detection, recognition, tracks };
  const live = { settings, galleryFile, seconds, folder, signal };
  const busy: Record<string, Live> = {};
  if (wanted('busy')) {
    for (const count of cameras) {
      say(`RTSP, ${count} ${count === 1 ? 'camera' : 'cameras'}: ${seconds} s`);
      const { reconnectEveryS } = options;
      busy[count] = await runLive({ ...live, cameras: count, clips: scenes.busy, reconnectEveryS });
    }
  }
  let idle: IdleResult | null = null;
  if (wanted('idle')) {
    say(`RTSP, nothing moves, decoding alone and the daemon: 2 x ${seconds} s`);
    const decodeOnly = await decodeOnlyCores(scenes.idle, seconds, env, signal);
    const daemon = await runLive({ ...live, cameras: 1, clips: [scenes.idle], reconnectEveryS: null });
    const times = daemon.cpuCores === null ? null : rounded(daemon.cpuCores / decodeOnly, 2);
    idle = { ...daemon, decodeOnlyCores: decodeOnly, timesDecodeOnly: times };
  }
  const efficiencies = Object.values(fullSpeed).map(({ efficiency }) => efficiency);
  return { efficiency: efficiencies.length > 0 ? Math.min(...efficiencies) : null, fullSpeed, cameras: busy, idle };
}

async function atFullSpeed(
  cameras: number,
  scenes: Scenes,
  galleryFile: string,
  { config, env, logger, seconds, signal }: PipelineOptions,
): Promise<FlatOut> {
  const runs = new RunLog();
  const chain = await openFaceAnalyser(config, logger, {
    lowScore: config.tracks.lowScore,
    workers: inferenceWorkers(config.inference),
    onRun: (run) => runs.add(run),
    onOpen: (model) => runs.models.set(model.id, model),
  });
  const gallery = new LiveGallery({
    open: (create) => openGalleryStore(galleryFile, { logger, clock: systemClock, create }),
    encoders: chain.encoders,
    refreshMs: config.gallery.refreshMs,
    clock: systemClock,
    logger,
  });
  try {
    await gallery.start();
    const [clip = ''] = scenes.busy;
    return await runFlatOut({
      config,
      chain,
      runs,
      clip,
      cameras,
      seconds,
      gallery: gallery.current(),
      env,
      logger,
      signal,
    });
  } finally {
    await gallery.stop();
    await chain.close();
  }
}

async function enrolScene(
  scenes: Scenes,
  galleryFile: string,
  { config, logger, say, signal }: PipelineOptions,
): Promise<void> {
  const chain = await openFaceReader(config, logger);
  const store = openGalleryStore(galleryFile, { logger, clock: systemClock });
  try {
    const { refused } = await enrolPictures({
      pictures: (await findPictures(scenes.people)).pictures,
      store,
      decode: decodePicture,
      faces: chain.reader,
      encoders: chain.encoders,
      limits: config.enrolment,
      threshold: chain.sameFace,
      signal,
    });
    for (const { file, reason } of refused) say(`${file} is not enrolled: ${reason}`);
  } finally {
    store.close();
    await chain.close();
  }
}
