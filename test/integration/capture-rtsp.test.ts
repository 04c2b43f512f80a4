import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RtspServer } from '../../src/commands/demo/rtsp-server.ts';
import { gone } from '../rig/camera-parent.ts';
import { CameraWatch } from '../rig/camera-watch.ts';
import { makeCounterClip } from '../rig/counter-clip.ts';
import { PausingProxy } from '../rig/pausing-proxy.ts';

const CLIP = { width: 640, height: 360, frames: 100, fps: 20 };

describe('a camera on a real RTSP server', () => {
  let folder: string;
  let file: string;
  let server: RtspServer;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'eyeline-rtsp-'));
    file = join(folder, 'clip.mkv');
    await makeCounterClip(file, CLIP);
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  beforeEach(async () => {
    server = new RtspServer({ streams: { door: file } });
    await server.start();
  });

  afterEach(() => server.stop());

  const watch = (camera = {}) => new CameraWatch(server.url('door'), camera).start();

  it('comes online and gives frames in order, over the end of the clip and on', async () => {
    const camera = watch();
    const frames = await camera.next(150);
    expect(camera.supervisor.status).toBe('online');
    expect(frames.every(({ number }) => number < CLIP.frames)).toBe(true);
    frames.slice(1).forEach((frame, index) => {
      const before = frames[index];
      // As many numbers on as frames on: nothing repeated, nothing lost but what was skipped on purpose.
      const step = (frame.number - (before?.number ?? 0) + CLIP.frames) % CLIP.frames;
      expect(step).toBe((frame.sequence - (before?.sequence ?? 0)) % CLIP.frames);
    });
  });

  it('gives a slow consumer the newest frame, and counts what it missed', async () => {
    const camera = watch();
    await camera.next(20);
    camera.delayMs = 500;
    await camera.next(1);
    const slow = await camera.next(4);
    slow.slice(1).forEach((frame, index) => {
      // Half a second is 10 frames: were they queued, each would be the next one.
      expect(frame.sequence - (slow[index]?.sequence ?? 0)).toBeGreaterThanOrEqual(8);
      // A frame comes every 50 ms: the newest is no older when it is asked for, give or take a busy machine.
      expect(frame.captureMs).toBeLessThan(300);
    });
    const { framesRead, framesDelivered, framesDropped } = camera.supervisor.stats;
    expect(framesDropped).toBeGreaterThanOrEqual(4 * 7);
    // Besides those there are one that is looked at and one that waits, at most.
    expect(framesRead - framesDelivered - framesDropped).toBeLessThanOrEqual(2);
  });

  it('looks at no more frames a second than it is told to', async () => {
    const camera = watch({ fps: 5 });
    await camera.next(5);
    const frames = await camera.next(11);
    const [first, last] = [frames.at(0), frames.at(-1)];
    // Ten steps of a fifth of a second; counted in the stream's own frames, 20 a second.
    expect((last?.sequence ?? 0) - (first?.sequence ?? 0)).toBeGreaterThanOrEqual(39);
  });

  it('is offline when the server is killed and online again when it is back', async () => {
    const camera = watch();
    await camera.next(5);
    await server.kill();
    await camera.until('offline');
    await server.start();
    await camera.until('online');
    await camera.next(5);
    expect(camera.statuses).toEqual(['connecting', 'online', 'offline', ...reasonsAgain(camera), 'online']);
    await camera.stop();
    for (const pid of camera.pids) await gone(pid);
  });

  it('notices a server that hangs, and comes back when it goes on', async () => {
    const camera = watch();
    await camera.next(5);
    server.freeze();
    await camera.until('offline');
    expect(camera.supervisor.reason).toBe('no frame for 2000 ms');
    server.thaw();
    await camera.until('online');
    await camera.next(5);
  });

  it('notices a server that hangs, and comes back when that was restarted', async () => {
    const camera = watch();
    await camera.next(5);
    server.freeze();
    await camera.until('offline');
    await server.kill();
    await server.start();
    await camera.until('online');
    await camera.next(5);
  });

  it('takes what a stalled network held up for as old as it is', async () => {
    const proxy = new PausingProxy(server.port);
    const url = `rtsp://127.0.0.1:${await proxy.start()}/door`;
    const camera = new CameraWatch(url, { stallTimeoutMs: 60_000 }).start();
    try {
      await camera.next(20);
      proxy.pause();
      const pausedAtMs = Date.now();
      await sleep(2000);
      const before = camera.seen.length;
      const stalledMs = Date.now() - pausedAtMs;
      proxy.resume();
      const [first] = await camera.next(1);
      // What was on its way when the network stopped; read as new it would be no older than the machine is slow.
      expect(before).toBeGreaterThanOrEqual(20);
      expect(first?.ageMs).toBeGreaterThan(stalledMs - 500);
      expect(first?.capturedAtMs).toBeLessThan(pausedAtMs + 500);
      // And after the backlog frames are new again.
      for (let ageMs = 1000; ageMs >= 1000; ) ageMs = (await camera.next(1))[0]?.ageMs ?? ageMs;
      const times = camera.seen.map(({ capturedAtMs }) => capturedAtMs);
      for (const [index, time] of times.slice(1).entries()) expect(time).toBeGreaterThan((times[index] ?? 0) - 200);
    } finally {
      await camera.stop();
      await proxy.stop();
    }
  });

  it('goes on when its own process is killed', async () => {
    const camera = watch();
    await camera.next(5);
    const [pid] = camera.pids;
    if (pid === undefined) throw new Error('no process');
    process.kill(pid, 'SIGKILL');
    await camera.until('offline');
    expect(camera.supervisor.reason).toBe("the camera's process was ended by SIGKILL");
    await camera.next(5);
    expect(camera.supervisor.stats.restarts).toBe(1);
    expect(camera.pids.size).toBe(2);
    await camera.stop();
    for (const each of camera.pids) await gone(each);
  });

  it('leaves no process behind when it is disabled', async () => {
    const camera = watch();
    await camera.next(5);
    camera.supervisor.setEnabled(false);
    await camera.until('disabled');
    for (const pid of camera.pids) await gone(pid);
    camera.supervisor.setEnabled(true);
    await camera.next(5);
  });

  it('reads over UDP', async () => {
    await watch({ transport: 'udp' }).next(20);
  });

  it('reads through GStreamer', async ({ skip }) => {
    const camera = watch({ backend: 'gstreamer' });
    await Promise.race([camera.next(20), camera.until('offline')]);
    if (camera.log.some((line) => /no element|missing.*plugin/i.test(line)))
      skip('GStreamer has no H.264 decoder here');
    expect(camera.supervisor.status).toBe('online');
  });
});

describe('a camera that asks for a password', () => {
  const credentials = { username: 'door', password: 'p@ss:/#?word' };
  let folder: string;
  let server: RtspServer;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'eyeline-rtsp-'));
    const file = join(folder, 'clip.mkv');
    await makeCounterClip(file, CLIP);
    server = new RtspServer({ streams: { door: file }, credentials });
    await server.start();
  });

  afterAll(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it.each(['ffmpeg', 'gstreamer'] as const)('gets it (%s)', async (backend) => {
    const camera = new CameraWatch(server.url('door'), { credentials, backend }).start();
    await camera.next(5);
    expectNoSecrets(camera, credentials.password);
  });

  it('says what is wrong without it', async () => {
    const camera = new CameraWatch(server.url('door')).start();
    await camera.until('offline');
    expect(camera.supervisor.reason).toContain('401 Unauthorized');
  });

  it('keeps a wrong one out of every log', async () => {
    const wrong = { username: 'door', password: 'other-secret' };
    const camera = new CameraWatch(server.url('door'), { credentials: wrong }).start();
    await camera.until('offline');
    expect(camera.supervisor.reason).toContain('401 Unauthorized');
    await camera.stop();
    expectNoSecrets(camera, wrong.password);
  });
});

function expectNoSecrets(camera: CameraWatch, password: string): void {
  const text = `${camera.log.join('\n')}\n${camera.supervisor.reason}`;
  expect(text).not.toContain(password);
  expect(text).not.toContain(encodeURIComponent(password));
}

/** Further reasons to be offline: how often it was tried while the server was away is a matter of chance. */
function reasonsAgain(camera: CameraWatch): 'offline'[] {
  return camera.statuses.slice(3, -1).filter((status) => status === 'offline');
}
