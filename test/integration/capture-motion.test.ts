import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NEW_GATE, stepGate } from '../../src/capture/motion-gate.ts';
import { GRID, MotionSensor } from '../../src/capture/motion-sensor.ts';
import { loadOpencv } from '../../src/capture/opencv.ts';
import { OpencvFrameSource } from '../../src/capture/opencv-frame-source.ts';
import type { MotionOptions } from '../../src/capture/protocol.ts';
import { CameraWatch } from '../rig/camera-watch.ts';
import { sharedData } from '../rig/shared-data.ts';

const run = promisify(execFile);
const clips = sharedData('clips');
const STILL_FRAMES = 50;
/** Sensitivity as configured by default; a short hold, so that the gate is shut again when the clip begins. */
const MOTION: MotionOptions = { threshold: 10, minArea: 0.0005, ignore: [], holdMs: 300, idleIntervalMs: 1000 };
/** Of the still part: three frames at the start, then one in ten, where the start may fall anywhere. */
const STILL_PASSES = 3 + 5;

const H264 = ['-an', '-c:v', 'libx264', '-preset', 'veryfast', '-bf', '0', '-g', '20', '-pix_fmt', 'yuv420p'];

/** Writes 5 s of the clip's first frame, with the noise of a camera, then the clip, ten frames a second. */
async function stillThenClip(clip: string, out: string, fromS = 0): Promise<void> {
  const filter = `fps=10,tpad=start=${STILL_FRAMES}:start_mode=clone,noise=alls=6:allf=t`;
  await run('ffmpeg', ['-v', 'error', '-y', '-ss', String(fromS), '-t', '6', '-i', clip, '-vf', filter, ...H264, out]);
}

/** Which frames pass the gate, by sequence, at ten frames a second of a clock that only the frames move. */
async function passing(file: string, motion = MOTION): Promise<{ frames: number; passed: number[] }> {
  const cv = loadOpencv();
  let nowMs = 0;
  const clock = { now: () => nowMs, monotonic: () => nowMs, sleep: async () => {} };
  const source = new OpencvFrameSource(cv, { target: file, api: 'ffmpeg', file: true, loop: false }, clock);
  source.open();
  const sensor = new MotionSensor(cv, motion);
  const passed: number[] = [];
  let state = NEW_GATE;
  let frames = 0;
  await source.run((picture) => {
    nowMs += 100;
    const step = stepGate(state, motion, { nowMs, moved: sensor.moved(picture.shrunkGrey(GRID), nowMs) });
    state = step.state;
    frames++;
    if (step.verdict !== 'idle') passed.push(frames);
    picture.release();
  });
  sensor.release();
  return { frames, passed };
}

/**
 * The first frame that differs plainly from the first of the file: 24 grey levels in 0.3 % of the picture. Found by
 * FFmpeg's scaler and a loop over the pixels.
 */
async function firstPlainChange(file: string): Promise<number> {
  const [width, height] = [96, 54];
  const args = ['-v', 'error', '-i', file, '-vf', `scale=${width}:${height}:flags=area`];
  const { stdout } = await run('ffmpeg', [...args, '-pix_fmt', 'gray', '-f', 'rawvideo', '-'], {
    encoding: 'buffer',
    maxBuffer: 1e8,
  });
  const size = width * height;
  const first = stdout.subarray(0, size);
  for (let frame = 1; frame * size < stdout.length; frame++) {
    const pixels = stdout.subarray(frame * size, (frame + 1) * size);
    const changed = pixels.filter((value, index) => Math.abs(value - (first[index] ?? 0)) > 24).length;
    if (changed > size * 0.003) return frame + 1;
  }
  return 0;
}

describe('a still scene', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'eyeline-motion-'));
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('reaches the daemon about once a second, and the camera is online', async () => {
    const file = join(folder, 'still.mkv');
    const picture = 'testsrc2=s=640x360:r=10:d=1,loop=loop=-1:size=1,trim=duration=8,noise=alls=6:allf=t';
    await run('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', picture, ...H264, file]);
    const motion = { ...MOTION, enabled: true };
    const watch = new CameraWatch(file, { fps: 10, motion }).start();
    await watch.until('online');
    await watch.over();
    const { framesDelivered, framesDropped, framesIdle, framesRead } = watch.supervisor.stats;
    const sequences = watch.seen.map(({ sequence }) => sequence);
    // Three or four frames at the start, then one in ten; a machine that is late gets to it sooner, by sequence.
    expect(sequences[0]).toBe(1);
    expect(sequences.length).toBeGreaterThanOrEqual(8);
    expect(sequences.length).toBeLessThanOrEqual(16);
    expect(framesRead).toBeGreaterThan(70);
    expect(framesIdle).toBeGreaterThan(50);
    expect(framesDelivered + framesDropped + framesIdle).toBeGreaterThanOrEqual(framesRead - 1);
    expect(watch.statuses).toEqual(['connecting', 'online', 'offline']);
  });

  it('is looked at in full while somebody asks for it', async () => {
    const watch = new CameraWatch(join(folder, 'still.mkv'), {
      fps: 10,
      motion: { ...MOTION, holdMs: 1, enabled: true },
    });
    watch.start();
    await watch.next(2);
    watch.supervisor.attend(60_000);
    const seen = await watch.next(10);
    // The first may have been on its way before.
    const sequences = seen.slice(1).map(({ sequence }) => sequence);
    expect(Math.max(...sequences) - Math.min(...sequences)).toBeLessThan(20);
  });

  describe.skipIf(clips === null)('in which somebody appears (needs ../shared/data)', () => {
    it('shows the first frame that moves: every clip of a person', async () => {
      const names = (await readdir(clips ?? '')).filter((name) => name.endsWith('.mkv'));
      expect(names.length).toBeGreaterThan(10);
      for (const name of names) {
        const file = join(folder, `moving-${name}`);
        await stillThenClip(join(clips ?? '', name), file);
        const { passed } = await passing(file);
        const first = await firstPlainChange(file);
        const idle = passed.filter((sequence) => sequence <= STILL_FRAMES);
        expect(idle.length, `${name}: frames of the still part that pass`).toBeLessThanOrEqual(STILL_PASSES);
        expect(first, name).toBeGreaterThan(STILL_FRAMES);
        expect(passed, name).toContain(first);
      }
    });

    it('shows the first frame that moves: people walking far away', async () => {
      for (const fromS of [0, 20, 40, 60, 80, 100, 120]) {
        const file = join(folder, `walking-${fromS}.mkv`);
        await stillThenClip(join(clips ?? '', 'no-face-people-walking.mp4'), file, fromS);
        const { passed } = await passing(file);
        const first = await firstPlainChange(file);
        const idle = passed.filter((sequence) => sequence <= STILL_FRAMES);
        expect(idle.length, `${basename(file)}: frames of the still part that pass`).toBeLessThanOrEqual(STILL_PASSES);
        if (first > 0) expect(passed, basename(file)).toContain(first);
      }
    });
  });
});
