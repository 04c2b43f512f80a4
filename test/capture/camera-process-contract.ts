import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import type { CameraProcess, StartCamera } from '../../src/capture/camera-session.ts';
import type { FromCamera, MotionOptions, ToCamera } from '../../src/capture/protocol.ts';

/** A kind of camera process under test: one that plays a short file of at least 20 frames of 320x240. */
export interface Subject {
  readonly start: StartCamera;
  readonly file: string;
  /** Makes what it plays happen, where that does not happen by itself. */
  readonly play?: () => Promise<void>;
}

/** Takes nothing for motion: no change is larger than 255. */
const MOTIONLESS: MotionOptions = { threshold: 255, minArea: 0, ignore: [], holdMs: 1, idleIntervalMs: 60_000 };
const CUT = { width: 8, height: 4, matrix: [1, 0, 0, 0, 1, 0] } as const;

/** What the real process and the fake one have in common. */
export function cameraProcessContract(subject: () => Subject): void {
  const begin = (motion: MotionOptions | null = null) => {
    const talk = new Talk(subject().start, subject().play);
    const source = { target: subject().file, api: 'ffmpeg', file: true, loop: false } as const;
    talk.process.send({ type: 'open', source, fps: 60, input: { width: 32, height: 24 }, progressMs: 100, motion });
    onTestFinished(() => talk.process.kill());
    return talk;
  };

  it('opens, then gives each frame that is asked for, newer each time', async () => {
    const talk = begin();
    expect(await talk.heard('opened')).toEqual({ type: 'opened', width: 320, height: 240 });
    let last = 0;
    for (let count = 0; count < 5; count++) {
      const frame = await talk.ask({ type: 'next' }, 'frame');
      expect(frame).toMatchObject({ width: 320, height: 240 });
      expect(frame.sequence).toBeGreaterThan(last);
      expect(frame.read).toBeGreaterThanOrEqual(frame.sequence);
      expect(frame.fitted).toBeInstanceOf(Uint8Array);
      expect(frame.fitted).toHaveLength(32 * 24 * 3);
      expect(frame.captureMs).toBeGreaterThanOrEqual(0);
      last = frame.sequence;
    }
  });

  it('takes an order for a frame before it is open', async () => {
    const talk = begin();
    expect((await talk.ask({ type: 'next' }, 'frame')).sequence).toBeGreaterThan(0);
  });

  it('says that frames come when nobody asks', async () => {
    const talk = begin();
    expect((await talk.heard('progress')).read).toBeGreaterThan(0);
  });

  it('holds back frames in which nothing moves, says so, and gives them when it is asked to attend', async () => {
    const talk = begin(MOTIONLESS);
    expect(await talk.ask({ type: 'next' }, 'frame')).toMatchObject({ sequence: 1, idle: 0 });
    talk.process.send({ type: 'next' });
    let counts = await talk.heard('progress');
    while (counts.idle < 2) counts = await talk.heard('progress');
    expect(counts.read).toBe(1 + counts.idle);
    const frame = await talk.ask({ type: 'attend', forMs: 60_000 }, 'frame');
    expect(frame.sequence).toBe(1 + frame.idle + 1);
    const { idle } = await talk.ask({ type: 'next' }, 'frame');
    expect(idle).toBe(frame.idle);
  });

  it('gives crops of the frame it holds, or all of it, and of no others', async () => {
    const talk = begin();
    const { sequence } = await talk.ask({ type: 'next' }, 'frame');
    const cuts = [
      { ...CUT, colour: 'rgb' },
      { ...CUT, colour: 'grey' },
    ] as const;
    const { pixels } = await talk.ask({ type: 'cut', id: 5, sequence, cuts }, 'pixels');
    expect(pixels.map(({ length }) => length)).toEqual([96, 32]);
    const fitted = await talk.ask({ type: 'fit', id: 6, sequence, input: { width: 2, height: 2 } }, 'pixels');
    expect(fitted).toMatchObject({ id: 6 });
    expect(fitted.pixels.map(({ length }) => length)).toEqual([12]);
    const whole = await talk.ask({ type: 'pixels', id: 8, sequence }, 'pixels');
    expect(whole).toMatchObject({ id: 8 });
    expect(whole.pixels.map(({ length }) => length)).toEqual([320 * 240 * 3]);
    // The first pixel by both: the crop is RGB, the frame BGR.
    expect([...(whole.pixels[0]?.subarray(0, 3) ?? [])].reverse()).toEqual([...(pixels[0]?.subarray(0, 3) ?? [])]);
    talk.process.send({ type: 'release', sequence });
    expect(await talk.ask({ type: 'cut', id: 7, sequence, cuts }, 'refused')).toMatchObject({ id: 7 });
    expect(await talk.ask({ type: 'pixels', id: 9, sequence }, 'refused')).toMatchObject({ id: 9 });
  });

  it('tells of the end', async () => {
    const talk = begin();
    expect(await talk.heard('ended')).toEqual({ type: 'ended', left: true });
    await talk.ask({ type: 'next' }, 'frame');
  });

  it('ends when it is told to', async () => {
    const talk = begin();
    await talk.heard('opened');
    talk.process.send({ type: 'close' });
    expect(await talk.exit).toBe('ended with status 0');
    talk.process.send({ type: 'next' });
  });

  it('can be killed', async () => {
    const talk = begin();
    await talk.heard('opened');
    talk.process.kill();
    expect(await talk.exit).toBe('was ended by SIGKILL');
  });
}

/** Everything a process said, to be waited for. */
class Talk {
  readonly process: CameraProcess;
  readonly exit: Promise<string>;
  readonly #heard: FromCamera[] = [];
  readonly #play: (() => Promise<void>) | undefined;
  #wake = () => {};

  constructor(start: StartCamera, play: (() => Promise<void>) | undefined) {
    this.#play = play;
    let exited: (reason: string) => void = () => {};
    this.exit = new Promise((resolve) => {
      exited = resolve;
    });
    this.process = start(
      { ffmpegOptions: '' },
      {
        message: (message) => {
          this.#heard.push(message);
          this.#wake();
        },
        output: () => {},
        exit: exited,
      },
    );
  }

  /** The first message of a type that was not waited for yet. */
  async heard<T extends FromCamera['type']>(type: T): Promise<Extract<FromCamera, { type: T }>> {
    for (;;) {
      const index = this.#heard.findIndex((message) => message.type === type);
      const [message] = index < 0 ? [] : this.#heard.splice(index, 1);
      if (message) return message as Extract<FromCamera, { type: T }>;
      if (this.#play) {
        await this.#play();
        await nextTurn();
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  /** Sends a message and waits for its answer. */
  ask<T extends FromCamera['type']>(message: ToCamera, type: T): Promise<Extract<FromCamera, { type: T }>> {
    this.process.send(message);
    return this.heard(type);
  }
}
