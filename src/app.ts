import { type CameraStatus, CameraSupervisor } from './capture/camera-supervisor.ts';
import { cameraForker } from './capture/fork-camera.ts';
import type { Config } from './config/schema.ts';
import { type Clock, systemClock } from './core/clock.ts';
import { EyelineError } from './core/errors.ts';
import type { Size } from './core/geometry.ts';
import type { Logger } from './core/logger.ts';
import type { Person } from './core/person.ts';
import { type Camera, Daemon } from './daemon.ts';
import { type CommandedCamera, carryOut } from './events/device-commands.ts';
import { actorName } from './gallery/actor.ts';
import { graphFrom } from './gallery/gallery-templates.ts';
import { LiveGallery } from './gallery/live-gallery.ts';
import { openGalleryStore } from './gallery/sqlite-gallery-store.ts';
import { GallerySync } from './gallery/sync/gallery-sync.ts';
import { inferenceWorkers } from './inference/inference-pool.ts';
import { CameraPipeline, type FrameReport } from './pipeline/camera-pipeline.ts';
import { decisionParts } from './pipeline/decision-parts.ts';
import { warnOfLargeGallery } from './pipeline/large-gallery.ts';
import { adaptationReport, tellAdaptation } from './pipeline/tell-adaptation.ts';
import { readCredentials, readCropKey, readGalleryKey } from './platform/credentials.ts';
import { ProgressLedger } from './platform/health.ts';
import { Metrics } from './platform/metrics.ts';
import { MetricsServer } from './platform/metrics-server.ts';
import { PaceReporter } from './platform/pace.ts';
import { connectServiceManager } from './platform/systemd.ts';
import { hottestC } from './platform/temperature.ts';
import { Watchdog } from './platform/watchdog.ts';
import { CropStore } from './privacy/crop-store.ts';
import { SnapshotDesk } from './privacy/snapshot-desk.ts';
import { createPublisher } from './wiring/create-publisher.ts';
import { openFaceAnalyser } from './wiring/open-faces.ts';
import { openFleetMember, reportsOf, syncCommand } from './wiring/open-fleet-member.ts';
import { erasable, openVisitors } from './wiring/open-visitors.ts';
import { ZoneWatch } from './zones/zone-watch.ts';

/** A command for a picture waits for a frame as long. */
const SNAPSHOT_TIMEOUT_MS = 15_000;
/** How often health and status are looked at where no service manager sets the pace. */
const CHECK_EVERY_MS = 5000;

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
  const decisions = decisionParts(config, faces);
  const visitors = config.visitors.enabled
    ? openVisitors(config, galleryKey, decisions.sameVisitor, logger, clock)
    : null;
  const gallery = new LiveGallery({
    open: (create) =>
      openGalleryStore(config.gallery.file, { logger, clock, create, key: galleryKey, actor: actorName('daemon') }),
    encoders: faces.encoders,
    bestOf: config.gallery.bestOf,
    graphFrom: graphFrom(config.gallery.index),
    onDeleted: (ids) => (visitors ?? erasable(config, galleryKey, logger, clock)).erasePeople(ids),
    refreshMs: config.gallery.refreshMs,
    clock,
    logger,
  });
  const member = await openFleetMember(config, env, logger, {
    clock,
    key: galleryKey,
    encoder: faces.encoder.fingerprint,
  });
  const tellAlike = tellAdaptation(logger);
  gallery.onChange((snapshots) => {
    const { version, people, templateCount } = snapshots;
    const alike = decisions.adapt(snapshots).map((it) => adaptationReport(it));
    if (config.recognition.adaptToGallery) tellAlike(alike, people.length);
    const encoder = faces.encoder.fingerprint;
    const syncedAtMs = member?.state()?.syncedAtMs ?? null;
    publisher?.setGallery({ version, people: people.length, templates: templateCount, encoder, syncedAtMs, alike });
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
        onReport: reportsOf(member, (report) => publisher?.setGallerySync(report)),
      })
    : null;
  if (sync) publisher?.onAnnouncement((text) => sync.announce(text));

  gallery.onChange(warnOfLargeGallery(logger, decisions.falseAcceptRate, decisions.templatesMeasured));
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
      scores: decisions.scores,
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
    clock,
  });
}

/** A JPEG of RGB bytes. OpenCV comes into the daemon's own process with the first one: most daemons take none. */
async function encodeSnapshot(rgb: Uint8Array, size: Size): Promise<Uint8Array> {
  const { encodeJpeg } = await import('./capture/opencv-picture.ts');
  return encodeJpeg(rgb, size);
}
