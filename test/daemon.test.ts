import { expect, it } from 'vitest';
import { type Clock, systemClock } from '../src/core/clock.ts';
import { Daemon, type DaemonParts } from '../src/daemon.ts';

const noWork = async () => {};

/** Parts that write down what happens to them; `broken` ones fail to stop. */
function parts(log: string[], broken: readonly string[] = []): DaemonParts {
  const part = (name: string) => ({
    start: () => {
      log.push(`start ${name}`);
    },
    stop: async () => {
      log.push(`stop ${name}`);
      if (broken.includes(name)) throw new Error(`${name} is stuck`);
    },
  });
  const say = (text: string) => () => {
    log.push(text);
  };
  return {
    logger: { debug() {}, info() {}, warn() {}, error: (_fields, message) => log.push(message) },
    cameras: [
      {
        id: 'door',
        supervisor: {
          ...part('camera'),
          async *frames() {},
        },
        pipeline: {
          run: noWork,
        },
      },
    ],
    models: { close: noWork },
    gallery: { start: async () => part('gallery').start(), stop: part('gallery').stop },
    sync: part('sync'),
    publisher: part('publisher'),
    metrics: {
      start: async () => {
        if (broken.includes('metrics')) throw new Error('the port is taken');
        part('metrics').start();
      },
      stop: part('metrics').stop,
    },
    manager: { ready: say('ready'), status() {}, stopping: say('stopping'), alive() {}, watchdogMs: null },
    pace: part('pace'),
    watchdog: part('watchdog'),
    failed: new Promise(() => {}),
    clock: systemClock,
  };
}

/** A clock whose sleeps are over as soon as they are begun, and how long they were to be. */
function hastyClock(): Pick<Clock, 'sleep'> & { readonly slept: number[] } {
  const slept: number[] = [];
  return {
    slept,
    sleep: async (ms) => {
      slept.push(ms);
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

const hangs = () => new Promise<never>(() => {});

it('starts in order, ready last, and stops what others wait for first', async () => {
  const log: string[] = [];
  const daemon = new Daemon(parts(log));
  await daemon.start();
  await daemon.stop();
  expect(log).toEqual([
    'start gallery',
    'start sync',
    'start metrics',
    'start publisher',
    'start pace',
    'start camera',
    'start watchdog',
    'ready',
    'stopping',
    'stop camera',
    'stop pace',
    'stop sync',
    'stop publisher',
    'stop gallery',
    'stop metrics',
    'stop watchdog',
  ]);
});

it('stops the rest when a part fails to stop, and says so', async () => {
  const log: string[] = [];
  const daemon = new Daemon(parts(log, ['camera', 'publisher']));
  await daemon.start();
  await daemon.stop();
  expect(log.slice(log.indexOf('stopping'))).toEqual([
    'stopping',
    'stop camera',
    'stopping the cameras failed: camera is stuck',
    'stop pace',
    'stop sync',
    'stop publisher',
    'stopping the publisher failed: publisher is stuck',
    'stop gallery',
    'stop metrics',
    'stop watchdog',
  ]);
});

it('watches on when metrics cannot be served, and says so', async () => {
  const log: string[] = [];
  const daemon = new Daemon(parts(log, ['metrics']));
  await daemon.start();
  await daemon.stop();
  expect(log).toContain('serving metrics failed: the port is taken');
  expect(log).toContain('ready');
  expect(log).toContain('stop watchdog');
});

it('says that the process can end by itself when all has ended', async () => {
  const daemon = new Daemon(parts([]));
  await daemon.start();
  expect(await daemon.stop()).toBe(true);
});

it('leaves a pipeline and models behind that hang, and says that the process cannot end by itself', async () => {
  const log: string[] = [];
  const clock = hastyClock();
  const whole = parts(log);
  const cameras = whole.cameras.map((camera) => ({ ...camera, pipeline: { run: hangs } }));
  const daemon = new Daemon({ ...whole, clock, cameras, models: { close: hangs } });
  await daemon.start();
  expect(await daemon.stop()).toBe(false);
  expect(log.slice(log.indexOf('stopping'))).toEqual([
    'stopping',
    'stop camera',
    'stopping the pipelines takes longer than 2000 ms: it hangs and is left behind',
    'stop pace',
    'stop sync',
    'stop publisher',
    'stop gallery',
    'stop metrics',
    'stop watchdog',
    'stopping the models takes longer than 2000 ms: it hangs and is left behind',
  ]);
  expect(clock.slept).toEqual([2000, 2000]);
});

it('ends by itself when a pipeline hangs for which no model is to blame', async () => {
  const whole = parts([]);
  const cameras = whole.cameras.map((camera) => ({ ...camera, pipeline: { run: hangs } }));
  const daemon = new Daemon({ ...whole, clock: hastyClock(), cameras, models: { close: noWork } });
  await daemon.start();
  expect(await daemon.stop()).toBe(true);
});
