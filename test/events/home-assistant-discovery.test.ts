import { describe, expect, it } from 'vitest';
import { deviceDiscovery } from '../../src/events/home-assistant-discovery.ts';
import { deviceTopics } from '../../src/events/topics.ts';
import {
  AVAILABILITY_FIELDS,
  DEVICE_DISCOVERY,
  DEVICE_FIELDS,
  ORIGIN_FIELDS,
  PLATFORMS,
} from './home-assistant-fields.ts';

const discovery = deviceDiscovery({
  topics: deviceTopics('eyeline', 'porch'),
  device: { id: 'porch', name: 'Porch' },
  version: '1.2.3',
  cameras: [
    { id: 'door', name: 'Front door' },
    { id: 'yard', name: 'Yard' },
  ],
  lastPersonS: 60,
  diagnosticsS: 30,
  temperature: true,
  snapshots: true,
});
const entities = Object.entries(discovery.components);
const others = (value: object, allowed: readonly string[]) =>
  Object.keys(value).filter((key) => !allowed.includes(key));

describe('the discovery message', () => {
  it('has the fields Home Assistant asks for and none it does not know', () => {
    expect(Object.keys(discovery)).toEqual(expect.arrayContaining(DEVICE_DISCOVERY.required));
    expect(others(discovery, DEVICE_DISCOVERY.allowed)).toEqual([]);
    expect(others(discovery.device, DEVICE_FIELDS)).toEqual([]);
    expect(others(discovery.origin, ORIGIN_FIELDS)).toEqual([]);
    expect(discovery.device.identifiers).toEqual(['eyeline_porch']);
    expect(discovery.origin.name).toBe('Eyeline');
  });

  it.each(entities)('describes %s as its platform allows', (key, entity) => {
    const platform = PLATFORMS[entity.platform];
    if (!platform) throw new Error(`${entity.platform} is no platform that was checked`);
    expect(others(entity, platform.allowed)).toEqual([]);
    expect(Object.keys(entity)).toEqual(expect.arrayContaining(['name', 'unique_id', ...platform.required]));
    expect(entity.unique_id).toBe(`eyeline_porch_${key}`);
    if (entity.device_class) expect(platform.deviceClasses).toContain(entity.device_class);
    if (entity.entity_category) expect(platform.categories).toContain(entity.entity_category);
    if (entity.platform === 'image') expect([entity.image_topic, entity.url_topic].filter(Boolean)).toHaveLength(1);
    // A unit of measurement makes a number of it: without a state class no history is kept.
    if (entity.unit_of_measurement) expect(entity.state_class).toBe('measurement');
    for (const one of (entity.availability as object[] | undefined) ?? []) {
      expect(others(one, AVAILABILITY_FIELDS)).toEqual([]);
    }
    for (const [field, value] of Object.entries(entity)) {
      if (field.endsWith('_topic')) expect(value).toMatch(/^eyeline\/porch\/[a-z-]+(?:\/[a-z-]+)*$/);
    }
  });

  it('has what a door and a camera need', () => {
    expect(entities.map(([key, { platform }]) => `${platform} ${key}`)).toEqual([
      'event door_identity',
      'binary_sensor door_person',
      'sensor door_last_person',
      'switch door_enabled',
      'button door_snapshot',
      'image door_picture',
      'sensor door_fps',
      'sensor door_latency',
      'event yard_identity',
      'binary_sensor yard_person',
      'sensor yard_last_person',
      'switch yard_enabled',
      'button yard_snapshot',
      'image yard_picture',
      'sensor yard_fps',
      'sensor yard_latency',
      'sensor gallery_version',
      'sensor gallery_people',
      'sensor encoder',
      'sensor temperature',
    ]);
  });

  it('offers no snapshot and no temperature where there are none', () => {
    const keys = Object.keys(
      deviceDiscovery({
        topics: deviceTopics('eyeline', 'porch'),
        device: { id: 'porch', name: 'Porch' },
        version: '1.2.3',
        cameras: [{ id: 'door', name: 'Front door' }],
        lastPersonS: 60,
        diagnosticsS: 30,
        temperature: false,
        snapshots: false,
      }).components,
    );
    expect(keys.filter((key) => /snapshot|picture|temperature/.test(key))).toEqual([]);
  });
});
