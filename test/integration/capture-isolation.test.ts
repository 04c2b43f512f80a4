import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RtspServer } from '../../src/commands/demo/rtsp-server.ts';
import { blackHole } from '../rig/black-hole.ts';
import { CameraWatch } from '../rig/camera-watch.ts';
import { makeCounterClip } from '../rig/counter-clip.ts';

let folder: string;
let server: RtspServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eyeline-isolation-'));
  const file = join(folder, 'clip.mkv');
  await makeCounterClip(file, { width: 640, height: 360, frames: 100, fps: 10 });
  server = new RtspServer({ streams: { good: file } });
  await server.start();
});

afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

it('cameras that are dead or hang take nothing from one that works, and do not block the event loop', async () => {
  const hole = await blackHole();
  const dead = new CameraWatch(`rtsp://127.0.0.1:${await closedPort()}/dead`, { id: 'dead' }).start();
  const hanging = new CameraWatch(hole.url, { id: 'hanging', openTimeoutMs: 4000 }).start();
  const good = new CameraWatch(server.url('good'), { id: 'good' }).start();
  await good.next(5);

  const lag = monitorEventLoopDelay({ resolution: 10 });
  lag.enable();
  const from = good.supervisor.stats;
  const startedMs = performance.now();
  // Runs into the hanging camera's time-out, and many refusals of the dead one.
  await Promise.all([hanging.until('offline'), good.next(60)]);
  const seconds = (performance.now() - startedMs) / 1000;
  lag.disable();

  expect(dead.supervisor.status).toBe('offline');
  expect(dead.supervisor.reason).toContain('Connection refused');
  expect(dead.supervisor.stats.restarts).toBeGreaterThan(1);
  expect(hanging.supervisor.reason).toContain('no answer within 4000 ms');
  const { framesDelivered, restarts } = good.supervisor.stats;
  expect(restarts).toBe(0);
  // Ten frames a second, less what a machine busy with starting processes may cost.
  expect((framesDelivered - from.framesDelivered) / seconds).toBeGreaterThan(7);
  expect(good.statuses).toEqual(['connecting', 'online']);
  expect(lag.percentile(99) / 1e6).toBeLessThan(250);
  expect(lag.max / 1e6).toBeLessThan(1000);
});

/** A port where nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
