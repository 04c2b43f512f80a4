import { afterEach, beforeEach, expect, it } from 'vitest';
import { EmbeddedBroker } from '../../src/commands/demo/embedded-broker.ts';
import { systemClock } from '../../src/core/clock.ts';
import { MqttEventPublisher } from '../../src/events/mqtt-event-publisher.ts';
import { MqttListener } from '../events/mqtt-listener.ts';
import { draft, KeepingLogger, onlinePublisher, publisherOptions, until } from '../events/publisher-fixture.ts';

let broker: EmbeddedBroker;
let url: string;

beforeEach(async () => {
  broker = new EmbeddedBroker();
  ({ url } = await broker.start());
});

afterEach(() => broker.stop());

it('speaks MQTT 3.1.1 with a broker that refuses 5, without waiting', async () => {
  const logger = new KeepingLogger();
  const listener = await MqttListener.start(url, 'eyeline/#', 1, { protocolVersion: 4 });
  let slept = 0;
  const sleep = (ms: number, signal?: AbortSignal) => {
    slept++;
    return systemClock.sleep(ms, signal);
  };
  const publisher = await onlinePublisher(publisherOptions(url, { logger, clock: { ...systemClock, sleep } }));
  expect(slept).toBe(0);
  publisher.publishIdentity(draft());
  await listener.until(() => listener.on('/event').length === 1);
  await until(publisher, () => publisher.counters().published === 1);
  expect(listener.on('porch/status')).toEqual(['online']);
  expect(JSON.parse(listener.on('/event')[0] ?? '')).toMatchObject({ sequence: 1 });
  expect(logger.problems).toEqual([]);
  await publisher.stop();
  await listener.stop();
});

it('says stopped over MQTT 3.1.1 too, and passes on no will then', async () => {
  const listener = await MqttListener.start(url, 'eyeline/#', 1, { protocolVersion: 4 });
  const publisher = await onlinePublisher(publisherOptions(url, { protocolVersion: 4 }));
  await publisher.stop();
  await listener.until(() => listener.on('porch/status').includes('stopped'));
  await listener.publish('eyeline/marker', 'x');
  await listener.until((heard) => heard.some(({ topic }) => topic === 'eyeline/marker'));
  expect(listener.on('porch/status')).toEqual(['online', 'stopped']);
  await listener.stop();
});

it('takes a broker that refuses the version asked for as one that cannot be reached', async () => {
  const publisher = new MqttEventPublisher(publisherOptions(url, { protocolVersion: 5 }));
  publisher.start();
  await until(publisher, () => publisher.lastError !== null);
  expect(publisher.lastError?.message).toContain('Unacceptable protocol version');
  await publisher.stop();
});
