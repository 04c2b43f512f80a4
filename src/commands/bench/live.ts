import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../core/clock.ts';
import { EyelineError } from '../../core/errors.ts';
import { quantile, rounded, slope } from '../../core/statistics.ts';
import { identityEvent } from '../../events/identity-event.ts';
import { MqttListener } from '../../events/mqtt-listener.ts';
import { EmbeddedBroker } from '../demo/embedded-broker.ts';
import { RtspServer } from '../demo/rtsp-server.ts';
import { type Usage, usageOf } from './process-usage.ts';
import { until } from './until.ts';

/** The built program, from src/ as from dist/. */
const PROGRAM = fileURLToPath(new URL('../../../dist/main.js', import.meta.url));
const SAMPLE_MS = 1000;
/** After every camera is online: models are loaded, caches filled, the first rounds seen. */
const SETTLE_MS = 5000;
const ONLINE_MS = 60_000;
const STOP_MS = 10_000;

export interface LiveOptions {
  readonly cameras: number;
  /** Files the cameras show, in turn. */
  readonly clips: readonly string[];
  readonly seconds: number;
  /** Of the gallery the daemon uses; null for none. */
  readonly galleryFile: string;
  /** Keys over the daemon's defaults: models, inference, recognition and so on. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Cuts all streams for a moment this often; null never does. */
  readonly reconnectEveryS: number | null;
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** What the daemon did and cost on so many cameras. */
export interface Live {
  readonly cameras: number;
  readonly seconds: number;
  /** Of all cameras together: frames decided on, and decoded, a second. */
  readonly framesPerSecond: number;
  readonly decodedPerSecond: number;
  /** Frames nobody saw, over the rate or replaced by a newer one. */
  readonly dropped: number;
  readonly idle: number;
  /** Null when a camera's process was started anew: what the one before used is gone with it. */
  readonly cpuCores: number | null;
  /** Largest of the samples. */
  readonly rssMb: number;
  readonly pssMb: number;
  readonly rssSlopeMbPerHour: number | null;
  readonly restarts: number;
  readonly events: number;
  readonly known: number;
  /** From the frame being captured to the event at a subscriber. */
  readonly latencyMs: { readonly p50: number | null; readonly p95: number | null };
  /** From a face being seen first to the decision. */
  readonly decisionMs: { readonly p50: number | null; readonly p95: number | null; readonly max: number | null };
}

/** Runs the built daemon on RTSP cameras of this machine and measures it from outside. */
export async function runLive(options: LiveOptions): Promise<Live> {
  const { cameras, clips, folder, galleryFile, reconnectEveryS, seconds, settings, signal } = options;
  const undo: (() => Promise<void>)[] = [];
  try {
    const broker = new EmbeddedBroker();
    undo.push(() => broker.stop());
    const { url } = await broker.start();
    const names = Array.from({ length: cameras }, (_, index) => `camera-${index + 1}`);
    const streams = Object.fromEntries(names.map((name, index) => [name, clips[index % clips.length] ?? '']));
    const server = new RtspServer({ streams });
    undo.push(() => server.stop());
    await server.start();

    const receipts: { readonly atMs: number; readonly payload: string }[] = [];
    const statuses = new Map<string, string>();
    const listener = new MqttListener({
      url,
      topic: 'eyeline/bench/#',
      protocolVersion: 4,
      connectTimeoutMs: 10_000,
      onMessage: (topic, payload) => {
        if (topic.endsWith('/event')) receipts.push({ atMs: Date.now(), payload });
        else if (topic.includes('/camera/') && topic.endsWith('/status')) statuses.set(topic, payload);
      },
    });
    undo.push(() => listener.stop());
    await listener.start();

    const config = join(folder, 'bench.yaml');
    const daemonSettings = {
      ...settings,
      device: { id: 'bench' },
      cameras: names.map((id) => ({ id, source: server.url(id) })),
      recognition: { ...(settings.recognition as object), cooldownMs: 0 },
      gallery: { file: galleryFile },
      mqtt: { url },
      metrics: { port: 0 },
      log: { level: 'info' },
    };
    // JSON is YAML.
    await writeFile(config, JSON.stringify(daemonSettings));
    const daemon = await startDaemon(config, folder);
    undo.push(() => daemon.stop());
    await until(() => [...statuses.values()].filter((status) => status === 'online').length === cameras, ONLINE_MS, {
      what: 'all cameras being online',
      signal,
    });
    await pause(SETTLE_MS, signal);

    const before = await countsOf(daemon.metricsUrl());
    const first = await usageOf(daemon.pid);
    const startedMs = performance.now();
    const startedAtMs = Date.now();
    const samples: { atMs: number; usage: Usage }[] = [{ atMs: 0, usage: first }];
    let cutAtMs = reconnectEveryS === null ? Number.POSITIVE_INFINITY : reconnectEveryS * 1000;
    while (performance.now() - startedMs < seconds * 1000) {
      await pause(Math.min(SAMPLE_MS, seconds * 1000), signal);
      daemon.check();
      const atMs = performance.now() - startedMs;
      samples.push({ atMs, usage: await usageOf(daemon.pid) });
      if (atMs < cutAtMs) continue;
      cutAtMs += (reconnectEveryS ?? 0) * 1000;
      await server.kill();
      await server.start();
    }
    const wallMs = performance.now() - startedMs;
    const last = samples.at(-1)?.usage ?? first;
    const after = await countsOf(daemon.metricsUrl());
    const gone = (key: keyof Counts) => after[key] - before[key];
    const events = receipts
      .filter(({ atMs }) => atMs >= startedAtMs)
      .map(({ atMs, payload }) => ({ atMs, event: identityEvent.parse(JSON.parse(payload)) }))
      .filter(({ event }) => event.type !== 'exit');
    const latencies = events.map(({ atMs, event }) => atMs - Date.parse(event.capturedAt));
    // What somebody waits for is the first decision of a track; later ones are of people that come back or are known better.
    const seen = new Set<string>();
    const decisions = events
      .filter(({ event }) => event.type === 'enter' && !seen.has(event.track) && seen.add(event.track))
      .map(({ event }) => Date.parse(event.decidedAt) - Date.parse(event.firstSeenAt));
    const perHour = slope(samples.map(({ atMs, usage }) => [atMs / 3_600_000, usage.rssMb] as const));
    const peak = (of: (usage: Usage) => number) => rounded(Math.max(...samples.map(({ usage }) => of(usage))), 1);
    return {
      cameras,
      seconds: rounded(wallMs / 1000, 1),
      framesPerSecond: rounded((gone('decided') / wallMs) * 1000, 1),
      decodedPerSecond: rounded((gone('read') / wallMs) * 1000, 1),
      dropped: gone('dropped'),
      idle: gone('idle'),
      cpuCores: gone('restarts') > 0 ? null : rounded((last.cpuMs - first.cpuMs) / wallMs, 3),
      rssMb: peak(({ rssMb }) => rssMb),
      pssMb: peak(({ pssMb }) => pssMb),
      rssSlopeMbPerHour: perHour === null ? null : rounded(perHour, 1),
      restarts: gone('restarts'),
      events: events.length,
      known: events.filter(({ event }) => event.decision === 'known').length,
      latencyMs: { p50: quantile(latencies, 0.5), p95: quantile(latencies, 0.95) },
      decisionMs: { p50: quantile(decisions, 0.5), p95: quantile(decisions, 0.95), max: quantile(decisions, 1) },
    };
  } finally {
    for (const step of undo.reverse()) await step();
  }
}

interface RunningDaemon {
  readonly pid: number;
  /** Where it serves its metrics. Throws while it has not said so. */
  metricsUrl(): string;
  /** Throws BENCH_FAILED, with the last it said, when it has ended. */
  check(): void;
  stop(): Promise<void>;
}

async function startDaemon(config: string, folder: string): Promise<RunningDaemon> {
  const child = spawn(process.execPath, ['--max-semi-space-size=2', PROGRAM, 'run', '-c', config], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  let said = '';
  let url = '';
  const take = (chunk: unknown) => {
    said = `${said}${chunk}`.slice(-20_000);
    url ||= /"url":"(http:[^"]+\/metrics)"/.exec(said)?.[1] ?? '';
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  const stop = async () => {
    child.kill('SIGTERM');
    const force = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await exited;
    clearTimeout(force);
  };
  try {
    await until(() => url !== '' || child.exitCode !== null, ONLINE_MS, { what: 'the start of the daemon' });
    if (url === '' || child.pid === undefined)
      throw new EyelineError('BENCH_FAILED', `the daemon did not start: ${lastLine(said)}`);
  } catch (error) {
    await stop();
    throw error;
  }
  const check = () => {
    const { exitCode, signalCode } = child;
    if (exitCode === null && signalCode === null) return;
    const how = signalCode === null ? `with status ${exitCode}` : `by ${signalCode}`;
    throw new EyelineError('BENCH_FAILED', `the daemon ended ${how}: ${lastLine(said)}`);
  };
  return { pid: child.pid, metricsUrl: () => url, check, stop };
}

interface Counts {
  readonly decided: number;
  readonly read: number;
  readonly dropped: number;
  readonly idle: number;
  readonly restarts: number;
}

/** Sums over all cameras of what the daemon's metrics say. */
async function countsOf(url: string): Promise<Counts> {
  const text = await (await fetch(url)).text();
  const sum = (pattern: RegExp) => [...text.matchAll(pattern)].reduce((total, [, value]) => total + Number(value), 0);
  const frames = (outcome: string) =>
    sum(new RegExp(`^eyeline_camera_frames\\{[^}]*outcome="${outcome}"[^}]*\\} (\\d+)`, 'gm'));
  return {
    decided: sum(/^eyeline_frame_seconds_count\{[^}]*\} (\d+)/gm),
    read: frames('read'),
    dropped: frames('dropped'),
    idle: frames('idle'),
    restarts: sum(/^eyeline_camera_restarts\{[^}]*\} (\d+)/gm),
  };
}

async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await systemClock.sleep(ms, signal);
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
