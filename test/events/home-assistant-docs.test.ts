import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { deviceDiscovery, IDENTITY_EVENT_TYPES } from '../../src/events/home-assistant-discovery.ts';
import { type IdentityEvent, identityEvent } from '../../src/events/identity-event.ts';
import { deviceTopics } from '../../src/events/topics.ts';

const page = await readFile('docs/home-assistant.md', 'utf8');
const blocks = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, text]) => text ?? '');
const topics = deviceTopics('eyeline', 'porch');
const discovery = deviceDiscovery({
  topics,
  device: { id: 'porch', name: 'Porch' },
  version: '1.2.3',
  cameras: [{ id: 'front-door', name: 'Front door' }],
  lastPersonS: 60,
  diagnosticsS: 30,
  temperature: true,
  snapshots: true,
});
const entities = Object.values(discovery.components);
/** As Home Assistant makes ids of names. */
const slug = (text: string) => text.toLowerCase().replace(/[^a-z0-9]+/g, '_');
const entityIds = entities.map(({ platform, name }) => `${platform}.${slug(`Porch ${name}`)}`);

const NOW = '2026-03-01T12:00:00.000Z';
/** What may open the door: Ada, just now, on the doorstep. */
const GOOD: IdentityEvent = identityEvent.parse({
  schema: 'eyeline.identity/1',
  id: '0b0f5f6e-0a52-4c7e-9a3e-5d1f0c6d7a11',
  bootId: '1b0f5f6e-0a52-4c7e-9a3e-5d1f0c6d7a11',
  sequence: 1,
  type: 'enter',
  device: 'porch',
  camera: 'front-door',
  track: 'front-door-1',
  firstSeenAt: '2026-03-01T11:59:58.000Z',
  lastSeenAt: '2026-03-01T11:59:59.000Z',
  capturedAt: '2026-03-01T11:59:59.000Z',
  decidedAt: '2026-03-01T11:59:59.100Z',
  expiresAt: '2026-03-01T12:00:09.000Z',
  late: false,
  decision: 'known',
  person: { id: 'ada-lovelace', name: 'Ada Lovelace' },
  score: 0.7,
  threshold: 0.5,
  far: 1e-4,
  visitor: null,
  mask: 'none',
  encoder: 'sha256-abc',
  liveness: 0.95,
  quality: 0.8,
  frames: 3,
  box: { x: 0.1, y: 0.1, width: 0.2, height: 0.3 },
  zones: ['doorstep'],
  crossing: null,
  latencyMs: { capture: 1, queue: 1, detect: 1, embed: 1, decide: 1, publish: 1 },
  galleryVersion: 1,
});
/** An event as the event entity has it: discovery adds its `event_type`. */
const asEntity = (event: IdentityEvent) => ({
  ...event,
  event_type: event.type === 'exit' ? 'left' : event.decision,
});

/** All templates of a block, wherever they stand. */
function templatesOf(value: unknown): string[] {
  if (typeof value === 'string') return value.includes('{{') ? [value] : [];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(templatesOf) : [];
}

/** The fields of an event that a template reads, `a.b` for those within. */
function fieldsOf(template: string): string[] {
  return [...template.matchAll(/\b(?:event|trigger\.payload_json|trigger\.to_state\.attributes)\.([a-zA-Z_.]+)/g)].map(
    ([, path]) => path ?? '',
  );
}

/** Whether a template of terms joined by `and` holds for an event; throws for a term it cannot read. */
function holds(template: string, event: object): boolean {
  const expression = /\{\{(.*)\}\}/s.exec(template)?.[1] ?? '';
  const field = (path: string) =>
    path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown> | null)?.[key], event);
  const words = (list: string) => [...list.matchAll(/'([^']*)'/g)].map(([, word]) => word);
  const E = String.raw`(?:event|trigger\.payload_json|trigger\.to_state\.attributes)\.([a-zA-Z_.]+)`;
  const forms: [string, (...groups: string[]) => boolean][] = [
    [`${E} == '(.*)'`, (path, word) => field(path) === word],
    [`${E} != '(.*)'`, (path, word) => field(path) !== word],
    [`${E} == (true|false)`, (path, truth) => field(path) === (truth === 'true')],
    [`not ${E}`, (path) => !field(path)],
    [`${E} is number`, (path) => typeof field(path) === 'number'],
    [`${E} >= ([\\d.]+)`, (path, number) => Number(field(path)) >= Number(number)],
    [`${E} in (\\[.*\\])`, (path, list) => words(list).includes(String(field(path)))],
    [`'(.*)' in \\(${E} or \\[\\]\\)`, (word, path) => ((field(path) as string[] | null) ?? []).includes(word)],
    [`as_datetime\\(${E}\\) > now\\(\\)`, (path) => Date.parse(String(field(path))) > Date.parse(NOW)],
  ];
  return expression
    .trim()
    .split(/\s+and\s+/)
    .every((term) => {
      for (const [form, test] of forms) {
        const found = new RegExp(`^${form}$`).exec(term.trim());
        if (found) return test(...found.slice(1));
      }
      throw new Error(`"${term}" is no term this test can read`);
    });
}

const automations = blocks.map((text) => parse(text));
const templates = automations.flatMap(templatesOf);

describe('docs/home-assistant.md', () => {
  it('has automations whose templates read fields that events have', () => {
    expect(blocks.length).toBeGreaterThanOrEqual(3);
    const fields = templates.flatMap(fieldsOf);
    expect(fields).toContain('person.id');
    for (const path of fields) {
      const value = path
        .split('.')
        .reduce<unknown>((part, key) => (part as Record<string, unknown> | undefined)?.[key], asEntity(GOOD));
      expect([path, value]).not.toEqual([path, undefined]);
    }
    const types = templates.flatMap((text) => [...text.matchAll(/event_type == '(\w+)'/g)].map(([, type]) => type));
    for (const type of types) expect(IDENTITY_EVENT_TYPES).toContain(type);
  });

  it('has automations that listen to what there is', () => {
    const triggers = automations.flatMap(
      ({ triggers: all }) => all as { trigger: string; entity_id?: string; topic?: string }[],
    );
    for (const { trigger, entity_id: id, topic } of triggers) {
      if (trigger === 'mqtt') expect(topic).toBe(topics.event);
      else expect(entityIds).toContain(id);
    }
  });

  it('names the entities there are, of each platform', () => {
    const rows = [...page.matchAll(/^\| `([a-z_]+)` (.*?)\|/gm)].map(([, platform, names]) => ({
      platform,
      names: [...(names ?? '').matchAll(/\*(?:… )?(.*?)\*/g)].map(([, name]) => name ?? ''),
    }));
    const told = rows.flatMap(({ platform, names }) => names.map((name) => `${platform} ${name}`));
    const there = entities.map(({ platform, name }) => `${platform} ${String(name).replace(/^Front door /, '')}`);
    expect(told.sort()).toEqual(there.sort());
  });

  const unlock = automations.find(({ actions }) => JSON.stringify(actions).includes('lock.unlock'));
  const [template = ''] = templatesOf(unlock);

  it.each<[string, Partial<IdentityEvent>]>([
    ['late', { late: true }],
    ['expired', { expiresAt: '2026-03-01T11:59:59.500Z' }],
    ['leaving', { type: 'exit' }],
    ['a stranger', { decision: 'unknown', person: null }],
    ['somebody else', { person: { id: 'mallory', name: 'Mallory' } }],
    ['a photograph', { liveness: 0.2 }],
    ['not assessed', { liveness: null }],
    ['on the pavement', { zones: ['pavement'] }],
    ['nowhere', { zones: [] }],
  ])('unlocks for who lives here and not for one who is %s', (_, change) => {
    expect(holds(template, asEntity(GOOD))).toBe(true);
    expect(holds(template, asEntity({ ...GOOD, ...change }))).toBe(false);
  });

  it('tells of strangers, and without discovery of who is known', () => {
    const stranger = templates.find((text) => text.includes("event_type == 'unknown'")) ?? '';
    expect(holds(stranger, asEntity({ ...GOOD, decision: 'unknown', person: null }))).toBe(true);
    expect(holds(stranger, asEntity(GOOD))).toBe(false);
    const plain = templates.find((text) => text.includes('payload_json')) ?? '';
    expect(holds(plain, GOOD)).toBe(true);
    for (const change of [{ late: true }, { type: 'exit' as const }, { expiresAt: '2026-03-01T11:00:00.000Z' }]) {
      expect(holds(plain, { ...GOOD, ...change })).toBe(false);
    }
  });
});
