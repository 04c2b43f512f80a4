import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../src/core/clock.ts';
import { type IdentityEvent, identityEvent } from '../../src/events/identity-event.ts';
import { MqttEventPublisher } from '../../src/events/mqtt-event-publisher.ts';
import { openEventSpool } from '../../src/events/sqlite-event-spool.ts';
import { type Heard, MqttListener } from '../events/mqtt-listener.ts';
import { draft, KeepingLogger, onlinePublisher, publisherOptions, until } from '../events/publisher-fixture.ts';
import { DeafProxy } from '../rig/deaf-proxy.ts';
import { Mosquitto } from '../rig/mosquitto.ts';

const EVENTS = 'eyeline/porch/event';

describe.skipIf(!Mosquitto.installed)('MqttEventPublisher while the broker is away (needs mosquitto)', () => {
  const cleanUps: (() => Promise<unknown>)[] = [];
  const later = <T extends { stop(): Promise<unknown> }>(it: T): T => {
    cleanUps.push(() => it.stop());
    return it;
  };

  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
  });

  it('loses nothing, repeats nothing unmarked and passes nothing off as fresh when the broker is killed under load', async () => {
    const broker = later(await Mosquitto.start());
    // Reconnecting waits until the subscriber listens again, or the events would go to nobody.
    const gate = new Gate();
    const folder = await mkdtemp(join(tmpdir(), 'eyeline-spool-'));
    cleanUps.push(() => rm(folder, { recursive: true, force: true }));
    const spool = openEventSpool(join(folder, 'events.sqlite'), 'porch', new KeepingLogger());
    const publisher = later(await onlinePublisher(publisherOptions(broker.url, { clock: gate.clock, spool })));
    const before = await MqttListener.start(broker.url, EVENTS, 0);

    const fresh: boolean[] = [];
    const publish = () => {
      fresh.push(publisher.state === 'online');
      publisher.publishIdentity(draft());
    };
    // All within one turn of the event loop: the first fill the connection, the last wait behind them.
    for (let n = 0; n < 300; n++) publish();
    await before.until((heard) => heard.length >= 20);
    const killed = broker.kill();
    for (let n = 0; n < 100; n++) {
      publish();
      await setImmediate();
    }
    await killed;
    await until(publisher, () => publisher.state === 'connecting');
    for (let n = 0; n < 100; n++) publish();

    await broker.restart();
    const after = later(await MqttListener.start(broker.url, EVENTS, 0));
    gate.open();
    await until(publisher, () => publisher.state === 'online');
    for (let n = 0; n < 10; n++) publish();
    await after.until((heard) => eventsOf(heard).some(({ sequence }) => sequence === 510));

    const first = eventsOf(before.heard);
    const second = eventsOf(after.heard);
    // In order on each connection, nothing twice on one.
    for (const events of [first, second]) {
      expect(events.map(({ sequence }) => sequence)).toEqual(
        [...new Set(events.map(({ sequence }) => sequence))].toSorted((a, b) => a - b),
      );
    }
    expect(new Set([...first, ...second].map(({ sequence }) => sequence)).size).toBe(510);
    // Before: all fresh. After: late but for those that came when the broker was back.
    expect(first.every(({ late }) => !late)).toBe(true);
    expect(second.map(({ sequence, late }) => [sequence, late])).toEqual(
      second.map(({ sequence }) => [sequence, sequence <= 500]),
    );
    // What had come before it waited for the broker is told by the same id.
    const idOf = new Map(first.map(({ sequence, id }) => [sequence, id]));
    for (const { sequence, id } of second) expect(idOf.get(sequence) ?? id).toBe(id);
    expect(new Set([...first, ...second].map(({ id }) => id)).size).toBe(510);
    expect(fresh.slice(400, 500)).not.toContain(true);
    expect(publisher.counters()).toMatchObject({ connects: 2, dropped: 0, waiting: 0 });
  });

  it.each(['there', 'frozen'])('loses nothing when its process is killed while the broker is %s', async (how) => {
    const broker = later(await Mosquitto.start());
    const folder = await mkdtemp(join(tmpdir(), 'eyeline-spool-'));
    cleanUps.push(() => rm(folder, { recursive: true, force: true }));
    const file = join(folder, 'events.sqlite');
    const listener = await MqttListener.start(broker.url, EVENTS, 0);
    const child = spawn(process.execPath, ['--import', 'tsx', 'test/events/publisher-process.ts', broker.url, file], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    cleanUps.push(async () => child.kill('SIGKILL'));
    let said = '';
    const handedOver = () => Math.max(0, ...said.split('\n').slice(1, -1).map(Number));
    const reached = async (sequence: number) => {
      while (handedOver() < sequence) await once(child.stdout, 'data');
    };
    child.stdout.setEncoding('utf8').on('data', (text) => {
      said += text;
    });
    await listener.until((heard) => heard.length >= 200);
    if (how === 'frozen') {
      broker.freeze();
      await reached(handedOver() + 300);
    }
    child.kill('SIGKILL');
    await once(child, 'close');
    broker.thaw();

    const publisher = later(
      await onlinePublisher(
        publisherOptions(broker.url, { spool: openEventSpool(file, 'porch', new KeepingLogger()) }),
      ),
    );
    publisher.publishIdentity(draft());
    await listener.until((heard) => eventsOf(heard.slice(-1)).some(({ bootId }) => bootId === publisher.bootId));
    await listener.stop();

    const events = eventsOf(listener.heard);
    const own = events.filter(({ bootId }) => bootId === publisher.bootId);
    expect(own).toMatchObject([{ sequence: 1, late: false }]);
    const earlier = events.slice(0, -1);
    expect(new Set(earlier.map(({ bootId }) => bootId)).size).toBe(1);
    // Nothing lost: what was handed over has come. The last one may have been in the middle of it.
    const sequences = new Set(earlier.map(({ sequence }) => sequence));
    for (let sequence = 1; sequence <= handedOver(); sequence++) expect(sequences).toContain(sequence);
    expect(sequences.size).toBeLessThanOrEqual(handedOver() + 1);
    // Nothing twice unmarked, and what is told again has its name; in order on each connection.
    const fresh = earlier.filter(({ late }) => !late);
    const late = earlier.filter((event) => event.late);
    for (const told of [fresh, late]) {
      expect(told.map(({ sequence }) => sequence)).toEqual(
        [...new Set(told.map(({ sequence }) => sequence))].toSorted((a, b) => a - b),
      );
    }
    expect(new Set(earlier.map(({ id }) => id)).size).toBe(sequences.size);
    // How many of the last 300 had been acknowledged before the broker froze depends on how late we read what was said.
    if (how === 'frozen') expect(late.length).toBeGreaterThan(0);
  });

  it('sends again, marked, what the broker never acknowledged', async () => {
    const broker = later(await Mosquitto.start());
    const listener = await MqttListener.start(broker.url, EVENTS, 0);
    const publisher = later(await onlinePublisher(publisherOptions(broker.url)));
    broker.freeze();
    publisher.publishIdentity(draft());
    publisher.publishIdentity(draft());
    expect(publisher.counters()).toMatchObject({ inFlight: 2, published: 0 });
    await broker.kill();
    await until(publisher, () => publisher.state === 'connecting');
    expect(publisher.counters()).toMatchObject({ inFlight: 0, waiting: 2 });
    expect(listener.heard).toEqual([]);
    await broker.restart();
    await until(publisher, () => publisher.counters().published === 2);
    expect(publisher.counters()).toMatchObject({ late: 2, dropped: 0 });
  });

  it('notices a frozen broker by its silence and marks what it sends again', async () => {
    const broker = later(await Mosquitto.start());
    const listener = later(await MqttListener.start(broker.url, 'eyeline/#', 0));
    const logger = new KeepingLogger();
    const publisher = later(await onlinePublisher(publisherOptions(broker.url, { keepAliveS: 1, logger })));
    broker.freeze();
    publisher.publishIdentity(draft());
    await until(publisher, () => publisher.state === 'connecting');
    publisher.publishIdentity(draft());
    broker.thaw();
    await until(publisher, () => publisher.counters().published === 2);
    await listener.until((heard) => eventsOf(heard).some(({ sequence }) => sequence === 2));

    // The broker may still read what lay in its socket; that copy is older than the one marked late.
    const events = eventsOf(listener.heard);
    const firsts = events.filter(({ sequence }) => sequence === 1);
    expect(firsts.at(-1)?.late).toBe(true);
    expect(firsts.filter(({ late }) => !late).length).toBeLessThanOrEqual(1);
    expect(new Set(firsts.map(({ id }) => id)).size).toBe(1);
    expect(events.filter(({ sequence }) => sequence === 2).map(({ late }) => late)).toEqual([true]);
    // Whenever the broker publishes the will of the connection given up, `online` has the last word.
    expect(listener.on('porch/status').at(-1)).toBe('online');
    expect(logger.problems[0]).toMatch(/^lost the MQTT broker mqtt:\/\/127\.0\.0\.1:\d+: /);
  });

  it('notices a frozen broker when there is nothing to send', async () => {
    const broker = later(await Mosquitto.start());
    const publisher = later(await onlinePublisher(publisherOptions(broker.url, { keepAliveS: 1 })));
    broker.freeze();
    await until(publisher, () => publisher.lastError !== null);
    expect(publisher.lastError?.message).toContain('Keepalive timeout');
  });

  it('leaves a broker that answers pings but no subscription, says so, and comes back', async () => {
    const broker = later(await Mosquitto.start());
    const proxy = later(new DeafProxy(broker.port));
    const logger = new KeepingLogger();
    const url = `mqtt://127.0.0.1:${await proxy.start()}`;
    const publisher = later(await onlinePublisher(publisherOptions(url, { keepAliveS: 1, logger })));
    expect(proxy.connections).toBeGreaterThan(1);
    expect(logger.problems[0]).toBe(
      `lost the MQTT broker ${url}: no acknowledgement within 1500 ms; trying again until it answers`,
    );
    publisher.publishIdentity(draft());
    await until(publisher, () => publisher.counters().published === 1);
  });

  it('starts without a broker, keeps the newest events and says once that it drops the others', async () => {
    const broker = later(await Mosquitto.start());
    await broker.kill();
    const logger = new KeepingLogger();
    const publisher = later(new MqttEventPublisher(publisherOptions(broker.url, { bufferMax: 5, logger })));
    publisher.start();
    for (let n = 0; n < 12; n++) publisher.publishIdentity(draft());
    expect(publisher.counters()).toMatchObject({ waiting: 5, dropped: 7 });
    await until(publisher, () => publisher.lastError !== null);
    expect(publisher.lastError?.code).toBe('MQTT_UNREACHABLE');

    await broker.restart();
    await until(publisher, () => publisher.counters().published === 5);
    expect(publisher.counters()).toMatchObject({ late: 5, waiting: 0, dropped: 7 });
    const drops = logger.problems.filter((line) => line.includes('dropped'));
    expect(drops).toEqual([
      'more than 5 identity events, or too old ones, waited for the MQTT broker: the oldest are dropped',
    ]);
  });

  it('tells the state as it is now when the broker comes back without a memory', async () => {
    const broker = later(await Mosquitto.start());
    const publisher = later(await onlinePublisher(publisherOptions(broker.url)));
    await broker.kill();
    await until(publisher, () => publisher.state === 'connecting');
    publisher.setCameraStatus('door', 'online');
    publisher.setCameraStatus('door', 'offline');
    await broker.restart();
    await until(publisher, () => publisher.state === 'online');
    const listener = later(await MqttListener.start(broker.url, 'eyeline/porch/camera/door/#'));
    await listener.until((heard) => heard.length >= 2);
    expect(listener.on('status')).toEqual(['offline']);
    expect(listener.on('enabled')).toEqual(['ON']);
  });

  it.each(['gone', 'frozen'])('stops within 2 s when the broker is %s', async (how) => {
    const broker = later(await Mosquitto.start());
    const logger = new KeepingLogger();
    const publisher = await onlinePublisher(publisherOptions(broker.url, { logger }));
    if (how === 'gone') {
      await broker.kill();
      await until(publisher, () => publisher.state === 'connecting');
    } else broker.freeze();
    publisher.publishIdentity(draft());
    const begun = performance.now();
    await publisher.stop();
    expect(performance.now() - begun).toBeLessThan(2000);
    expect(publisher.counters()).toMatchObject({ dropped: 1, waiting: 0, inFlight: 0 });
    expect(logger.problems).toContain('1 identity events were not sent before the stop');
    publisher.publishIdentity(draft());
    expect(publisher.counters()).toMatchObject({ dropped: 2 });
  });

  it('waits longer after each failure, and less by chance', async () => {
    const broker = later(await Mosquitto.start());
    await broker.kill();
    const slept: number[] = [];
    const clock: Clock = {
      ...systemClock,
      sleep: async (ms, signal) => {
        slept.push(ms);
        await systemClock.sleep(0, signal);
      },
    };
    const reconnect = { firstDelayMs: 1000, maxDelayMs: 5000, factor: 2, jitter: 0.5 };
    const publisher = later(
      new MqttEventPublisher(publisherOptions(broker.url, { clock, reconnect, random: () => 0.5 })),
    );
    publisher.start();
    while (slept.length < 5) await setImmediate();
    // 1, 2, 4, 5 (not 8), 5 s, each less by 0.5 * 0.5.
    expect(slept.slice(0, 5)).toEqual([750, 1500, 3000, 3750, 3750]);
  });
});

/** Holds up waiting until it is opened. */
class Gate {
  readonly clock: Clock;
  #open: () => void = () => {};

  constructor() {
    const opened = new Promise<void>((resolve) => {
      this.#open = resolve;
    });
    this.clock = {
      ...systemClock,
      sleep: async (ms, signal) => {
        await opened;
        await systemClock.sleep(ms, signal);
      },
    };
  }

  open(): void {
    this.#open();
  }
}

function eventsOf(heard: readonly Heard[]): IdentityEvent[] {
  return heard.filter(({ topic }) => topic === EVENTS).map(({ text }) => identityEvent.parse(JSON.parse(text)));
}
