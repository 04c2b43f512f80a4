import { expect, it } from 'vitest';
import { leastScoreOf } from '../../../src/faces/detectors/least-score.ts';
import { loadManifest } from '../../../src/inference/manifest.ts';

it.each([
  ['what is configured goes first', { minScore: 0.9 }, 0.5, 0.5],
  ['0 is a score', { minScore: 0.9 }, 0, 0],
  ['then what the manifest says', { minScore: 0.9 }, null, 0.9],
  ['then the usual one', {}, null, 0.7],
] as const)('%s', (_what, entry, configured, expected) => {
  expect(leastScoreOf(entry, configured)).toBe(expected);
});

it('is the detector’s own among those that come with the product', async () => {
  const { models } = await loadManifest(null);
  const of = (id: string) => leastScoreOf(models.get(id) ?? {}, null);
  expect([of('rfb-320-masked'), of('rfb-320'), of('blazeface-back')]).toEqual([0.8, 0.7, 0.7]);
});
