/**
 * Measures the built daemon on one RTSP camera: capture-to-event latency as a subscriber sees it, CPU and memory of all
 * its processes. A clip is scaled to 1280x720 at 10 fps with two seconds of black after each round, so that every
 * round brings somebody new.
 *
 *   node --import tsx scripts/measure-daemon.ts --clip FILE [--minutes 10] [--json]
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { stringify } from 'yaml';
import { RtspServer } from '../src/commands/demo/rtsp-server.ts';
import { identityEvent } from '../src/events/identity-event.ts';
import { Mosquitto } from '../test/rig/mosquitto.ts';
import { MqttRecorder } from '../test/rig/mqtt-recorder.ts';
import { Program } from '../test/rig/program.ts';

const { values } = parseArgs({
  options: { clip: { type: 'string' }, minutes: { type: 'string', default: '10' }, json: { type: 'boolean' } },
});
if (!values.clip) throw new Error('--clip FILE is missing');
const minutes = Number(values.minutes);
const SAMPLE_MS = 10_000;
/** Models are loaded and caches filled by then. */
const SETTLED_MS = 60_000;

const folder = await mkdtemp(join(tmpdir(), 'eyeline-measure-'));
const clip = join(folder, 'clip.mkv');
const filter = 'scale=1280:720,fps=10,tpad=stop_duration=2:color=black,format=yuv420p';
const encode = ['-an', '-c:v', 'libx264', '-preset', 'veryfast', '-bf', '0', '-g', '20', clip];
await promisify(execFile)('ffmpeg', ['-v', 'error', '-i', values.clip, '-vf', filter, ...encode]);
const broker = await Mosquitto.start();
const server = new RtspServer({ streams: { door: clip } });
await server.start();
const config = {
  device: { id: 'measure' },
  cameras: [{ id: 'door', source: server.url('door') }],
  recognition: { cooldownMs: 0 },
  gallery: { file: join(folder, 'gallery.sqlite') },
  mqtt: { url: broker.url },
};
await writeFile(join(folder, 'eyeline.yaml'), stringify(config));
const recorder = new MqttRecorder(broker.url);
await recorder.start();
const daemon = new Program(['run', '-c', 'eyeline.yaml'], { cwd: folder });

interface Usage {
  rssMb: number;
  pssMb: number;
  cpuMs: number;
  /** Each process by itself, the daemon first; what it wrote to is its own, all else may be shared. */
  processes: { rssMb: number; pssMb: number; privateDirtyMb: number }[];
}

const samples: (Usage & { atMs: number })[] = [];
const started = Date.now();
while (Date.now() - started < minutes * 60_000) {
  await delay(SAMPLE_MS);
  samples.push({ atMs: Date.now() - started, ...(await usage(daemon.pid)) });
}
daemon.signal('SIGTERM');
await daemon.finished();
const latencies = recorder.messages
  .filter(({ topic }) => topic.endsWith('/event'))
  .map(({ payload, atMs }) => atMs - Date.parse(identityEvent.parse(JSON.parse(payload)).capturedAt))
  .sort((a, b) => a - b);
const settled = samples.filter(({ atMs }) => atMs >= SETTLED_MS);
const [first, last] = [settled[0] ?? samples[0], samples.at(-1)];
const result = {
  minutes,
  events: latencies.length,
  latencyMs: { p50: quantile(latencies, 0.5), p95: quantile(latencies, 0.95), max: latencies.at(-1) ?? null },
  rssMb: { afterFirstMinute: first?.rssMb, end: last?.rssMb, max: Math.max(...samples.map(({ rssMb }) => rssMb)) },
  pssMb: { afterFirstMinute: first?.pssMb, end: last?.pssMb },
  processes: last?.processes,
  rssSlopeMbPerHour: round(slope(settled.map(({ atMs, rssMb }) => [atMs / 3_600_000, rssMb]))),
  cpuCores: first && last ? round((last.cpuMs - first.cpuMs) / (last.atMs - first.atMs)) : null,
};
console.log(JSON.stringify(result, null, values.json ? 0 : 2));
await recorder.stop();
await server.stop();
await broker.stop();
await rm(folder, { recursive: true, force: true });

/** Memory and CPU time of a process and its children. */
async function usage(pid: number): Promise<Usage> {
  const total: Usage = { rssMb: 0, pssMb: 0, cpuMs: 0, processes: [] };
  for (const member of await family(pid)) {
    const [rollup, stat] = await Promise.all([
      readFile(`/proc/${member}/smaps_rollup`, 'utf8'),
      readFile(`/proc/${member}/stat`, 'utf8'),
    ]);
    const mb = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(rollup)?.[1] ?? 0) / 1024;
    total.rssMb += mb('Rss');
    total.pssMb += mb('Pss');
    total.processes.push({
      rssMb: round(mb('Rss')),
      pssMb: round(mb('Pss')),
      privateDirtyMb: round(mb('Private_Dirty')),
    });
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // User and system time, in ticks of 10 ms (proc(5): fields 14 and 15).
    total.cpuMs += (Number(fields[11]) + Number(fields[12])) * 10;
  }
  return { ...total, rssMb: round(total.rssMb), pssMb: round(total.pssMb) };
}

async function family(pid: number): Promise<number[]> {
  const members = [pid];
  for (const task of await readdir(`/proc/${pid}/task`)) {
    const children = await readFile(`/proc/${pid}/task/${task}/children`, 'utf8');
    for (const child of children.split(' ').filter(Boolean)) members.push(...(await family(Number(child))));
  }
  return members;
}

/** Least-squares slope of points (x, y). */
function slope(points: readonly (readonly [number, number])[]): number {
  const mean = (at: 0 | 1) => points.reduce((sum, point) => sum + point[at], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const spread = points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
  return points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0) / spread;
}

function quantile(sorted: readonly number[], share: number): number | null {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
