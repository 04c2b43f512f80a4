import { readFile } from 'node:fs/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { schemaFiles } from '../../scripts/generate-event-schema.ts';
import { galleryPayload, gallerySyncPayload } from '../../src/events/device-state.ts';
import { announcementTopic, deviceTopics } from '../../src/events/topics.ts';

const published = async (name: string) =>
  JSON.parse(await readFile(new URL(`../../docs/schemas/${name}`, import.meta.url), 'utf8'));
/** Formats and patterns of zod's own are checked by zod; what matters here is the shape. */
const ajv = new Ajv2020({ strict: false, validateFormats: false });
const mqttDocs = readFile(new URL('../../docs/mqtt.md', import.meta.url), 'utf8');

describe('docs/schemas', () => {
  it.each(Object.entries(schemaFiles()))('%s is what `npm run docs` writes', async (name, schema) => {
    expect(await published(name)).toEqual(JSON.parse(JSON.stringify(schema)));
  });

  it('takes the event of docs/mqtt.md, with a field of a later version, and no event without its time', async () => {
    const validate = ajv.compile(await published('identity-event.schema.json'));
    const example = JSON.parse(/```json\n(\{\n {2}"schema"[\s\S]*?)```/.exec(await mqttDocs)?.[1] ?? '');
    expect(validate({ ...example, gait: 0.5 }), JSON.stringify(validate.errors)).toBe(true);
    expect(validate({ ...example, expiresAt: undefined })).toBe(false);
    expect(validate({ ...example, type: 'open' })).toBe(false);
  });

  it('takes the requests and the answer of docs/mqtt.md', async () => {
    const request = ajv.compile(await published('command-request.schema.json'));
    const response = ajv.compile(await published('command-response.schema.json'));
    const text = await mqttDocs;
    const requests = [...text.matchAll(/\| `(\{"command"[^`]*)`/g)].map(([, json]) => JSON.parse(json ?? ''));
    expect(requests.map(({ command }) => command)).toEqual(['camera', 'snapshot', 'gallery-sync', 'deny', 'settings']);
    for (const one of requests) expect(request(one), JSON.stringify(request.errors)).toBe(true);
    expect(request({ command: 'camera', camera: 'door', enabled: true, more: 1 })).toBe(false);
    const answer = /```json\n(\{ "schema": "eyeline.response\/1"[^\n]*)\n```/.exec(text)?.[1] ?? '';
    expect(response(JSON.parse(answer)), JSON.stringify(response.errors)).toBe(true);
  });
});

describe('docs/schemas/asyncapi.json', () => {
  it('has an operation for each channel, and each refers to what is there', async () => {
    const api = await published('asyncapi.json');
    expect(api.asyncapi).toBe('3.0.0');
    const at = (ref: string) =>
      ref
        .slice(2)
        .split('/')
        .reduce((value, key) => value?.[key], api);
    const operations = Object.values<{ action: string; channel: { $ref: string }; messages: { $ref: string }[] }>(
      api.operations,
    );
    expect(operations.map(({ channel }) => channel.$ref).sort()).toEqual(
      Object.keys(api.channels)
        .map((id) => `#/channels/${id}`)
        .sort(),
    );
    for (const { action, channel, messages } of operations) {
      expect(['send', 'receive']).toContain(action);
      for (const { $ref } of [channel, ...messages]) expect(at($ref), $ref).toBeDefined();
    }
    for (const { address, parameters } of Object.values<{ address: string; parameters: object }>(api.channels)) {
      const named = [...address.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      expect(Object.keys(parameters).sort()).toEqual(named.sort());
      expect(await mqttDocs).toContain(`\`${address.replaceAll(/\{(\w+)\}/g, '<$1>')}\``);
    }
  });

  it('has every topic of a device, and of its site', async () => {
    const { cameraOf: _, retainedOfCameras: __, ...topics } = deviceTopics('eyeline', 'gate');
    const addresses = Object.values(topics).map((topic) => (typeof topic === 'string' ? topic : topic('door')));
    const api = await published('asyncapi.json');
    const channels = Object.values<{ address: string }>(api.channels).map(({ address }) =>
      address.replace('{device}', 'gate').replace('{camera}', 'door').replace('{site}', 'home'),
    );
    expect(channels.sort()).toEqual([...addresses, announcementTopic('eyeline', 'home')].sort());
  });

  it('says what payloads are like that nothing here reads', async () => {
    const api = await published('asyncapi.json');
    const takes = (channel: string, payload: string) => {
      const validate = ajv.compile(api.channels[channel].messages[channel].payload);
      return [validate(JSON.parse(payload)), validate.errors];
    };
    const encoder = 'ab'.repeat(32);
    const gallery = galleryPayload({
      version: 7,
      people: 2,
      templates: 5,
      encoder,
      syncedAtMs: 0,
      alike: [{ encoder: 'enc', people: 22, raisedBy: 0.19, spread: 1.1, leftOut: 0 }],
    });
    expect(takes('gallery', gallery)).toEqual([true, null]);
    const sync = {
      state: 'current',
      version: 7,
      syncedAtMs: null,
      code: null,
      message: null,
      deviceKey: 'k',
      receipt: null,
    };
    expect(takes('gallerySync', gallerySyncPayload(sync))).toEqual([true, null]);
    for (const [channel, example] of [
      ['cameraLastPerson', '{"name":"Ann","id":"ann","score":0.71}'],
      ['diagnostics', '{"temperatureC":null,"cameras":{"door":{"fps":9.9,"latencyMs":31.5}}}'],
    ] as const) {
      expect(takes(channel, example)).toEqual([true, null]);
      expect(takes(channel, '{}')[0]).toBe(false);
    }
  });
});
