import { beforeEach, describe, expect, it } from 'vitest';
import { FrameServer } from '../../src/capture/frame-server.ts';
import type { MotionGatePolicy } from '../../src/capture/motion-gate.ts';
import type { FromCamera } from '../../src/capture/protocol.ts';
import { FakePicture } from '../fakes/frame-source.ts';
import { ManualClock, settle } from '../fakes/frame-source-clock.ts';

const INPUT = { width: 4, height: 3 };

describe('FrameServer', () => {
  let clock: ManualClock;
  let sent: FromCamera[];
  let server: FrameServer<FakePicture>;
  let value: number;

  beforeEach(() => {
    FakePicture.alive = 0;
    clock = new ManualClock();
    sent = [];
    value = 0;
    server = serve(null);
  });

  const serve = (gate: MotionGatePolicy | null) =>
    new FrameServer<FakePicture>({
      fps: 10,
      input: INPUT,
      progressMs: 500,
      gate,
      moved: ({ moves }) => moves,
      clock,
      send: (message) => sent.push(message),
    });
  const offer = async (afterMs = 100, moves = true) => {
    await clock.advance(afterMs);
    server.offer(new FakePicture({ width: 8, height: 6 }, ++value, moves));
    await settle();
  };
  const frames = () => sent.filter((message) => message.type === 'frame');

  it('gives the newest frame only, and counts the others', async () => {
    await offer();
    await offer();
    await offer();
    expect(frames()).toEqual([]);
    await clock.advance(40);
    server.next();
    await settle();
    expect(frames()).toEqual([
      {
        type: 'frame',
        sequence: 3,
        width: 8,
        height: 6,
        capturedAtMs: 1_700_000_000_300,
        captureMs: 40,
        fitted: new Uint8Array(36).fill(3),
        read: 3,
        dropped: 2,
        idle: 0,
      },
    ]);
  });

  it('gives a frame once, and as many as were asked for: further requests wait for further frames', async () => {
    await offer();
    server.next();
    server.next();
    await settle();
    expect(frames()).toHaveLength(1);
    await offer();
    await offer();
    expect(frames().map(({ sequence }) => sequence)).toEqual([1, 2]);
    server.next();
    await settle();
    expect(frames().map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
  });

  it('holds those it gave until they are released, six of them at most, and none when closed', async () => {
    for (let round = 0; round < 8; round++) {
      await offer();
      server.next();
      await settle();
    }
    await offer();
    expect(FakePicture.alive).toBe(7);
    const answers = async (sequence: number) => {
      await server.fit(sequence, sequence, { width: 1, height: 1 });
      return sent.at(-1)?.type;
    };
    expect(await Promise.all([2, 3, 4, 5, 6, 7, 8].map(answers))).toEqual([
      'refused',
      'pixels',
      'pixels',
      'pixels',
      'pixels',
      'pixels',
      'pixels',
    ]);
    server.release(5);
    server.release(5);
    expect(FakePicture.alive).toBe(6);
    expect(await answers(5)).toBe('refused');
    server.close();
    expect(FakePicture.alive).toBe(0);
  });

  it('drops frames over the rate at once', async () => {
    server.next();
    for (let frame = 0; frame < 30; frame++) {
      await offer(1000 / 30);
      server.next();
      await settle();
    }
    expect(frames().map(({ sequence }) => sequence)).toEqual([1, 4, 7, 10, 13, 16, 19, 22, 25, 28]);
    expect(frames().at(-1)).toMatchObject({ read: 28, dropped: 18 });
  });

  it('holds back what does not move: one frame a second passes, and all while it attends', async () => {
    server = serve({ holdMs: 300, idleIntervalMs: 1000 });
    const show = async (count: number, moves: boolean) => {
      for (let frame = 0; frame < count; frame++) {
        server.next();
        await offer(100, moves);
        for (const { sequence } of frames()) server.release(sequence);
      }
    };
    await show(20, false);
    expect(frames().map(({ sequence }) => sequence)).toEqual([1, 11]);
    await show(1, true);
    expect(frames().at(-1)).toMatchObject({ sequence: 21, read: 21, dropped: 0, idle: 18 });
    await show(9, false);
    expect(frames().map(({ sequence }) => sequence)).toEqual([1, 11, 21, 22, 23]);
    server.attend(250);
    await show(4, false);
    expect(frames().map(({ sequence }) => sequence)).toEqual([1, 11, 21, 22, 23, 31, 32]);
    expect(FakePicture.alive).toBe(0);
  });

  it('goes on saying that frames come while it holds them back', async () => {
    server = serve({ holdMs: 300, idleIntervalMs: 60_000 });
    for (let frame = 0; frame < 20; frame++) await offer(100, false);
    const progress = sent.filter(({ type }) => type === 'progress');
    expect(progress.map((one) => ('idle' in one ? one.idle : null))).toEqual([0, 5, 10, 15]);
  });

  it('takes crops from the frame it holds', async () => {
    await offer();
    server.next();
    await settle();
    await server.cut(7, 1, [{ width: 2, height: 1, colour: 'grey', matrix: [1, 0, 0, 0, 1, 0] }]);
    await server.fit(8, 1, { width: 1, height: 1 });
    await server.pixels(9, 1);
    expect(sent.slice(-3)).toEqual([
      { type: 'pixels', id: 7, pixels: [new Uint8Array([1, 1])] },
      { type: 'pixels', id: 8, pixels: [new Uint8Array([1, 1, 1])] },
      { type: 'pixels', id: 9, pixels: [new Uint8Array(8 * 6 * 3).fill(1)] },
    ]);
  });

  it('refuses crops from a frame that was released or replaced', async () => {
    await offer();
    server.next();
    await settle();
    server.release(1);
    await server.cut(1, 1, []);
    await offer();
    server.next();
    await settle();
    await server.cut(2, 1, []);
    expect(sent.filter(({ type }) => type === 'refused')).toMatchObject([{ id: 1 }, { id: 2 }]);
    expect(FakePicture.alive).toBe(1);
  });

  it('says that frames come, nobody asking: with the first, then twice a second', async () => {
    for (let frame = 0; frame < 20; frame++) await offer();
    expect(sent.map(({ type }) => type)).toEqual(['progress', 'progress', 'progress', 'progress']);
    expect(sent[0]).toMatchObject({ read: 1 });
  });

  it('tells of the end after the frame under way, and whether one is left', async () => {
    server.next();
    server.offer(new FakePicture(INPUT, 1));
    await server.end();
    expect(sent.map(({ type }) => type)).toEqual(['progress', 'frame', 'ended']);
    expect(sent.at(-1)).toEqual({ type: 'ended', left: false });
    await offer();
    await server.end();
    expect(sent.at(-1)).toEqual({ type: 'ended', left: true });
  });
});
