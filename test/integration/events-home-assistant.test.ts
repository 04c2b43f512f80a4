import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../src/core/clock.ts';
import { type AttemptReport, attemptReport } from '../../src/events/attempt.ts';
import type { MqttEventPublisher, MqttEventPublisherOptions } from '../../src/events/mqtt-event-publisher.ts';
import { MqttListener } from '../events/mqtt-listener.ts';
import { draft, onlinePublisher, publisherOptions } from '../events/publisher-fixture.ts';
import { Mosquitto } from '../rig/mosquitto.ts';

const CONFIG = 'homeassistant/device/porch/config';

describe.skipIf(!Mosquitto.installed)('what Home Assistant is told (needs mosquitto)', () => {
  let broker: Mosquitto;
  let listener: MqttListener;
  const publishers: MqttEventPublisher[] = [];

  const start = async (changes: Partial<MqttEventPublisherOptions> = {}, enabled = true) => {
    const options = publisherOptions(broker.url, changes);
    const publisher = await onlinePublisher({ ...options, homeAssistant: { ...options.homeAssistant, enabled } });
    publishers.push(publisher);
    return publisher;
  };
  const configs = () => listener.heard.filter(({ topic }) => topic === CONFIG);

  beforeEach(async () => {
    broker = await Mosquitto.start();
    listener = await MqttListener.start(broker.url, '#');
  });

  afterEach(async () => {
    await Promise.all(publishers.splice(0).map((publisher) => publisher.stop()));
    await listener.stop();
    await broker.stop();
  });

  it('is retained, and told again when Home Assistant starts', async () => {
    await start();
    await listener.until(() => configs().length === 1);
    await listener.publish('homeassistant/status', 'offline');
    await listener.publish('homeassistant/status', 'online');
    await listener.until(() => configs().length === 2);
    expect(configs()[1]?.text).toBe(configs()[0]?.text);
    expect(configs()[0]).toMatchObject({ qos: 1, contentType: 'application/json' });
    const late = await MqttListener.start(broker.url, CONFIG);
    await late.until((heard) => heard.length === 1);
    expect(late.heard[0]?.retain).toBe(true);
    await late.stop();
  });

  it('takes back the entities and the state of a camera that is gone', async () => {
    const first = await start();
    await first.stop();
    listener.heard.length = 0;
    await start({ cameras: [{ id: 'door', name: 'Door', enabled: true }] });
    await listener.until(() => configs().length >= 2 && listener.on('yard/person').includes(''));
    const { components } = JSON.parse(configs().at(-1)?.text ?? '');
    expect(components.yard_identity).toEqual({ platform: 'event' });
    expect(components.yard_enabled).toEqual({ platform: 'switch' });
    expect(Object.keys(components.door_identity).length).toBeGreaterThan(1);
    await listener.until(() => ['yard/status', 'yard/enabled'].every((end) => listener.on(end).includes('')));
    expect(listener.on('door/status')).not.toContain('');

    // The next run has forgotten them.
    await publishers.pop()?.stop();
    listener.heard.length = 0;
    await start({ cameras: [{ id: 'door', name: 'Door', enabled: true }] });
    await listener.until(() => configs().length === 1);
    expect(JSON.parse(configs()[0]?.text ?? '').components).not.toHaveProperty('yard_identity');
  });

  it('is taken back when discovery is switched off', async () => {
    const first = await start();
    await first.stop();
    await start({}, false);
    await listener.until(() => configs().some(({ text }) => text === ''));
  });

  it('leaves alone what somebody else announced under the same name', async () => {
    await listener.publish(
      CONFIG,
      '{"device":{},"origin":{"name":"other"},"components":{"a":{"platform":"sensor","x":1}}}',
      true,
    );
    await start({}, false);
    await listener.publish('eyeline/marker', 'x');
    await listener.until((heard) => heard.some(({ topic }) => topic === 'eyeline/marker'));
    expect(configs()).toHaveLength(1);
  });

  it('names the last person of a camera, and nobody when that is over', async () => {
    const naps: { ms: number; end: () => void }[] = [];
    const clock: Clock = {
      ...systemClock,
      sleep: (ms, signal) =>
        ms === 60_000 ? new Promise((end) => naps.push({ ms, end: () => end() })) : systemClock.sleep(ms, signal),
    };
    const publisher = await start({ clock });
    publisher.publishIdentity(draft({ decision: 'unknown', person: null }));
    publisher.publishIdentity(draft());
    publisher.publishIdentity(draft({ type: 'exit' }));
    await listener.until(() => listener.on('door/last-person').length === 1);
    expect(JSON.parse(listener.on('door/last-person')[0] ?? '')).toEqual({
      name: 'Ada Lovelace',
      id: 'ada',
      score: 0.71,
    });
    expect(naps).toHaveLength(1);
    naps[0]?.end();
    await listener.until(() => listener.on('door/last-person').length === 2);
    expect(JSON.parse(listener.on('door/last-person')[1] ?? '')).toMatchObject({ name: null });
    expect(listener.heard.filter(({ topic, retain }) => topic.endsWith('last-person') && retain)).toEqual([]);
  });

  it('tells who is in view as state, and diagnostics as news', async () => {
    const publisher = await start();
    publisher.setCameraStatus('door', 'online');
    publisher.setPersonPresent('door', true);
    publisher.tellDiagnostics({ temperatureC: 48.5, cameras: { door: { fps: 9.9, latencyMs: 31.5 } } });
    await listener.until(() => listener.on('door/person').includes('ON') && listener.on('/diagnostics').length === 1);
    expect(listener.on('/diagnostics')).toEqual([
      '{"temperatureC":48.5,"cameras":{"door":{"fps":9.9,"latencyMs":31.5}}}',
    ]);
  });

  it('tells nobody to be in view of a camera that has gone, though a frame of it was still in work', async () => {
    const publisher = await start();
    publisher.setCameraStatus('door', 'online');
    publisher.setPersonPresent('door', true);
    await listener.until(() => listener.on('door/person').at(-1) === 'ON');
    publisher.setCameraStatus('door', 'disabled');
    publisher.setPersonPresent('door', true);
    publisher.setGallery({ version: 8, people: 0, templates: 0, encoder: 'sha256-abc', syncedAtMs: null, alike: [] });
    await listener.until(() => listener.on('/gallery').length === 1);
    expect(listener.on('door/person').at(-1)).toBe('OFF');
    publisher.setCameraStatus('door', 'online');
    publisher.setPersonPresent('door', true);
    await listener.until(() => listener.on('door/person').at(-1) === 'ON');
  });

  it('tells single looks on the debug topic, never retained', async () => {
    const publisher = await start();
    const report: AttemptReport = {
      schema: 'eyeline.attempt/1',
      camera: 'door',
      track: 'door-1',
      capturedAt: new Date(0).toISOString(),
      quality: 0.8,
      mask: null,
      encoder: 'enc',
      liveness: null,
      matches: [{ person: 'ada', score: 0.4, llr: 2.5, excluded: false }],
      decision: 'undecided',
      person: null,
    };
    publisher.tellAttempt(report);
    await listener.until(() => listener.on('/debug/attempt').length === 1);
    expect(attemptReport.parse(JSON.parse(listener.on('/debug/attempt')[0] ?? ''))).toEqual(report);
    expect(listener.heard.filter(({ topic, retain }) => topic.endsWith('/attempt') && retain)).toEqual([]);
  });
});
