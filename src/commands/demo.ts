import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { createDaemon } from '../app.ts';
import { decodePicture } from '../capture/opencv-picture.ts';
import { loadConfig } from '../config/load.ts';
import { modelsInUse } from '../config/models-in-use.ts';
import { type Config, configSchema } from '../config/schema.ts';
import { systemClock } from '../core/clock.ts';
import { EyelineError } from '../core/errors.ts';
import { redactUrl } from '../core/redact.ts';
import { type IdentityEvent, identityEvent } from '../events/identity-event.ts';
import { MqttListener } from '../events/mqtt-listener.ts';
import { enrolPictures } from '../gallery/enrol.ts';
import { findPictures } from '../gallery/picture-files.ts';
import { openGalleryStore } from '../gallery/sqlite-gallery-store.ts';
import { createModelStore } from '../inference/store.ts';
import { createLogger } from '../platform/logger.ts';
import { openFaceAnalyser, openFaceReader } from '../wiring/open-faces.ts';
import type { CommandContext, RegisterCommand } from './command.ts';
import { CLIP, makeClip } from './demo/clip.ts';
import { EmbeddedBroker } from './demo/embedded-broker.ts';
import { CASTS, stagePeople } from './demo/people.ts';
import { describeEvent, tallyOf } from './demo/report.ts';
import { RtspServer } from './demo/rtsp-server.ts';

interface DemoOptions {
  readonly source?: string;
  readonly gallery?: string;
  readonly seconds: number;
  readonly config?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** Where the demo's parts are, and how to take them down, last built first. */
interface Stage {
  readonly folder: string;
  readonly undo: (() => Promise<void>)[];
}

const CAMERA = 'door';
/** Shorter than in the daemon, so that the same faces show up again within a minute. */
const COOLDOWN_MS = 15_000;
const LEAST_KNOWN = 2;
const LEAST_UNKNOWN = 1;

/** `eyeline demo`: the main job on embedded defaults, from an RTSP stream to events out of an MQTT broker. */
export const registerDemo: RegisterCommand = (program, context) => {
  program
    .command('demo')
    .description('show the main job: an RTSP stream, people recognised, events received over MQTT')
    .option('--source <source>', 'your own camera: rtsp://…, a file or /dev/videoN')
    .option('--gallery <dir>', 'your own people: a folder a person, with pictures of them')
    .option('--seconds <n>', 'how long to watch', seconds, 50)
    .option('-c, --config <file>', 'configuration for models, inference and recognition')
    .option('--json', 'print the events and the summary as JSON lines')
    .option('--verbose', 'print the daemon’s own log to standard error')
    .action(async (options: DemoOptions) => {
      const stage: Stage = { folder: await mkdtemp(join(tmpdir(), 'eyeline-demo-')), undo: [] };
      stage.undo.push(() => rm(stage.folder, { recursive: true, force: true }));
      try {
        await show(options, context, stage);
      } catch (error) {
        if (!context.signal.aborted) throw error;
      } finally {
        for (const undo of stage.undo.reverse()) await undo().catch((error) => context.warn(`demo: ${error}`));
      }
    });
};

async function show(options: DemoOptions, context: CommandContext, stage: Stage): Promise<void> {
  const say = (line: string) => (options.json ? context.warn(line) : context.print(line));
  const logger = createLogger({
    level: options.verbose ? 'info' : 'warn',
    destination: { write: (line) => context.warn(line.trimEnd()) },
  });
  const base = (await loadConfig({ ...(options.config ? { file: options.config } : {}), env: context.env })).config;
  const builtIn = options.source === undefined;

  say('Eyeline demo: a camera stream in, identity events out.');
  const store = await createModelStore({ dir: base.models.dir, extraManifest: base.models.manifest, logger });
  const photos = CASTS.map(({ photo }) => photo);
  const models = modelsInUse(base.models, (id) => store.entry(id).stages ?? []);
  await store.pull([...models, ...(builtIn ? photos : [])], { signal: context.signal });
  say(`  models   ${models.join(', ')} from ${base.models.dir}`);

  const gallery = { file: join(stage.folder, 'gallery.sqlite'), refreshMs: base.gallery.refreshMs };
  let source = options.source ?? '';
  let peopleDir = options.gallery;
  if (builtIn) {
    const faces = await openFaceAnalyser(base, logger);
    const staged = await stagePeople(faces.analyser, (photo) => store.file(photo), stage.folder);
    await faces.close();
    peopleDir ??= staged.peopleDir;
    const clip = join(stage.folder, 'clip.mkv');
    await makeClip(staged.scenes, clip, context.signal);
    const rtsp = new RtspServer({ streams: { [CAMERA]: clip } });
    stage.undo.push(() => rtsp.stop());
    await rtsp.start();
    source = rtsp.url(CAMERA);
    const length = CASTS.reduce((sum, { seconds: part }) => sum + part, 0);
    say(
      `  camera   ${source}: a real RTSP server plays ${length} s of H.264, ${CLIP.width}x${CLIP.height} at ${CLIP.fps} fps, over and over`,
    );
  } else {
    say(`  camera   ${redactUrl(source)}`);
  }
  say(`  people   ${await enrol(peopleDir, base, gallery.file, context, logger)}`);

  const broker = new EmbeddedBroker();
  stage.undo.push(() => broker.stop());
  const { url } = await broker.start();
  const events: IdentityEvent[] = [];
  const listener = new MqttListener({
    url,
    topic: 'eyeline/demo/event',
    protocolVersion: 4,
    connectTimeoutMs: 10_000,
    onMessage: (_topic, payload) => {
      const event = identityEvent.parse(JSON.parse(payload));
      events.push(event);
      if (options.json) context.print(payload);
      // Who has left is told 5 s after: among those who come it would only confuse.
      else if (event.type !== 'exit') context.print(describeEvent(event));
    },
  });
  stage.undo.push(() => listener.stop());
  await listener.start();
  say(`  broker   ${url}, embedded; what follows is what a subscriber of eyeline/demo/event receives`);
  if (builtIn) {
    const [first] = CASTS;
    const name = first?.masked ? first.enrolled[first.masked.face] : undefined;
    say(
      `  look     at who is named and who is not: strangers stay unknown; ${name} puts a mask on after ${first?.masked?.fromS} s`,
    );
  }
  say(`Watching for ${options.seconds} s (Ctrl-C ends it).`);

  const config = configSchema.parse({
    ...base,
    device: { id: 'demo', name: 'Demo' },
    cameras: [{ id: CAMERA, source, loop: true }],
    recognition: { ...base.recognition, cooldownMs: COOLDOWN_MS },
    gallery,
    mqtt: { url },
    events: { ...base.events, bufferFile: null },
    visitors: { ...base.visitors, file: join(stage.folder, 'visitors.sqlite') },
  });
  let frames = 0;
  const daemon = await createDaemon({ config, env: {}, logger, onFrame: () => frames++ });
  stage.undo.push(async () => {
    if (!(await daemon.stop())) context.endByForce();
  });
  await daemon.start();
  await systemClock.sleep(options.seconds * 1000, context.signal).catch(() => {});
  summarise(events, frames, builtIn && !options.gallery, options, context);
}

async function enrol(
  dir: string | undefined,
  config: Config,
  galleryFile: string,
  context: CommandContext,
  logger: Parameters<typeof openFaceReader>[1],
): Promise<string> {
  if (!dir) return 'nobody enrolled (--gallery DIR enrols a folder a person): everybody is unknown';
  const chain = await openFaceReader(config, logger);
  const gallery = openGalleryStore(galleryFile, { logger, clock: systemClock });
  try {
    const { enrolled, refused } = await enrolPictures({
      pictures: (await findPictures(dir)).pictures,
      store: gallery,
      decode: decodePicture,
      faces: chain.reader,
      encoders: chain.encoders,
      limits: config.enrolment,
      threshold: chain.sameFace,
      signal: context.signal,
    });
    for (const { file, reason } of refused) context.warn(`  ${file} was not enrolled: ${reason}`);
    const names = [...new Set(enrolled.map(({ person }) => person.name))];
    return `${names.join(', ')} enrolled from ${enrolled.length} pictures; everybody else is a stranger`;
  } finally {
    gallery.close();
    await chain.close();
  }
}

function summarise(
  events: readonly IdentityEvent[],
  frames: number,
  expectPeople: boolean,
  options: DemoOptions,
  context: CommandContext,
): void {
  const tally = tallyOf(events);
  if (options.json) context.print(JSON.stringify({ summary: { frames, ...tally } }));
  else {
    context.print('Summary');
    context.print(`  frames   ${frames} looked at`);
    context.print(`  events   ${tally.events} received over MQTT`);
    context.print(`  known    ${tally.known.length} people: ${tally.known.join(', ') || 'nobody'}`);
    context.print(`  unknown  ${tally.unknown} visitors`);
    if (tally.latencyMs) {
      context.print(
        `  latency  capture to decision: median ${tally.latencyMs.p50} ms, 95th percentile ${tally.latencyMs.p95} ms`,
      );
    }
  }
  const missed = tally.known.length < LEAST_KNOWN || tally.unknown < LEAST_UNKNOWN;
  if (!expectPeople || !missed || context.signal.aborted) return;
  throw new EyelineError(
    'DEMO_INCOMPLETE',
    `the demo shows at least ${LEAST_KNOWN} known people and ${LEAST_UNKNOWN} unknown, but saw ${tally.known.length} and ${tally.unknown}`,
  );
}

function seconds(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 1 || value > 86_400) throw new InvalidArgumentError('must be 1 to 86400');
  return value;
}
