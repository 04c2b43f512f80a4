import { beforeEach, describe, expect, it } from 'vitest';
import { type CameraOptions, type CameraStatus, CameraSupervisor } from '../../src/capture/camera-supervisor.ts';
import type { Frame } from '../../src/core/picture.ts';
import { type FakeCameraProcess, FakeCameras, FakePicture } from '../fakes/frame-source.ts';
import { ManualClock, settle } from '../fakes/frame-source-clock.ts';

const CUT = { width: 2, height: 2, colour: 'grey', matrix: [1, 0, 0, 0, 1, 0] } as const;

const CAMERA: CameraOptions = {
  id: 'door',
  source: 'rtsp://door.example/1',
  backend: 'auto',
  transport: 'tcp',
  fps: 10,
  loop: false,
  openTimeoutMs: 8000,
  stallTimeoutMs: 3000,
  enabled: true,
  credentials: { username: 'eyeline', password: 'sesame' },
};

describe('CameraSupervisor', () => {
  let clock: ManualClock;
  let cameras: FakeCameras;
  let statuses: [CameraStatus, string][];
  let log: string[];
  let alive: number;
  let ended: number;

  beforeEach(() => {
    FakePicture.alive = 0;
    clock = new ManualClock();
    cameras = new FakeCameras(clock);
    statuses = [];
    log = [];
    alive = 0;
    ended = 0;
  });

  const supervise = (camera: Partial<CameraOptions> = {}) => {
    const write = (fields: object, message: string) => void log.push(`${JSON.stringify(fields)} ${message}`);
    return new CameraSupervisor({
      camera: { ...CAMERA, ...camera },
      detectorInput: { width: 4, height: 3 },
      retry: { firstDelayMs: 1000, maxDelayMs: 30_000, factor: 2, jitter: 0.5 },
      clock,
      random: () => 0,
      logger: { debug: write, info: write, warn: write, error: write },
      spawn: cameras.start,
      onStatus: (status, reason) => void statuses.push([status, reason]),
      onAlive: () => void alive++,
      onEnded: () => void ended++,
    });
  };

  const latest = (): FakeCameraProcess => {
    const process = cameras.started.at(-1);
    if (!process) throw new Error('no process was started');
    return process;
  };

  /** Frames ten times a second. */
  const play = async (process: FakeCameraProcess, ms: number) => {
    for (let played = 0; played < ms; played += 100) {
      process.frame();
      await clock.advance(100);
    }
  };

  const collect = (supervisor: CameraSupervisor) => {
    const frames: Frame[] = [];
    const over = (async () => {
      for await (const frame of supervisor.frames()) frames.push(frame);
    })();
    return { frames, over };
  };

  it('hands the URL to its process in a message, with the credentials in it', async () => {
    const supervisor = supervise();
    supervisor.start();
    expect(latest().received[0]).toMatchObject({
      type: 'open',
      source: { target: 'rtsp://eyeline:sesame@door.example/1', api: 'ffmpeg', file: false },
      fps: 10,
      input: { width: 4, height: 3 },
    });
    expect(cameras.options[0]?.ffmpegOptions).toContain('rtsp_transport;tcp');
    await supervisor.stop();
  });

  it('is online when the first frame was read, whether or not anybody asks for it', async () => {
    const supervisor = supervise();
    supervisor.start();
    await clock.advance(5000);
    latest().open();
    await settle();
    expect(statuses).toEqual([['connecting', '']]);
    latest().frame();
    await settle();
    expect(statuses).toEqual([
      ['connecting', ''],
      ['online', ''],
    ]);
    expect(supervisor.stats).toEqual({
      framesRead: 1,
      framesDelivered: 0,
      framesDropped: 0,
      framesIdle: 0,
      restarts: 0,
      lastFrameAtMs: 1_700_000_005_000,
      pid: latest().pid,
    });
    await supervisor.stop();
  });

  it.each<[string, (process: FakeCameraProcess) => Promise<void> | void, string]>([
    ['open time-out', () => clock.advance(8000), 'no answer within 8000 ms'],
    [
      'open failure',
      (process) => {
        process.print('[rtsp @ 0x55e8] method DESCRIBE failed: 401 Unauthorized');
        process.say({ type: 'failed', message: 'OpenCV (ffmpeg) cannot open it' });
      },
      'OpenCV (ffmpeg) cannot open it: method DESCRIBE failed: 401 Unauthorized',
    ],
    ['crash', (process) => process.exit('was ended by SIGSEGV'), "the camera's process was ended by SIGSEGV"],
    [
      'no frame after opening',
      async (process) => {
        process.open();
        await clock.advance(3500);
      },
      'no frame for 3000 ms',
    ],
    [
      'stall',
      async (process) => {
        process.open();
        await play(process, 2000);
        await clock.advance(3000);
      },
      'no frame for 3000 ms',
    ],
    [
      'end of the stream',
      async (process) => {
        process.open();
        await process.end();
      },
      'the stream ended',
    ],
  ])('after %s: offline, process gone, another after the delay', async (_, fail, reason) => {
    const supervisor = supervise();
    supervisor.start();
    await settle();
    const first = latest();
    await fail(first);
    await settle();
    expect(statuses.at(-1)).toEqual(['offline', reason]);
    expect(first.gone).toBe(true);
    expect(cameras.started).toHaveLength(1);
    await clock.advance(999);
    expect(cameras.started).toHaveLength(1);
    await clock.advance(1);
    expect(cameras.started).toHaveLength(2);
    expect(supervisor.stats.restarts).toBe(1);
    await supervisor.stop();
  });

  it('does not mistake a slow consumer for a stall', async () => {
    const supervisor = supervise();
    supervisor.start();
    latest().open();
    await play(latest(), 20_000);
    expect(supervisor.status).toBe('online');
    expect(supervisor.stats.framesRead).toBeGreaterThan(190);
    await supervisor.stop();
  });

  it('waits longer each time, up to the most, and says so once', async () => {
    const supervisor = supervise();
    supervisor.start();
    const delays: number[] = [];
    for (let attempt = 0; attempt < 7; attempt++) {
      await settle();
      const count = cameras.started.length;
      latest().exit('ended with status 1');
      const from = clock.monotonic();
      while (cameras.started.length === count) await clock.advance(250);
      delays.push(clock.monotonic() - from);
    }
    expect(delays).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    expect(statuses).toEqual([
      ['connecting', ''],
      ['offline', "the camera's process ended with status 1"],
    ]);
    expect(log.filter((line) => line.includes('offline'))).toHaveLength(1);
    await supervisor.stop();
  });

  it.each([
    [9000, 2000],
    [11_000, 1000],
  ])('after %i ms of frames the next failure is retried after %i ms', async (playedMs, delayMs) => {
    const supervisor = supervise();
    supervisor.start();
    await settle();
    latest().exit('ended with status 1');
    await clock.advance(1000);
    expect(cameras.started).toHaveLength(2);
    latest().open();
    await play(latest(), playedMs);
    latest().exit('ended with status 1');
    await clock.advance(delayMs - 1);
    expect(cameras.started).toHaveLength(2);
    await clock.advance(1);
    expect(cameras.started).toHaveLength(3);
    await supervisor.stop();
  });

  it('goes on with the frames after a crash; crops of the frame that was lost are refused', async () => {
    const supervisor = supervise();
    supervisor.start();
    latest().open();
    const frames = supervisor.frames();
    const first = frames.next();
    latest().frame();
    const { value: lost } = await first;
    if (!lost) throw new Error('no frame');
    expect((await lost.cut([CUT])).map(({ length }) => length)).toEqual([4]);
    expect(await lost.pixels()).toHaveLength(640 * 480 * 3);
    const underWay = lost.cut([CUT]);
    latest().exit('was ended by SIGKILL');
    await Promise.allSettled([underWay]);
    await expect(lost.cut([CUT])).rejects.toMatchObject({ code: 'CAMERA_PROCESS_DIED' });
    await expect(lost.pixels()).rejects.toMatchObject({ code: 'CAMERA_PROCESS_DIED' });
    expect(await lost.fit({ width: 4, height: 3 })).toHaveLength(36);
    lost.release();
    await expect(lost.pixels()).rejects.toThrow('was released');

    const second = frames.next();
    await clock.advance(1000);
    latest().open();
    latest().frame();
    expect((await second).value).toMatchObject({ camera: 'door', sequence: 1, width: 640, height: 480 });
    expect(supervisor.status).toBe('online');
    await supervisor.stop();
    expect((await frames.next()).done).toBe(true);
    expect(FakePicture.alive).toBe(0);
  });

  it('refuses crops that were asked for when the process died', async () => {
    const supervisor = supervise();
    supervisor.start();
    latest().open();
    const next = supervisor.frames().next();
    latest().frame();
    const { value: frame } = await next;
    latest().deaf = true;
    const cut = expect(frame?.cut([CUT])).rejects.toMatchObject({ code: 'CAMERA_PROCESS_DIED' });
    latest().exit('was ended by SIGSEGV');
    await cut;
    await supervisor.stop();
  });

  it('is online and well while the camera holds back frames in which nothing moves, over restarts too', async () => {
    const motion = { enabled: true, threshold: 10, minArea: 0, ignore: [], holdMs: 200, idleIntervalMs: 60_000 };
    const supervisor = supervise({ motion });
    supervisor.start();
    latest().open();
    const { frames } = collect(supervisor);
    const still = async (count: number) => {
      for (let frame = 0; frame < count; frame++) {
        latest().frame(false);
        await clock.advance(100);
      }
    };
    await still(100);
    expect(frames).toHaveLength(1);
    expect(supervisor.status).toBe('online');
    // What is known of the counts is half a second old at most.
    expect(supervisor.stats).toMatchObject({ framesRead: 96, framesIdle: 95, framesDelivered: 1, framesDropped: 0 });
    supervisor.attend(200);
    await still(3);
    expect(frames.map(({ sequence }) => sequence)).toEqual([1, 101, 102]);
    latest().exit('was ended by SIGKILL');
    await clock.advance(1000);
    latest().open();
    await still(1);
    expect(frames).toHaveLength(4);
    await still(5);
    expect(supervisor.stats.framesIdle).toBe(99 + 5);
    expect(statuses.map(([status]) => status)).toEqual(['connecting', 'online', 'offline', 'online']);
    await supervisor.stop();
    supervisor.attend(200);
  });

  it.each([
    ['switched off', { enabled: false, threshold: 10, minArea: 0, ignore: [], holdMs: 200, idleIntervalMs: 60_000 }],
    ['left out', undefined],
  ])('gives all frames when motion is %s', async (_, motion) => {
    const supervisor = supervise({ motion });
    supervisor.start();
    expect(latest().received[0]).toMatchObject({ type: 'open', motion: null });
    await supervisor.stop();
  });

  it('ends the frames and the process on stop', async () => {
    const supervisor = supervise();
    supervisor.start();
    latest().open();
    const { over } = collect(supervisor);
    await settle();
    await supervisor.stop();
    await over;
    expect(latest().received.at(-1)).toEqual({ type: 'close' });
    expect(latest().gone).toBe(true);
    await supervisor.stop();
  });

  it('kills a process that does not end within two seconds', async () => {
    const supervisor = supervise();
    supervisor.start();
    latest().open();
    latest().stuck = true;
    const stopped = supervisor.stop();
    await clock.advance(1999);
    expect(latest().gone).toBe(false);
    await clock.advance(1);
    expect(latest().gone).toBe(true);
    await stopped;
  });

  it('stops at once while it waits for the next attempt', async () => {
    const supervisor = supervise();
    supervisor.start();
    latest().exit('ended with status 1');
    await settle();
    await supervisor.stop();
    await clock.advance(60_000);
    expect(cameras.started).toHaveLength(1);
  });

  it('can be disabled and enabled', async () => {
    const supervisor = supervise({ enabled: false });
    supervisor.start();
    await settle();
    expect(statuses).toEqual([['disabled', '']]);
    expect(cameras.started).toHaveLength(0);
    const { frames } = collect(supervisor);
    supervisor.setEnabled(true);
    await settle();
    latest().open();
    await play(latest(), 300);
    expect(frames.length).toBeGreaterThan(0);
    supervisor.setEnabled(false);
    await settle();
    expect(latest().gone).toBe(true);
    expect(statuses.map(([status]) => status)).toEqual(['disabled', 'connecting', 'online', 'disabled']);
    await clock.advance(60_000);
    expect(cameras.started).toHaveLength(1);
    supervisor.setEnabled(true);
    await settle();
    expect(cameras.started).toHaveLength(2);
    await supervisor.stop();
  });

  it('gives the last frame of a file, then ends, and does not start again', async () => {
    const supervisor = supervise({ source: 'clip.mkv', credentials: null });
    supervisor.start();
    latest().open();
    const frames = supervisor.frames();
    const first = frames.next();
    latest().frame();
    const { value: held } = await first;
    await clock.advance(100);
    latest().frame();
    await latest().end();
    await settle();
    expect(statuses.at(-1)).toEqual(['offline', 'ended']);
    expect(ended).toBe(1);
    // No time-out while the consumer works on what it has.
    await clock.advance(60_000);
    expect(await held?.cut([CUT])).toHaveLength(1);
    const { value: last } = await frames.next();
    expect(last?.sequence).toBe(2);
    expect((await frames.next()).done).toBe(true);
    await clock.advance(60_000);
    // Nothing comes any more, but the last frames are looked at still.
    expect(await last?.cut([CUT])).toHaveLength(1);
    expect(latest().gone).toBe(false);
    last?.release();
    expect(await held?.cut([CUT])).toHaveLength(1);
    held?.release();
    await clock.advance(60_000);
    expect(cameras.started).toHaveLength(1);
    expect(latest().gone).toBe(true);
    await supervisor.stop();
  });

  it('gives two frames that are asked for at a time in order, and no third; a file ends for whoever waits', async () => {
    const supervisor = supervise({ source: 'clip.mkv', credentials: null });
    supervisor.start();
    latest().open();
    const frames = supervisor.frames();
    const [first, second] = [frames.next(), frames.next()];
    await expect(frames.next()).rejects.toThrow('2 frames of this camera are waited for already');
    latest().frame();
    await clock.advance(100);
    latest().frame();
    expect([(await first).value?.sequence, (await second).value?.sequence]).toEqual([1, 2]);
    await clock.advance(100);
    latest().frame();
    await latest().end();
    await settle();
    // One is left: the other request finds nothing.
    const [last, none] = [frames.next(), frames.next()];
    expect((await last).value?.sequence).toBe(3);
    expect((await none).done).toBe(true);
    await supervisor.stop();
  });

  it('gives a sign of life while the camera is away, none while it is disabled', async () => {
    const supervisor = supervise();
    supervisor.start();
    // The least `health.stallAfterMs` there is.
    for (let round = 0; round < 100; round++) {
      alive = 0;
      await clock.advance(1000);
      expect(alive, `second ${round}`).toBeGreaterThan(0);
    }
    supervisor.setEnabled(false);
    await settle();
    alive = 0;
    await clock.advance(60_000);
    expect(alive).toBe(0);
    await supervisor.stop();
  });

  it('keeps credentials out of logs and reasons', async () => {
    const supervisor = supervise();
    supervisor.start();
    latest().print('Error opening rtsp://eyeline:sesame@door.example/1');
    latest().say({ type: 'failed', message: 'cannot open rtsp://eyeline:sesame@door.example/1' });
    await settle();
    await supervisor.stop();
    expect(log.join('\n')).toContain('rtsp://***@door.example/1');
    expect(`${log.join('\n')} ${JSON.stringify(statuses)}`).not.toContain('sesame');
  });
});
