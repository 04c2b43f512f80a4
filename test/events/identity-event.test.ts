import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { completeIdentity, type IdentityDraft, identityEvent } from '../../src/events/identity-event.ts';

const DRAFT: IdentityDraft = {
  type: 'enter',
  camera: 'door',
  track: 'door-1',
  firstSeenAtMs: Date.UTC(2026, 0, 2, 3, 4, 4, 506),
  lastSeenAtMs: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
  capturedAtMs: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
  decidedAtMs: Date.UTC(2026, 0, 2, 3, 4, 5, 106),
  decision: 'known',
  person: { id: 'ada', name: 'Ada Lovelace' },
  score: 0.71,
  threshold: 0.45,
  far: 0.001,
  mask: 'worn',
  encoder: 'sha256-abc',
  liveness: null,
  quality: 0.8,
  frames: 3,
  box: { x: 0.25, y: 0.125, width: 0.5, height: 0.5 },
  zones: ['doorstep'],
  crossing: { line: 'kerb', direction: 'in' },
  latencyMs: { capture: 4.04, queue: 2.55, detect: 6.06, embed: 12, decide: 1 },
  galleryVersion: 7,
};
const STAMP = {
  id: '0b0c7e52-7a54-4c4c-9c39-5d3a2f1f6a01',
  bootId: '7f8f1f3e-35b1-4f0a-8a34-0f2a9a3b7c02',
  sequence: 42,
  device: 'porch',
  expiresAtMs: Date.UTC(2026, 0, 2, 3, 4, 15, 6),
  late: false,
  publishMs: 0.44,
};
const EVENT = {
  schema: 'eyeline.identity/1',
  id: '0b0c7e52-7a54-4c4c-9c39-5d3a2f1f6a01',
  bootId: '7f8f1f3e-35b1-4f0a-8a34-0f2a9a3b7c02',
  sequence: 42,
  type: 'enter',
  device: 'porch',
  camera: 'door',
  track: 'door-1',
  firstSeenAt: '2026-01-02T03:04:04.506Z',
  lastSeenAt: '2026-01-02T03:04:05.006Z',
  capturedAt: '2026-01-02T03:04:05.006Z',
  decidedAt: '2026-01-02T03:04:05.106Z',
  expiresAt: '2026-01-02T03:04:15.006Z',
  late: false,
  decision: 'known',
  person: { id: 'ada', name: 'Ada Lovelace' },
  score: 0.71,
  threshold: 0.45,
  far: 0.001,
  mask: 'worn',
  encoder: 'sha256-abc',
  liveness: null,
  quality: 0.8,
  frames: 3,
  box: { x: 0.25, y: 0.125, width: 0.5, height: 0.5 },
  zones: ['doorstep'],
  crossing: { line: 'kerb', direction: 'in' },
  latencyMs: { capture: 4, queue: 2.5, detect: 6.1, embed: 12, decide: 1, publish: 0.4 },
  galleryVersion: 7,
};

describe('completeIdentity', () => {
  it('gives every field of the contract and no other', () => {
    const event = completeIdentity(DRAFT, STAMP);
    expect(event).toEqual(EVENT);
    expect(identityEvent.parse(event)).toEqual(EVENT);
  });

  it('cuts the box at the edges of the frame and the score at 1', () => {
    const event = completeIdentity(
      { ...DRAFT, score: 1.0000001, box: { x: -0.1, y: 0.9, width: 0.3, height: 0.4 } },
      STAMP,
    );
    expect(event.box).toEqual({ x: 0, y: 0.9, width: 0.2, height: 0.1 });
    expect(event.score).toBe(1);
    expect(identityEvent.safeParse(event).success).toBe(true);
  });

  it('leaves nothing of a box beside the frame', () => {
    const event = completeIdentity({ ...DRAFT, box: { x: 1.2, y: -0.5, width: 0.1, height: 0.2 } }, STAMP);
    expect(event.box).toEqual({ x: 1, y: 0, width: 0, height: 0 });
  });
});

describe('identityEvent', () => {
  it.each([
    ['a stranger without a score', { decision: 'unknown', person: null, score: null }],
    ['undecided', { decision: 'undecided', person: null }],
    ['nothing assessed', { mask: null, far: null, liveness: null }],
    ['a decision before its capture by a clock set back', { decidedAt: '2026-01-02T03:04:04.000Z' }],
    ['nowhere', { zones: [], crossing: null }],
    ['a field of a later version', { gait: 0.5 }],
  ])('takes %s', (_what, changes) => {
    expect(identityEvent.safeParse({ ...EVENT, ...changes }).error).toBeUndefined();
  });

  it.each([
    ['a known decision about nobody', { person: null }, 'person'],
    ['a stranger with a name', { decision: 'unknown' }, 'person'],
    ['a known decision without a score', { score: null }, 'score'],
    ['an end before the capture', { expiresAt: '2026-01-02T03:04:05.005Z' }, 'expiresAt'],
    ['a time without milliseconds', { capturedAt: '2026-01-02T03:04:05Z' }, 'capturedAt'],
    ['a time with an offset', { decidedAt: '2026-01-02T04:04:05.106+01:00' }, 'decidedAt'],
    ['a box beyond the right edge', { box: { x: 0.8, y: 0, width: 0.3, height: 0.1 } }, 'box'],
    ['a box beyond the lower edge', { box: { x: 0, y: 0.8, width: 0.1, height: 0.3 } }, 'box'],
    ['another major version', { schema: 'eyeline.identity/2' }, 'schema'],
    ['sequence 0', { sequence: 0 }, 'sequence'],
    ['a score that is no number', { score: Number.NaN }, 'score'],
    ['no frames', { frames: 0 }, 'frames'],
    ['a missing latency', { latencyMs: { capture: 1, queue: 1, detect: 1, embed: 1, decide: 1 } }, 'latencyMs'],
  ])('refuses %s', (_what, changes, path) => {
    const { error } = identityEvent.safeParse({ ...EVENT, ...changes });
    expect(error?.issues[0]?.path[0]).toBe(path);
  });

  it.each(Object.keys(EVENT))('refuses an event without %s', (field) => {
    expect(identityEvent.safeParse({ ...EVENT, [field]: undefined }).success).toBe(false);
  });
});

describe('docs/schemas/identity-event.schema.json', () => {
  it('asks for every field, and takes more', async () => {
    const file = new URL('../../docs/schemas/identity-event.schema.json', import.meta.url);
    const published = JSON.parse(await readFile(file, 'utf8'));
    expect(published.required.toSorted()).toEqual(Object.keys(EVENT).toSorted());
    // Consumers must take events of a later minor version.
    expect(published).not.toHaveProperty('additionalProperties');
  });

  it('is explained field by field in docs/mqtt.md, whose example is valid', async () => {
    const text = await readFile(new URL('../../docs/mqtt.md', import.meta.url), 'utf8');
    for (const field of Object.keys(EVENT)) expect(text).toContain(`| \`${field}\` |`);
    const example = /```json\n(\{\n {2}"schema"[\s\S]*?)```/.exec(text)?.[1] ?? '';
    expect(Object.keys(identityEvent.parse(JSON.parse(example)))).toEqual(Object.keys(EVENT));
  });
});
