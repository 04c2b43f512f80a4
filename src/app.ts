import { readFile } from 'node:fs/promises';
import { type CameraStatus, CameraSupervisor } from './capture/camera-supervisor.ts';
import { cameraForker } from './capture/fork-camera.ts';
import type { Config } from './config/schema.ts';
import { type Clock, systemClock } from './core/clock.ts';
import { EyelineError, messageOf } from './core/errors.ts';
import type { Size } from './core/geometry.ts';
import type { Logger } from './core/logger.ts';
import type { FacePart, Person } from './core/person.ts';
import type { Picture } from './core/picture.ts';
import { type Camera, Daemon } from './daemon.ts';
import { CommandError } from './events/command.ts';
import { type CommandedCamera, carryOut } from './events/device-commands.ts';
import { MqttEventPublisher, type MqttEventPublisherOptions } from './events/mqtt-event-publisher.ts';
import { openEventSpool, type SqliteEventSpool } from './events/sqlite-event-spool.ts';
import type { FaceDetector } from './faces/detect.ts';
import { type OpenModel, openDetector } from './faces/detectors/open-detector.ts';
import { secondLookDetector } from './faces/detectors/second-look-detector.ts';
import {
  createFaceAnalyser,
  type Face,
  type FaceAnalyser,
  type FaceEmbedding,
  type PartEncoder,
} from './faces/face-analyser.ts';
import { cropEmbedder, type FaceEmbedder, frameEmbedder } from './faces/face-embedder.ts';
import { openLandmarker } from './faces/landmarkers/open-landmarker.ts';
import { createLivenessAssessor, LIVENESS_FAMILIES, type LivenessAssessor } from './faces/liveness.ts';
import { maskAssessor } from './faces/mask-state.ts';
import { type ScoreCalibration, sameFaceScore } from './faces/score-calibration.ts';
import { actorName } from './gallery/actor.ts';
import type { FaceReader } from './gallery/enrol.ts';
import { LiveGallery } from './gallery/live-gallery.ts';
import { openGalleryStore } from './gallery/sqlite-gallery-store.ts';
import { openVisitorStore } from './gallery/sqlite-visitor-store.ts';
import { GallerySync } from './gallery/sync/gallery-sync.ts';
import { type FleetMember, type JoinOptions, joinFleet } from './gallery/sync/join-fleet.ts';
import type { FaceCrop } from './gallery/template.ts';
import type { SameVisitor } from './gallery/visitor.ts';
import { createVisitorLog } from './gallery/visitor-log.ts';
import { alignmentWay } from './inference/alignment-way.ts';
import { checkAligning } from './inference/check-aligning.ts';
import { InferencePool, inferenceWorkers } from './inference/inference-pool.ts';
import { calibrationOf, readCalibrations } from './inference/manifest-calibration.ts';
import { type BatcherOptions, ModelBatcher } from './inference/model-batcher.ts';
import { openOnnxModel } from './inference/onnxruntime-model.ts';
import { createModelStore, type ModelStore } from './inference/store.ts';
import type { BatchModel } from './inference/vision-model.ts';
import { CameraPipeline, type FrameReport } from './pipeline/camera-pipeline.ts';
import { decisionParts } from './pipeline/decision-parts.ts';
import { warnOfLargeGallery } from './pipeline/large-gallery.ts';
import { readBundleKeys, readCredentials, readCropKey, readGalleryKey, readSecret } from './platform/credentials.ts';
import { ProgressLedger } from './platform/health.ts';
import { Metrics } from './platform/metrics.ts';
import { MetricsServer } from './platform/metrics-server.ts';
import { PaceReporter } from './platform/pace.ts';
import { connectServiceManager } from './platform/systemd.ts';
import { hottestC } from './platform/temperature.ts';
import { packageVersion } from './platform/version.ts';
import { Watchdog } from './platform/watchdog.ts';
import { CropStore } from './privacy/crop-store.ts';
import { SnapshotDesk } from './privacy/snapshot-desk.ts';
import { ZoneWatch } from './zones/zone-watch.ts';

/** A command for a picture waits for a frame as long. */
const SNAPSHOT_TIMEOUT_MS = 15_000;
const DAY_MS = 86_400_000;
/** How often health and status are looked at where no service manager sets the pace. */
const CHECK_EVERY_MS = 5000;

export interface EncoderInUse {
  readonly id: string;
  readonly fingerprint: string;
  readonly dimension: number;
  readonly part: FacePart;
  /** What its scores mean; empty where nobody measured it. */
  readonly calibration: ScoreCalibration;
}

/** The chain from pictures to embeddings with its models open. */
export interface OpenFaceAnalyser {
  readonly analyser: FaceAnalyser;
  /** The chain for one of several users at a time (a camera): what they ask for shares batches, in fair turns. */
  lane(name: string): FaceAnalyser;
  /** Size of the picture the detector takes. */
  readonly detectorInput: Size;
  /** Side of the aligned crop the encoder takes. */
  readonly cropSize: number;
  /** The full-face one. */
  readonly encoder: EncoderInUse;
  /** All encoders in use, the full-face one first. */
  readonly encoders: readonly EncoderInUse[];
  /** Tells faces from pictures of faces, for one user; null where that is not asked for. */
  readonly liveness: ((lane: string) => LivenessAssessor) | null;
  /** Rejects with INFERENCE_FAILED when the models cannot run any more. */
  readonly failed: Promise<never>;
  close(): Promise<void>;
}

export interface ChainOptions {
  readonly clock?: Clock;
  /** Where runs, which block their thread, take place: in a thread of their own (the default), or in the caller's. */
  readonly runIn?: 'own-thread' | 'this-thread';
  /** Where faces are followed: what the detector is less sure of is given too; `detection.minScore` otherwise. */
  readonly lowScore?: number;
  /** How pictures share runs; what fits the models' timings when left out. */
  readonly policy?: BatcherOptions['policy'];
  /** Whether the models that tell faces from pictures of faces are opened too. */
  readonly liveness?: boolean;
  /** Threads with a copy of the models each; one when left out, which is enough for whoever asks for one thing at a time. */
  readonly workers?: number;
  /** Told of every run of a model. */
  readonly onRun?: BatcherOptions['onRun'];
  /** Told of every model that was opened: for whoever measures it bare. */
  readonly onOpen?: (model: BatchModel) => void;
}

/**
 * Opens the configured models.
 * Throws MODEL_MISSING, MODEL_CORRUPT, MODEL_UNKNOWN, MODEL_UNSUPPORTED, PROVIDER_UNAVAILABLE, INFERENCE_FAILED.
 */
export async function openFaceAnalyser(
  config: Pick<Config, 'models' | 'inference' | 'detection'>,
  logger: Logger,
  {
    clock = systemClock,
    runIn = 'own-thread',
    lowScore = config.detection.minScore,
    policy,
    onRun,
    onOpen,
    liveness = false,
    workers = 1,
  }: ChainOptions = {},
): Promise<OpenFaceAnalyser> {
  const store = await createModelStore({ dir: config.models.dir, extraManifest: config.models.manifest, logger });
  const threads = new InferencePool(workers, logger);
  const opened: { close(): Promise<void> }[] = [];
  const close = async () => {
    await Promise.allSettled(opened.map((model) => model.close()));
    await threads.close();
  };
  const open = async (id: string) => {
    const model =
      runIn === 'own-thread'
        ? await threads.open(store, id, config.inference)
        : await openOnnxModel(store, id, { ...config.inference, logger });
    onOpen?.(model);
    const batcher = new ModelBatcher(model, clock, { ...(policy && { policy }), ...(onRun && { onRun }) });
    const { maxBatch, maxWaitMs } = batcher.policy;
    logger.debug({ model: id, maxBatch, maxWaitMs }, `model ${id} takes batches of up to ${maxBatch}`);
    opened.push(batcher);
    return batcher;
  };
  try {
    const shared = new Map<string, Promise<ModelBatcher>>();
    // A network may have several parts: MTCNN's last finds faces, and their landmarks as well.
    const openOnce: OpenModel = (id) => {
      const model = shared.get(id) ?? open(id);
      shared.set(id, model);
      return model;
    };
    const { secondDetector } = config.models;
    const firstOf = await openDetector(store.entry(config.models.detector), openOnce);
    const secondOf = secondDetector === null ? null : await openDetector(store.entry(secondDetector), openOnce);
    const landmarkerOf = await openLandmarker(store.entry(config.models.landmarks), openOnce);
    const measured = await readCalibrations(config.models.calibration);
    const { maskState, upperEncoder } = config.models;
    const masks = maskState === null ? null : await openOnce(maskState);
    const openEncoder = async (key: 'encoder' | 'upperEncoder', id: string, part: FacePart): Promise<OpenEncoder> => {
      const { dimension, minNorm } = encoderEntry(store, key, id, part);
      const encoder = await open(id);
      const { fingerprint, input, provider } = encoder.lane('');
      let aligning: FaceEmbedder | null = null;
      if (alignmentWay(config.inference.alignment, provider) === 'graph') {
        const { providers } = config.inference;
        const usable = providers.slice(providers.indexOf(provider));
        const model = await threads.openAligning(store, id, { ...config.inference, providers: usable });
        await checkAligning(encoder.lane(''), model);
        // What takes whole frames is used instead of the encoder, not beside it.
        await encoder.close();
        opened.splice(opened.indexOf(encoder), 1, model);
        aligning = frameEmbedder(model);
        logger.info({ model: id, provider }, `model ${id} aligns faces in its graph`);
      }
      const calibration = calibrationOf(store.entry(id), fingerprint, measured);
      return {
        inUse: { id, fingerprint, dimension, part, calibration },
        width: input.width,
        lane: (name) => ({ part, minNorm, embedder: aligning ?? cropEmbedder(encoder.lane(name)) }),
      };
    };
    const full = await openEncoder('encoder', config.models.encoder, 'full');
    const upper = upperEncoder === null ? null : await openEncoder('upperEncoder', upperEncoder, 'upper');
    const spoofing = liveness
      ? await Promise.all(
          config.models.liveness.map(async (id) => {
            const { role, family } = store.entry(id);
            if (role !== 'liveness') {
              throw new EyelineError('MODEL_UNSUPPORTED', `models.liveness: ${id} is no liveness model`);
            }
            const way = LIVENESS_FAMILIES[family === 'human-antispoof' ? family : 'minifasnet'];
            return { ...way, model: await open(id) };
          }),
        )
      : [];
    const lively = liveness
      ? (name: string) =>
          createLivenessAssessor(spoofing.map(({ model, extent, live }) => ({ model: model.lane(name), extent, live })))
      : null;
    const detectorOf = (name: string): FaceDetector => {
      const { secondLook, ...detection } = config.detection;
      if (!secondOf) return firstOf(name, { ...detection, lowScore });
      return secondLookDetector({
        first: firstOf(name, { ...detection, lowScore: Math.min(lowScore, secondLook.fromScore) }),
        second: secondOf(name, { ...detection, minScore: secondLook.minScore }),
        minScore: detection.minScore,
        fromScore: secondLook.fromScore,
        lowScore,
      });
    };
    const lane = (name: string) =>
      createFaceAnalyser({
        detector: detectorOf(name),
        landmarker: landmarkerOf(name),
        maskAssessor: masks && maskAssessor(masks.lane(name)),
        alignment: config.models.alignBy,
        encoder: full.lane(name),
        upperEncoder: upper?.lane(name) ?? null,
      });
    return {
      analyser: lane(''),
      lane,
      detectorInput: detectorOf('').input,
      cropSize: full.width,
      encoder: full.inUse,
      encoders: upper ? [full.inUse, upper.inUse] : [full.inUse],
      liveness: lively,
      failed: threads.failed,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

interface OpenEncoder {
  readonly inUse: EncoderInUse;
  readonly width: number;
  lane(name: string): PartEncoder;
}

/** What the manifest says of an encoder. Throws MODEL_UNKNOWN, MODEL_UNSUPPORTED when it is none, or for another part. */
function encoderEntry(store: ModelStore, key: string, id: string, part: FacePart) {
  const { embedding: dimension, part: made = 'full', minNorm = 0 } = store.entry(id);
  if (dimension === undefined) throw new EyelineError('MODEL_UNSUPPORTED', `models.${key}: ${id} is not an encoder`);
  if (made !== part) {
    throw new EyelineError('MODEL_UNSUPPORTED', `models.${key}: ${id} is an encoder for part: ${made}, not ${part}`);
  }
  return { dimension, minNorm };
}

/** The chain as enrolment uses it: all faces of a picture, embedded. Throws as {@link openFaceAnalyser} does. */
export async function openFaceReader(
  config: Pick<Config, 'models' | 'inference' | 'detection' | 'gallery'>,
  logger: Logger,
): Promise<{
  reader: FaceReader;
  /** Embeds a face that was cut out and aligned before by every encoder in use; what is no face to one is left out. */
  embedCrop(crop: FaceCrop): Promise<readonly FaceEmbedding[]>;
  encoders: readonly EncoderInUse[];
  /** Score of the first encoder from which two faces are taken for one person; null when it is not calibrated. */
  sameFace: number | null;
  close(): Promise<void>;
}> {
  const { analyser, encoder, encoders, cropSize, close } = await openFaceAnalyser(config, logger);
  const cropsOf = async (picture: Picture, faces: readonly Face[]): Promise<FaceCrop[]> => {
    if (!config.gallery.keepCrops) return [];
    const size = { width: cropSize, height: cropSize, colour: 'rgb' } as const;
    const crops = await picture.cut(faces.map(({ alignment }) => ({ matrix: alignment, ...size })));
    return crops.map((rgb) => ({ side: cropSize, rgb }));
  };
  const reader: FaceReader = {
    async read(picture) {
      const faces = await analyser.describe(picture, await analyser.detect(picture));
      const embeddings = await analyser.embedByAll(picture, faces);
      const crops = await cropsOf(picture, faces);
      return faces.flatMap((face, index) => {
        const ofFace = embeddings[index] ?? [];
        // What is no face to the full-face encoder is none.
        return ofFace[0]?.part === 'full' ? [{ ...face, embeddings: ofFace, crop: crops[index] }] : [];
      });
    },
  };
  const embedCrop = async ({ side, rgb }: FaceCrop) => {
    const { rgbPicture } = await import('./capture/opencv-picture.ts');
    const picture = rgbPicture(rgb, { width: side, height: side });
    try {
      const scale = cropSize / side;
      const [embeddings = []] = await analyser.embedByAll(picture, [{ alignment: [scale, 0, 0, 0, scale, 0] }]);
      return embeddings;
    } finally {
      picture.release();
    }
  };
  return { reader, embedCrop, encoders, sameFace: sameFaceScore(encoder.calibration, 'none'), close };
}

export interface DaemonOptions {
  readonly config: Config;
  readonly env: NodeJS.ProcessEnv;
  readonly logger: Logger;
  readonly clock?: Clock;
  readonly random?: () => number;
  /** Told of every frame looked at. */
  readonly onFrame?: (report: FrameReport) => void;
}

/**
 * Builds the daemon from its configuration; opens models, starts nothing.
 * Throws the errors of {@link openFaceAnalyser}, SECRET_UNREADABLE and CONFIG_INVALID.
 */
export async function createDaemon(options: DaemonOptions): Promise<Daemon> {
  const { config, env, logger, clock = systemClock, random = Math.random } = options;
  const ledger = new ProgressLedger(clock, config.health.stallAfterMs);
  const manager = await connectServiceManager(env, logger);
  const publisher = config.mqtt.enabled ? await createPublisher(config, env, logger, clock, random) : null;
  const metrics = new Metrics();
  const faces = await openFaceAnalyser(config, logger, {
    clock,
    lowScore: config.tracks.lowScore,
    liveness: config.recognition.liveness !== 'off',
    workers: inferenceWorkers(config.inference),
    onRun: (run) => metrics.run(run),
  });
  const galleryKey = await readGalleryKey(config, env, (message) => logger.warn({ part: 'gallery' }, message));
  const gallery = new LiveGallery({
    open: (create) =>
      openGalleryStore(config.gallery.file, { logger, clock, create, key: galleryKey, actor: actorName('daemon') }),
    encoders: faces.encoders,
    bestOf: config.gallery.bestOf,
    refreshMs: config.gallery.refreshMs,
    clock,
    logger,
  });
  const member = await openFleetMember(config, env, logger, {
    clock,
    key: galleryKey,
    encoder: faces.encoder.fingerprint,
  });
  gallery.onChange(({ version, people, templateCount }) => {
    const encoder = faces.encoder.fingerprint;
    const syncedAtMs = member?.state()?.syncedAtMs ?? null;
    publisher?.setGallery({ version, people: people.length, templates: templateCount, encoder, syncedAtMs });
  });
  const sync = member
    ? new GallerySync({
        source: member.source,
        takeOver: member.takeOver,
        state: member.state,
        ...config.gallery.sync,
        clock,
        random,
        logger,
        onReport: (report) =>
          publisher?.setGallerySync({
            ...report,
            deviceKey: member.deviceKey,
            receipt: member.receipts().at(-1) ?? null,
          }),
      })
    : null;
  if (sync) publisher?.onAnnouncement((text) => sync.announce(text));

  const decisions = decisionParts(config, faces.encoders);
  gallery.onChange(warnOfLargeGallery(logger, decisions.falseAcceptRate, decisions.templatesMeasured));
  const visitors = config.visitors.enabled
    ? openVisitors(config, galleryKey, decisions.sameVisitor, logger, clock)
    : null;
  const isIgnored = (person: Person | null) => person !== null && config.privacy.ignore.includes(person.id);
  const cropKey = await readCropKey(config, env, (message) => logger.warn({ part: 'privacy' }, message));
  const { days, folder } = config.privacy.crops;
  const crops =
    folder && cropKey ? new CropStore({ folder, key: cropKey, days, encode: encodeSnapshot, clock, logger }) : null;
  const pace = new PaceReporter({
    cameras: config.cameras.map(({ id }) => id),
    everyMs: config.mqtt.diagnosticsMs,
    report: async (cameras) => {
      publisher?.tellDiagnostics({ temperatureC: await hottestC(), cameras });
      await crops?.purge();
    },
    clock,
    logger,
  });
  const spawn = cameraForker(env);
  const settings = { cooldownMs: config.recognition.cooldownMs, minQuality: config.recognition.minQuality };
  const commanded = new Map<string, CommandedCamera>();
  const cameras: Camera[] = [];
  const supervisors = new Map<string, CameraSupervisor>();
  const statuses = new Map<string, CameraStatus>();
  const tellStatus = () => {
    const online = [...statuses.values()].filter((status) => status === 'online').length;
    manager.status(`${online} of ${config.cameras.length} cameras online`);
  };
  for (const camera of config.cameras) {
    const warn = (message: string) => logger.warn({ camera: camera.id }, message);
    const part = `camera ${camera.id}`;
    const supervisor = new CameraSupervisor({
      camera: { ...camera, credentials: await readCredentials(camera, env, warn) },
      detectorInput: faces.detectorInput,
      retry: config.capture.retry,
      clock,
      random,
      logger,
      spawn,
      onAlive: () => ledger.report(part),
      onEnded: () => ledger.forget(part),
      onStatus: (status) => {
        // A camera that is switched off owes no sign of life.
        if (status === 'disabled') ledger.forget(part);
        statuses.set(camera.id, status);
        publisher?.setCameraStatus(camera.id, status);
        publisher?.setCameraEnabled(camera.id, status !== 'disabled');
        if (status !== 'online') publisher?.setPersonPresent(camera.id, false);
        tellStatus();
      },
    });
    const desk = new SnapshotDesk(encodeSnapshot);
    const pipeline = new CameraPipeline({
      camera: camera.id,
      analyser: faces.lane(camera.id),
      tracker: decisions.tracker(),
      visits: decisions.visits(settings),
      gallery: () => (visitors ? { ...gallery.current(), denials: () => visitors.log.denials() } : gallery.current()),
      calibrations: decisions.calibrations,
      falseAcceptRate: decisions.falseAcceptRate,
      liveness: faces.liveness?.(camera.id) ?? null,
      visitors: visitors?.log ?? null,
      get minQuality() {
        return settings.minQuality;
      },
      zones: new ZoneWatch(camera.zones, camera.lines),
      ...(config.privacy.snapshots || crops
        ? {
            spectator: {
              pass: (frame) => desk.pass(frame),
              announced: async (frame, box, { person, track }) => {
                if (!isIgnored(person)) await crops?.keep(frame, box, track);
              },
            },
          }
        : {}),
      publish: (draft) => {
        const { camera: where, track, type, decision, person, score } = draft;
        if (isIgnored(person)) return;
        logger.info({ camera: where, track, type, decision, person: person?.id ?? null, score }, 'identity');
        if (type !== 'exit') metrics.decision(where, decision);
        publisher?.publishIdentity(draft);
      },
      ...(config.events.attempts && {
        onAttempt: ({ person, matches, ...report }) => {
          const told = (id: string) => !config.privacy.ignore.includes(id);
          publisher?.tellAttempt({
            ...report,
            person: person !== null && told(person) ? person : null,
            matches: matches.filter((match) => told(match.person)),
          });
        },
      }),
      attend: (forMs) => supervisor.attend(forMs),
      // A frame in work owes progress: a model that hangs must not go unnoticed.
      onWork: (frames) =>
        frames > 0 ? ledger.report(`frame of ${camera.id}`) : ledger.forget(`frame of ${camera.id}`),
      onFrame: (report) => {
        metrics.frame(report);
        pace.frame(report);
        publisher?.setPersonPresent(camera.id, report.present);
        options.onFrame?.(report);
      },
      clock,
      logger,
    });
    cameras.push({ id: camera.id, supervisor, pipeline });
    supervisors.set(camera.id, supervisor);
    commanded.set(camera.id, {
      setEnabled: (enabled) => supervisor.setEnabled(enabled),
      snapshot: async () => {
        const { jpeg, ...facts } = await desk.take(AbortSignal.timeout(SNAPSHOT_TIMEOUT_MS));
        return { topic: publisher?.sendSnapshot(camera.id, jpeg) ?? '', ...facts };
      },
    });
  }
  metrics.watchCameras(supervisors);
  publisher?.onCameraEnabled((id, enabled) => supervisors.get(id)?.setEnabled(enabled));
  publisher?.onCommand((request) =>
    carryOut(request, {
      cameras: commanded,
      snapshots: config.privacy.snapshots,
      syncGallery: sync && syncCommand(sync),
      deny: visitors && ((track, person) => visitors.deny(track, person)),
      settings,
    }),
  );

  let fail: (error: EyelineError) => void = () => {};
  const stalled = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const failed = Promise.race([stalled, faces.failed]);
  // Nobody may be listening, and a rejection without a listener would end the process without a word.
  failed.catch(() => {});
  const watchdog = new Watchdog({
    clock,
    ledger,
    manager,
    logger,
    checkEveryMs: CHECK_EVERY_MS,
    onStalled: (parts) => {
      if (manager.watchdogMs === null) fail(new EyelineError('STALE_PROGRESS', `no progress: ${parts.join(', ')}`));
    },
  });
  const { host, port } = config.metrics;
  const metricsServer = port === null ? null : new MetricsServer({ host, port, metrics, logger });
  return new Daemon({
    logger,
    cameras,
    models: {
      close: async () => {
        visitors?.close();
        await faces.close();
      },
    },
    gallery,
    sync,
    publisher,
    metrics: metricsServer,
    pace,
    manager,
    watchdog,
    failed,
  });
}

/**
 * The device's part in a fleet; null when it belongs to none.
 * Throws SYNC_NOT_CONFIGURED, SECRET_UNREADABLE, GALLERY_KEY_INVALID, BUNDLE_KEY_INVALID, GALLERY_UNREADABLE.
 */
export async function openFleetMember(
  config: Config,
  env: NodeJS.ProcessEnv,
  logger: Logger,
  options: Pick<JoinOptions, 'clock' | 'key' | 'encoder' | 'newMaster'>,
): Promise<FleetMember | null> {
  const { proxy, timeoutMs, trust, url } = config.gallery.sync;
  if (url === null) return null;
  const { file } = config.gallery;
  const { clock, key } = options;
  return joinFleet({
    ...options,
    url,
    trust,
    proxy,
    idleMs: timeoutMs,
    env,
    bodyKeys: await readBundleKeys(config, env, (message) => logger.warn({ part: 'gallery' }, message)),
    site: config.device.site,
    device: config.device.id,
    file,
    open: () => openGalleryStore(file, { logger, clock, key, actor: actorName('sync') }),
  });
}

/** The command over MQTT. */
function syncCommand(sync: GallerySync): () => Promise<{ version: number }> {
  return async () => {
    const { message, state, version } = await sync.syncNow();
    if (version !== null && (state === 'current' || state === 'held')) return { version };
    throw new CommandError('NOT_AVAILABLE', `the gallery was not taken over: ${message ?? 'nothing is published'}`);
  };
}

/** The log of visitors over its store, which stays open as long as the process. Throws GALLERY_UNREADABLE. */
function openVisitors(
  { visitors }: Config,
  key: Uint8Array | undefined,
  sameVisitor: SameVisitor,
  logger: Logger,
  clock: Clock,
) {
  const limits = { maxVisitors: visitors.max, keepMs: visitors.keepDays * DAY_MS };
  const store = openVisitorStore(visitors.file, { logger, clock, limits, key });
  return {
    log: createVisitorLog(store, sameVisitor, logger),
    deny: (track: string, person?: string) => store.deny(track, person),
    close: () => store.close(),
  };
}

/** A JPEG of RGB bytes. OpenCV comes into the daemon's own process with the first one: most daemons take none. */
async function encodeSnapshot(rgb: Uint8Array, size: Size): Promise<Uint8Array> {
  const { encodeJpeg } = await import('./capture/opencv-picture.ts');
  return encodeJpeg(rgb, size);
}

/** How to reach the broker: what the configuration says, with secrets and certificates read. */
export async function readMqttAccess(
  { mqtt }: Pick<Config, 'mqtt'>,
  env: NodeJS.ProcessEnv,
  warn: (message: string) => void,
): Promise<Pick<MqttEventPublisherOptions, 'url' | 'username' | 'password' | 'tls' | 'connectTimeoutMs'>> {
  const { connectTimeoutMs, password, tls, url, username } = mqtt;
  return {
    url,
    username,
    password: password === null ? null : await readSecret(password, env, warn),
    connectTimeoutMs,
    tls: {
      ca: await readPem(tls.caFile, 'mqtt.tls.caFile'),
      cert: await readPem(tls.certFile, 'mqtt.tls.certFile'),
      key: await readPem(tls.keyFile, 'mqtt.tls.keyFile'),
      passphrase: tls.keyPassword === null ? null : await readSecret(tls.keyPassword, env, warn),
      verify: tls.verify,
    },
  };
}

async function createPublisher(
  config: Config,
  env: NodeJS.ProcessEnv,
  logger: Logger,
  clock: Clock,
  random: () => number,
): Promise<MqttEventPublisher> {
  const { mqtt, device, events } = config;
  return new MqttEventPublisher({
    ...(await readMqttAccess(config, env, (message) => logger.warn({ part: 'mqtt' }, message))),
    clientId: mqtt.clientId,
    prefix: mqtt.prefix,
    keepAliveS: mqtt.keepAliveS,
    protocolVersion: 'auto',
    reconnect: mqtt.reconnect,
    device,
    site: config.gallery.sync.url === null ? null : device.site,
    version: packageVersion(),
    cameras: config.cameras.map(({ id, name, enabled }) => ({ id, name, enabled })),
    homeAssistant: {
      enabled: mqtt.homeAssistant.enabled,
      prefix: mqtt.homeAssistant.prefix,
      lastPersonS: Math.ceil(mqtt.homeAssistant.lastPersonMs / 1000),
      diagnosticsS: Math.ceil(mqtt.diagnosticsMs / 1000),
      temperature: (await hottestC()) !== null,
      snapshots: config.privacy.snapshots && mqtt.commands.includes('snapshot'),
    },
    commands: mqtt.commands,
    expireAfterMs: events.expireAfterMs,
    bufferMax: events.bufferMax,
    maxAgeMs: events.bufferDays * DAY_MS,
    spool: openSpool(events.bufferFile, device.id, logger),
    clock,
    random,
    logger,
  });
}

/** A door must not wait for a database: where it cannot be used, events are kept in memory. */
function openSpool(file: string | null, device: string, logger: Logger): SqliteEventSpool | null {
  if (file === null) return null;
  try {
    return openEventSpool(file, device, logger);
  } catch (error) {
    const { code, help } = error instanceof EyelineError ? error : { code: undefined, help: undefined };
    logger.error({ code, help }, `${messageOf(error)}; events are kept in memory alone`);
    return null;
  }
}

async function readPem(file: string | null, key: string): Promise<Buffer | null> {
  if (file === null) return null;
  try {
    return await readFile(file);
  } catch (error) {
    throw new EyelineError('SECRET_UNREADABLE', `${key}: ${file} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
