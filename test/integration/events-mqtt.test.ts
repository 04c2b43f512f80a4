import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { identityEvent } from '../../src/events/identity-event.ts';
import { MqttConnection } from '../../src/events/mqtt-connection.ts';
import { MqttEventPublisher, type MqttEventPublisherOptions } from '../../src/events/mqtt-event-publisher.ts';
import { MqttListener } from '../events/mqtt-listener.ts';
import { draft, KeepingLogger, onlinePublisher, publisherOptions, until } from '../events/publisher-fixture.ts';
import { Mosquitto } from '../rig/mosquitto.ts';

describe.skipIf(!Mosquitto.installed)('MqttEventPublisher with mosquitto (needs mosquitto)', () => {
  let broker: Mosquitto;
  let listener: MqttListener;
  const publishers: MqttEventPublisher[] = [];

  const online = async (changes: Partial<MqttEventPublisherOptions> = {}) => {
    const publisher = await onlinePublisher(publisherOptions(broker.url, changes));
    publishers.push(publisher);
    return publisher;
  };

  beforeEach(async () => {
    broker = await Mosquitto.start();
    listener = await MqttListener.start(broker.url, 'eyeline/#');
  });

  afterEach(async () => {
    await Promise.all(publishers.splice(0).map((publisher) => publisher.stop()));
    await listener.stop();
    await broker.stop();
  });

  it('tells the state of everything first, then that it is online', async () => {
    const publisher = new MqttEventPublisher(publisherOptions(broker.url));
    publishers.push(publisher);
    publisher.setGallery({
      version: 7,
      people: 2,
      templates: 5,
      encoder: 'sha256-abc',
      syncedAtMs: 1_700_000_000_123,
      alike: [],
    });
    publisher.start();
    await listener.until((heard) => heard.some(({ topic }) => topic === 'eyeline/porch/status'));

    const told = listener.heard.map(({ topic, text }) => [topic, text]);
    expect(told.slice(0, -1).toSorted()).toEqual([
      ['eyeline/porch/camera/door/enabled', 'ON'],
      ['eyeline/porch/camera/door/person', 'OFF'],
      ['eyeline/porch/camera/door/status', 'connecting'],
      ['eyeline/porch/camera/yard/enabled', 'OFF'],
      ['eyeline/porch/camera/yard/person', 'OFF'],
      ['eyeline/porch/camera/yard/status', 'disabled'],
      [
        'eyeline/porch/gallery',
        '{"version":7,"people":2,"templates":5,"encoder":"sha256-abc","lastSync":"2023-11-14T22:13:20.123Z","alike":[]}',
      ],
    ]);
    expect(told.at(-1)).toEqual(['eyeline/porch/status', 'online']);
  });

  it('keeps state for those who subscribe later, and never an identity', async () => {
    const publisher = await online();
    publisher.publishIdentity(draft());
    publisher.setCameraStatus('door', 'online');
    await until(publisher, () => publisher.counters().published === 1);
    await listener.until(() => listener.on('camera/door/status').includes('online'));

    const late = await MqttListener.start(broker.url, 'eyeline/#');
    await late.until((heard) => heard.length >= 7);
    // Retained messages come before the answer to this one.
    await late.publish('eyeline/marker', 'x');
    await late.until((heard) => heard.some(({ topic }) => topic === 'eyeline/marker'));
    const kept = late.heard.filter(({ retain }) => retain).map(({ topic, text }) => `${topic} ${text}`);
    await late.stop();
    expect(kept.toSorted()).toEqual([
      'eyeline/porch/camera/door/enabled ON',
      'eyeline/porch/camera/door/person OFF',
      'eyeline/porch/camera/door/status online',
      'eyeline/porch/camera/yard/enabled OFF',
      'eyeline/porch/camera/yard/person OFF',
      'eyeline/porch/camera/yard/status disabled',
      'eyeline/porch/status online',
    ]);
    expect(late.on('/event')).toEqual([]);
  });

  it('publishes an identity with QoS 1, JSON, an expiry and every field of the contract', async () => {
    const publisher = await online({ expireAfterMs: 8000 });
    const capturedAtMs = Date.now();
    publisher.publishIdentity(draft({ capturedAtMs }));
    await listener.until(() => listener.on('/event').length === 1);

    const heard = listener.heard.find(({ topic }) => topic === 'eyeline/porch/event');
    expect(heard).toMatchObject({ qos: 1, retain: false, contentType: 'application/json' });
    // mosquitto passes on what is left of the 8 s.
    expect(heard?.expiryS).toBeGreaterThanOrEqual(7);
    expect(heard?.expiryS).toBeLessThanOrEqual(8);
    const event = identityEvent.parse(JSON.parse(heard?.text ?? ''));
    expect(event).toMatchObject({
      schema: 'eyeline.identity/1',
      bootId: publisher.bootId,
      sequence: 1,
      device: 'porch',
      camera: 'door',
      capturedAt: new Date(capturedAtMs).toISOString(),
      expiresAt: new Date(capturedAtMs + 8000).toISOString(),
      late: false,
      person: { id: 'ada', name: 'Ada Lovelace' },
    });
  });

  it('marks an event late that has expired before it is sent', async () => {
    const publisher = await online({ expireAfterMs: 1000 });
    publisher.publishIdentity(draft({}, 1500));
    await listener.until(() => listener.on('/event').length === 1);
    const heard = listener.heard.find(({ topic }) => topic.endsWith('/event'));
    expect(JSON.parse(heard?.text ?? '')).toMatchObject({ late: true });
    expect(heard?.expiryS).toBeLessThanOrEqual(1);
  });

  it('passes over drafts that make no valid event', async () => {
    const logger = new KeepingLogger();
    const publisher = await online({ logger });
    publisher.publishIdentity(draft({ score: Number.NaN }));
    publisher.publishIdentity(draft({ capturedAtMs: Number.NaN }));
    publisher.publishIdentity(draft({ decision: 'unknown' }));
    publisher.publishIdentity(draft());
    await listener.until(() => listener.on('/event').length === 1);
    await until(publisher, () => publisher.counters().published === 1);
    expect(publisher.counters()).toMatchObject({ invalid: 3, waiting: 0, inFlight: 0 });
    expect(listener.on('/event').map((text) => JSON.parse(text).sequence)).toEqual([1]);
    expect(logger.problems.join('\n')).toContain('camera door: identity event is not valid: person: only a known');
    expect(logger.problems.join('\n')).not.toContain('Ada');
  });

  it('says stopped when it stops', async () => {
    const publisher = await online();
    publisher.publishIdentity(draft());
    await publisher.stop();
    await listener.until(() => listener.on('porch/status').includes('stopped'));
    expect(listener.on('/event')).toHaveLength(1);
    // A will would come now: the broker publishes it when it closes the connection, which it has.
    await listener.publish('eyeline/marker', 'x');
    await listener.until((heard) => heard.some(({ topic }) => topic === 'eyeline/marker'));
    expect(listener.on('porch/status')).toEqual(['online', 'stopped']);
    expect(publisher.state).toBe('stopped');
  });

  it('is declared offline by the broker when its process is killed', async () => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'test/events/publisher-process.ts', broker.url], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await once(child.stdout, 'data');
      child.kill('SIGKILL');
      await listener.until(() => listener.on('porch/status').length === 2);
    } finally {
      child.kill('SIGKILL');
    }
    expect(listener.on('porch/status')).toEqual(['online', 'offline']);
    const late = await MqttListener.start(broker.url, 'eyeline/porch/status');
    await late.until((heard) => heard.length > 0);
    await late.stop();
    expect(late.heard[0]).toMatchObject({ text: 'offline', retain: true });
  });

  it('switches cameras on ON and OFF and passes over anything else', async () => {
    const logger = new KeepingLogger();
    const publisher = await online({ logger });
    const asked: [string, boolean][] = [];
    publisher.onCameraEnabled((camera, enabled) => {
      asked.push([camera, enabled]);
      publisher.setCameraEnabled(camera, enabled);
      if (camera === 'yard') throw new Error('cannot');
    });
    const set = (camera: string, text: string) => listener.publish(`eyeline/porch/camera/${camera}/enabled/set`, text);
    await set('door', 'OFF');
    await set('door', 'off');
    await set('door', '');
    await set('door', '{"state":"OFF"}');
    await set('door', 'ON'.padEnd(5000));
    await set('cellar', 'OFF');
    await set('door', ' ON\n');
    await set('yard', 'ON');
    await until(publisher, () => asked.length === 3);
    await listener.until(() => listener.on('yard/enabled').length === 2);

    expect(asked).toEqual([
      ['door', false],
      ['door', true],
      ['yard', true],
    ]);
    expect(listener.on('door/enabled')).toEqual(['ON', 'OFF', 'ON']);
    expect(publisher.counters()).toMatchObject({ commands: 3, ignoredCommands: 4 });
    expect(logger.problems).toEqual([
      'camera door: command on eyeline/porch/camera/door/enabled/set is ignored: it is neither ON nor OFF',
      'camera yard: command failed: cannot',
    ]);
  });

  it('does not let a retained command from the past blind a camera', async () => {
    await listener.publish('eyeline/porch/camera/door/enabled/set', 'OFF', true);
    const asked: boolean[] = [];
    const logger = new KeepingLogger();
    const publisher = new MqttEventPublisher(publisherOptions(broker.url, { logger }));
    publishers.push(publisher);
    publisher.onCameraEnabled((_camera, enabled) => asked.push(enabled));
    publisher.start();
    await until(publisher, () => publisher.counters().ignoredCommands === 1);
    // One that is published now counts, retained or not.
    await listener.publish('eyeline/porch/camera/door/enabled/set', 'ON', true);
    await until(publisher, () => asked.length > 0);
    expect(asked).toEqual([true]);
    expect(logger.problems).toEqual([
      'camera door: command on eyeline/porch/camera/door/enabled/set is ignored: it is retained, so it may be old',
    ]);
  });

  it('answers commands by request and response of MQTT 5', async () => {
    const publisher = await online();
    publisher.onCommand(async (request) => ({ did: request.command }));
    const answers: { topic: string; correlation: string; response: unknown }[] = [];
    // Before the recorder's own listener, which looks whether all there is to wait for has come.
    listener.client.prependListener('message', (topic, payload, { properties }) => {
      if (!topic.startsWith('hub/') && !topic.endsWith('/response')) return;
      const correlation = properties?.correlationData?.toString() ?? '';
      answers.push({ topic, correlation, response: JSON.parse(payload.toString()) });
    });
    await listener.client.subscribeAsync('hub/#', { qos: 1 });
    const ask = (payload: string, responseTopic: string, correlation: string) =>
      listener.client.publishAsync('eyeline/porch/command', payload, {
        qos: 1,
        properties: { responseTopic, correlationData: Buffer.from(correlation) },
      });
    await ask('{"command":"camera","camera":"door","enabled":true}', 'hub/answer', 'one');
    await ask('{"command":"snapshot","camera":"door","id":"two"}', 'hub/answer', 'two');
    await ask('}{', 'eyeline/porch/event', 'three');
    await listener.until(() => answers.length === 3);
    // Answers on different topics come in no order.
    const asked = ['one', 'two', 'three'].map((it) => answers.find(({ correlation }) => correlation === it));
    expect(asked).toMatchObject([
      { topic: 'hub/answer', correlation: 'one', response: { ok: true, result: { did: 'camera' } } },
      { topic: 'hub/answer', correlation: 'two', response: { ok: false, id: 'two', error: { code: 'NOT_ALLOWED' } } },
      { topic: 'eyeline/porch/response', correlation: 'three', response: { ok: false, error: { code: 'MALFORMED' } } },
    ]);
    expect(publisher.counters()).toMatchObject({ requests: 1, refusedRequests: 2, connects: 1 });
    expect(listener.on('/event')).toEqual([]);
  });

  it('keeps to the number of unacknowledged messages the broker allows', async () => {
    const strict = await Mosquitto.start({ lines: ['max_inflight_messages 2'] });
    const publisher = await onlinePublisher(publisherOptions(strict.url));
    publishers.push(publisher);
    let most = 0;
    publisher.onActivity(() => {
      most = Math.max(most, publisher.counters().inFlight);
    });
    for (let n = 0; n < 50; n++) publisher.publishIdentity(draft());
    await until(publisher, () => publisher.counters().published === 50);
    await publisher.stop();
    await strict.stop();
    expect(most).toBe(2);
    expect(publisher.counters()).toMatchObject({ connects: 1, late: 0, dropped: 0 });
  });

  it('tells why the broker ended the connection', async () => {
    const connection: MqttConnection = new MqttConnection({
      ...publisherOptions(broker.url),
      clientId: 'rule-breaker',
      protocolVersion: 5,
      will: { topic: 'eyeline/will', payload: 'offline' },
      userProperties: { device: 'Porch', software: 'eyeline/0.1.0' },
      onMessage: () => {},
      // MQTT 5, section 3.3.2.1: the topic of a message must not contain wildcards.
      onUp: () => connection.publish({ topic: 'eyeline/#', payload: '', retain: false }, () => {}),
    });
    const { reason } = await connection.open();
    expect(reason).toMatch(/^the broker ended the connection: (Protocol Error|Malformed Packet)$/);
  });

  it('goes on when the broker refuses what it publishes', async () => {
    const strict = await Mosquitto.start({ acl: ['topic read #', 'topic write eyeline/porch/status'] });
    const logger = new KeepingLogger();
    const publisher = await onlinePublisher(publisherOptions(strict.url, { logger }));
    publishers.push(publisher);
    publisher.publishIdentity(draft());
    publisher.publishIdentity(draft());
    await until(publisher, () => publisher.counters().refused === 8);
    await publisher.stop();
    await strict.stop();
    expect(publisher.counters()).toMatchObject({ published: 0, connects: 1, inFlight: 0 });
    expect(logger.problems.filter((line) => line.includes('/event'))).toEqual([
      'the MQTT broker refused a message on eyeline/porch/event: Publish error: Not authorized',
    ]);
  });
});
