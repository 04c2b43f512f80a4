import { beforeAll, expect, it } from 'vitest';
import { findingOf } from '../../src/commands/train/prepare-data.ts';
import { configSchema } from '../../src/config/schema.ts';
import { loadManifest, type Manifest } from '../../src/inference/manifest.ts';

let manifest: Manifest;
beforeAll(async () => {
  manifest = await loadManifest(null);
});

/** What faces are found by, with another configuration or other entries of the manifest. */
function finding(config: object = {}, changed: Readonly<Record<string, object>> = {}): string {
  const { models, detection } = configSchema.parse(config);
  const entry = (id: string) => {
    const known = manifest.models.get(id);
    if (!known) throw new Error(`no model ${id}`);
    return { ...known, ...changed[id] };
  };
  return JSON.stringify(findingOf({ models, detection }, { entry }));
}

const detector = configSchema.parse({}).models.detector;
const SECOND = { secondDetector: 'blazeface-back' };

it.each([
  ['the least size of a face', { detection: { minFacePx: 20 } }, {}],
  ['the least score configured', { detection: { minScore: 0.5 } }, {}],
  ['the least score of the manifest', {}, { [detector]: { minScore: 0.5 } }],
  ['the overlap of two faces', { detection: { nmsIou: 0.5 } }, {}],
  ['another detector', { models: { detector: 'rfb-320' } }, {}],
  ['other landmarks', { models: { landmarks: 'landmarks-68' } }, {}],
  ['a second detector', { models: SECOND }, {}],
])('%s makes another set', (_, config, changed) => {
  expect(finding(config, changed)).not.toBe(finding());
});

it('what a second detector is told, and which it is, makes another set; so does a network behind the first', () => {
  const with2 = (secondLook: object, changed?: Readonly<Record<string, object>>) =>
    finding({ models: SECOND, detection: { secondLook } }, changed);
  expect(with2({ minScore: 0.6 })).not.toBe(with2({}));
  expect(with2({}, { 'blazeface-back': { sha256: '0'.repeat(64) } })).not.toBe(with2({}));
  const mtcnn = { models: { detector: 'mtcnn' } };
  expect(finding(mtcnn, { 'mtcnn-rnet': { sha256: '0'.repeat(64) } })).not.toBe(finding(mtcnn));
});

it('what takes no effect makes no other set', () => {
  expect(finding({ detection: { secondLook: { minScore: 0.6 } } })).toBe(finding());
  expect(finding({ models: { upperEncoder: null } })).toBe(finding());
  expect(finding({ detection: { minScore: manifest.models.get(detector)?.minScore } })).toBe(finding());
});
