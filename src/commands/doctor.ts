import { existsSync } from 'node:fs';
import { loadOpencv } from '../capture/opencv.ts';
import { loadConfig } from '../config/load.ts';
import { modelsInUse } from '../config/models-in-use.ts';
import type { Config } from '../config/schema.ts';
import { systemClock } from '../core/clock.ts';
import { EyelineError, messageOf } from '../core/errors.ts';
import { silentLogger } from '../core/logger.ts';
import { redact, redactUrl } from '../core/redact.ts';
import { MqttListener } from '../events/mqtt-listener.ts';
import { openGalleryStore } from '../gallery/sqlite-gallery-store.ts';
import type { PersonRecord } from '../gallery/template.ts';
import { fingerprintOf } from '../inference/manifest.ts';
import { probeProviders } from '../inference/onnxruntime-model.ts';
import { createModelStore } from '../inference/store.ts';
import { readGalleryKey } from '../platform/credentials.ts';
import { loadReleasePages, nativePart } from '../platform/native-parts.ts';
import { packageVersion } from '../platform/version.ts';
import { readMqttAccess } from '../wiring/create-publisher.ts';
import { probeCamera } from './camera-probe.ts';
import type { RegisterCommand } from './command.ts';

/** So many people at most are named in a finding. */
const NAMED = 10;

interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'warning' | 'failure';
  readonly detail: string;
  /** What to do, where something is wrong. */
  readonly help?: string;
  readonly exitCode?: number;
}

/** `eyeline doctor`: looks at everything the daemon needs, and says what to do about what is missing. */
export const registerDoctor: RegisterCommand = (program, { env, exitWith, print, signal }) => {
  program
    .command('doctor')
    .description('check this machine, the configuration, models, providers, gallery, broker and cameras')
    .option('-c, --config <file>', 'configuration file (config/eyeline.yaml where there is one)')
    .option('--no-cameras', 'leave the cameras alone')
    .option('--json', 'print the findings as JSON')
    .action(async (options: { config?: string; cameras: boolean; json?: boolean }) => {
      const findings: Finding[] = [];
      const note = (finding: Finding) => {
        findings.push(finding);
        if (options.json) return;
        const mark = { ok: 'ok     ', warning: 'warning', failure: 'FAILURE' }[finding.state];
        print(`${mark}  ${finding.check.padEnd(11)} ${finding.detail}`);
        if (finding.help) print(`                     ${finding.help}`);
      };
      const check = async (name: string, look: () => Promise<Omit<Finding, 'check'>>) => {
        note({ check: name, ...(await look().catch(failure)) });
      };

      await check('machine', async () => {
        const memory = Math.round(process.constrainedMemory() / 2 ** 20);
        const limit = memory > 0 && memory < 2 ** 30 ? `, ${memory} MB` : '';
        return ok(`Eyeline ${packageVersion()}, Node ${process.version}, ${process.platform}-${process.arch}${limit}`);
      });
      await check('opencv', async () => describeOpencv());
      await check('native', async () => describeNativeParts());
      let config: Config | null = null;
      await check('config', async () => {
        const loaded = await loadConfig({ ...(options.config ? { file: options.config } : {}), env });
        config = loaded.config;
        const { source, warnings } = loaded;
        return warnings.length > 0 ? { state: 'warning', detail: `${source}: ${warnings.join('; ')}` } : ok(source);
      });
      if (config) await checkWith(config, options.cameras, env, signal, check);
      await check('systemd', async () =>
        ok(env.NOTIFY_SOCKET ? 'tells the service manager' : 'not started by systemd'),
      );

      const failed = findings.find(({ state }) => state === 'failure');
      if (options.json) print(JSON.stringify({ ok: !failed, findings }, null, 2));
      exitWith(failed ? (failed.exitCode ?? 1) : 0);
    });
};

async function checkWith(
  config: Config,
  cameras: boolean,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
  check: (name: string, look: () => Promise<Omit<Finding, 'check'>>) => Promise<void>,
): Promise<void> {
  const { dir, manifest: extraManifest } = config.models;
  await check('models', async () => {
    const store = await createModelStore({ dir, extraManifest, logger: silentLogger });
    const used = modelsInUse(config.models, (id) => store.entry(id).stages ?? []);
    await store.verify(used);
    return ok(`${used.join(', ')} in ${dir}`);
  });
  await check('inference', async () => {
    const probes = await probeProviders(config.inference.providers, config.inference.device);
    const used = probes.find(({ works }) => works);
    const detail = probes.map(({ provider, works, reason }) => `${provider} ${works ? 'works' : reason}`).join('; ');
    if (!used) throw new EyelineError('PROVIDER_UNAVAILABLE', detail);
    if (used === probes[0]) return ok(`${detail}: models run on ${used.provider}`);
    return { state: 'warning', detail: `${detail}: models run on ${used.provider}` };
  });
  await check('gallery', async () => {
    const { file } = config.gallery;
    if (!existsSync(file))
      return { state: 'warning', detail: `${file}: nobody enrolled yet`, help: 'eyeline enroll DIR' };
    const key = await readGalleryKey(config, env);
    const store = openGalleryStore(file, { logger: silentLogger, clock: systemClock, create: false, key });
    try {
      const people = store.listPeople();
      const detail = `${file}: ${people.length} people, version ${store.version()}`;
      const lacking = await withoutTemplates(people, config);
      if (lacking.length === 0) return ok(detail);
      return {
        state: 'warning',
        detail: `${detail}; ${lacking.join('; ')}`,
        help: 'eyeline enroll DIR with the same pictures: what is missing is added',
      };
    } finally {
      store.close();
    }
  });
  await check('mqtt', async () => {
    if (!config.mqtt.enabled) return { state: 'warning', detail: 'switched off: events go to the log only' };
    const { url, connectTimeoutMs, ...login } = await readMqttAccess(config, env, () => {});
    const listener = new MqttListener({
      url,
      connectTimeoutMs,
      login,
      topic: `${config.mqtt.prefix}/#`,
      protocolVersion: 5,
      onMessage() {},
    });
    try {
      await listener.start();
      return ok(`${redactUrl(config.mqtt.url)} takes us`);
    } catch (error) {
      throw new EyelineError('MQTT_UNREACHABLE', `${redactUrl(config.mqtt.url)}: ${messageOf(error)}`, {
        cause: error,
      });
    } finally {
      await listener.stop();
    }
  });
  if (config.cameras.length === 0)
    await check('cameras', async () => ({ state: 'warning', detail: 'none configured' }));
  for (const camera of cameras ? config.cameras : []) {
    await check(`camera ${camera.id}`, async () => {
      const { width, height } = await probeCamera(camera, env, signal);
      return ok(`${redactUrl(camera.source)}: ${width}x${height}`);
    });
  }
}

/** Who cannot be recognised, for want of templates by an encoder in use. */
async function withoutTemplates(people: readonly PersonRecord[], { models }: Config): Promise<string[]> {
  const { manifest: extraManifest, dir, encoder, upperEncoder } = models;
  const store = await createModelStore({ dir, extraManifest, logger: silentLogger });
  const lacking = (id: string, when: string) => {
    const fingerprint = fingerprintOf(store.entry(id));
    const names = people.filter(({ encoders }) => !encoders.includes(fingerprint)).map(({ id }) => id);
    if (names.length === 0) return [];
    const named = names.slice(0, NAMED).join(', ') + (names.length > NAMED ? ', …' : '');
    return [`${names.length} cannot be recognised${when}, having no template by ${id}: ${named}`];
  };
  return [...lacking(encoder, ''), ...(upperEncoder === null ? [] : lacking(upperEncoder, ' with a mask on'))];
}

function describeOpencv(): Omit<Finding, 'check'> {
  const opencv = loadOpencv();
  const { major, minor, revision } = opencv.version;
  const build = opencv.getBuildInformation();
  const has = (part: string) => new RegExp(`^\\s*${part}:\\s*YES`, 'm').test(build);
  const parts = ['FFMPEG', 'GStreamer', 'v4l/v4l2'].filter(has);
  const detail = `OpenCV ${major}.${minor}.${revision} with ${parts.join(', ') || 'no way to open a camera'}`;
  return parts.length > 0
    ? ok(detail)
    : { state: 'failure', detail, help: 'Install an OpenCV with FFmpeg or GStreamer.' };
}

function describeNativeParts(): Omit<Finding, 'check'> {
  if (nativePart('one_decoder_thread') && loadReleasePages()) return ok('cameras decode in one thread and stay small');
  return {
    state: 'warning',
    detail: 'not compiled: each camera takes 70 MB more',
    help: 'npm run native (scripts/setup.sh does it)',
  };
}

function ok(detail: string): Omit<Finding, 'check'> {
  return { state: 'ok', detail };
}

function failure(error: unknown): Omit<Finding, 'check'> {
  const detail = redact(messageOf(error));
  return error instanceof EyelineError
    ? { state: 'failure', detail, help: error.help, exitCode: error.exitCode }
    : { state: 'failure', detail };
}
