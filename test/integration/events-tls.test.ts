import { readFile, rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MqttEventPublisher } from '../../src/events/mqtt-event-publisher.ts';
import { MqttListener } from '../events/mqtt-listener.ts';
import { draft, KeepingLogger, onlinePublisher, publisherOptions, until } from '../events/publisher-fixture.ts';
import { type Certificates, Mosquitto, makeCertificates } from '../rig/mosquitto.ts';

const PASSWORD = 'correct horse';

describe.skipIf(!Mosquitto.installed)('MqttEventPublisher with a guarded mosquitto (needs mosquitto)', () => {
  let certificates: Certificates;
  let broker: Mosquitto;
  let tls: { ca: Buffer; cert: Buffer; key: Buffer; passphrase: string; verify: boolean };

  beforeAll(async () => {
    certificates = await makeCertificates();
    broker = await Mosquitto.start({ certificates, users: { porch: PASSWORD } });
    tls = {
      ca: await readFile(certificates.ca),
      cert: await readFile(certificates.clientCert),
      key: await readFile(certificates.clientKey),
      passphrase: certificates.clientKeyPassword,
      verify: true,
    };
  });

  afterAll(async () => {
    await broker.stop();
    await rm(certificates.dir, { recursive: true, force: true });
  });

  it('publishes over TLS with a client certificate, a user name and a password', async () => {
    const login = { username: 'porch', password: PASSWORD };
    const listener = await MqttListener.start(broker.url, 'eyeline/#', 1, { ...tls, ...login });
    const publisher = await onlinePublisher(publisherOptions(broker.url, { ...login, tls }));
    publisher.publishIdentity(draft());
    await listener.until(() => listener.on('/event').length === 1);
    await publisher.stop();
    await listener.until(() => listener.on('porch/status').includes('stopped'));
    await listener.stop();
  });

  it.each([
    ['a wrong password', { username: 'porch', password: 'wrong horse' }, {}, 'Connection refused: Not authorized'],
    ['no client certificate', {}, { cert: null, key: null }, 'certificate required'],
    ['an unknown authority', {}, { ca: null }, 'self-signed certificate'],
    ['a wrong key password', {}, { passphrase: 'wrong' }, ': bad decrypt'],
  ])('reports %s once, keeps trying and tells no secret', async (_what, login, wrongTls, reason) => {
    const logger = new KeepingLogger();
    let slept = 0;
    const options = publisherOptions(broker.url, {
      username: 'porch',
      password: PASSWORD,
      ...login,
      tls: { ...tls, ...wrongTls },
      logger,
    });
    const { clock } = options;
    const counting = {
      ...clock,
      sleep: (ms: number, signal?: AbortSignal) => {
        slept++;
        return clock.sleep(ms, signal);
      },
    };
    const publisher = new MqttEventPublisher({ ...options, clock: counting });
    publisher.start();
    while (slept < 3) await clock.sleep(5);
    const state = publisher.state;
    await publisher.stop();

    expect(state).toBe('connecting');
    expect(publisher.counters().connects).toBe(0);
    expect(publisher.lastError?.message).toContain(reason);
    expect(logger.problems).toHaveLength(1);
    expect(logger.lines.find(({ level }) => level === 'warn')?.fields).toMatchObject({ code: 'MQTT_UNREACHABLE' });
    expect(JSON.stringify([logger.lines, publisher.lastError?.message])).not.toMatch(/horse|test-key-password/);
  });

  it('comes in as soon as the password is right, and shows no secret of the URL', async () => {
    const guarded = await Mosquitto.start({ users: { porch: 'old' } });
    const logger = new KeepingLogger();
    const url = guarded.url.replace('mqtt://', "mqtt://porch:new'secret@");
    const publisher = new MqttEventPublisher(publisherOptions(url, { logger }));
    publisher.start();
    await until(publisher, () => publisher.lastError !== null);
    await guarded.kill();
    await guarded.setUsers({ porch: "new'secret" });
    await guarded.restart();
    await until(publisher, () => publisher.state === 'online');
    expect(publisher.lastError).toBeNull();
    await publisher.stop();
    await guarded.stop();
    expect(JSON.stringify(logger.lines)).not.toMatch(/new|secret/);
    expect(logger.lines.find(({ level }) => level === 'info')?.fields).toMatchObject({
      broker: guarded.url.replace('mqtt://', 'mqtt://***@'),
    });
  });
});
