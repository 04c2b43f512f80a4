import { describe, expect, it } from 'vitest';
import { normalNumbers, seededRandom } from '../../src/core/seeded-random.ts';
import type { OwnedTemplates } from '../../src/faces/cross-person-scores.ts';
import { normalise } from '../../src/faces/embedding.ts';
import { scoreAtRate } from '../../src/faces/score-calibration.ts';
import { decisionParts } from '../../src/pipeline/decision-parts.ts';
import { type AdaptationReport, adaptationReport, tellAdaptation } from '../../src/pipeline/tell-adaptation.ts';
import { testConfig } from '../rig/config.ts';
import { TENTHS } from '../tracks/score-curve.ts';

const DIMENSION = 100;
const MADE = { id: 'made', fingerprint: 'sha-made', calibration: { none: TENTHS, worn: TENTHS } };
const { recognition, tracks } = await testConfig();
const parts = (adaptToGallery = true) =>
  decisionParts({ recognition: { ...recognition, adaptToGallery }, tracks }, { encoders: [MADE], leastScore: 0.7 });

/** One template of each of some people; cosines have mean `alike` and a deviation of (1 - alike) / 10. */
function crowd(people: number, alike: number, seed = 1): OwnedTemplates {
  const normal = normalNumbers(seededRandom(seed));
  const direction = () => normalise(Float32Array.from({ length: DIMENSION }, normal));
  const shared = direction();
  const vectors = Array.from({ length: people }, () => {
    const own = direction();
    return normalise(own.map((value, at) => Math.sqrt(1 - alike) * value + Math.sqrt(alike) * (shared[at] ?? 0)));
  });
  return {
    owners: vectors.map((_, owner) => owner),
    vectorOf: (row) => vectors[row] ?? new Float32Array(),
  };
}

const gallery = (templates: OwnedTemplates, encoder = 'sha-made') => ({
  snapshots: [{ encoder, people: peopleOf(templates), templates }],
});
const peopleOf = ({ owners }: OwnedTemplates) =>
  [...new Set(Array.from(owners))].map((owner) => ({ id: `p${owner}`, name: `Person ${owner}` }));

describe('scores among the people of a gallery', () => {
  it('mean less where these are more alike, from the next look on', () => {
    const decisions = parts();
    const score = () => scoreAtRate(decisions.scores.calibrations.get('sha-made')?.none ?? TENTHS, 1e-3);
    const [before, mixed] = [score(), decisions.adapt(gallery(crowd(20, 0)))];
    expect(mixed[0]?.among?.people).toBe(20);
    expect(score()).toBeCloseTo(before, 1);
    decisions.adapt(gallery(crowd(20, 0.3)));
    expect(score()).toBeGreaterThan(before + 0.25);
    expect(score()).toBeLessThan(before + 0.35);
    // Looks at a face with a mask, and whom the tracker takes for one person, go by it too.
    expect(decisions.scores.calibrations.get('sha-made')?.worn?.points[60]?.score).toBeGreaterThan(0.5);
    // What was before is not kept.
    decisions.adapt(gallery(crowd(20, 0)));
    expect(score()).toBeCloseTo(before, 1);
  });

  it('tells by how much the middle of a curve was raised', () => {
    const decisions = parts();
    const middle = () => scoreAtRate(decisions.scores.calibrations.get('sha-made')?.none ?? TENTHS, 0.5);
    const before = middle();
    // Two crowds, alike among themselves: the scores are higher and wider spread.
    const [one, other] = [crowd(20, 0.6, 1), crowd(20, 0.6, 2)];
    const both = {
      owners: Array.from({ length: 40 }, (_, owner) => owner),
      vectorOf: (row: number) => (row < 20 ? one.vectorOf(row) : other.vectorOf(row - 20)),
    };
    const [told] = decisions.adapt(gallery(both));
    if (!told) throw new Error('nothing was told');
    const { raisedBy, spread } = adaptationReport(told);
    expect(spread).toBeGreaterThan(1.5);
    expect(raisedBy).toBeGreaterThan(0.1);
    expect(raisedBy).toBeCloseTo(middle() - before, 2);
  });

  it.each([
    ['fewer than eight people', gallery(crowd(7, 0.5)), true],
    ['nobody', gallery(crowd(0, 0.5)), true],
    ['templates of another encoder', gallery(crowd(20, 0.5), 'other'), true],
    ['not where it is switched off', gallery(crowd(20, 0.5)), false],
  ])('mean what they did: %s', (_, people, on) => {
    const decisions = parts(on);
    const [told] = decisions.adapt(people);
    expect(decisions.scores.calibrations.get('sha-made')).toBe(MADE.calibration);
    expect(told && adaptationReport(told)).toEqual({
      encoder: 'made',
      people: null,
      raisedBy: 0,
      spread: 1,
      leftOut: 0,
    });
  });
});

it('allows for how alike a face is to everybody as long as there are people enough', () => {
  const decisions = parts();
  decisions.adapt(gallery(crowd(20, 0.3)));
  expect([...decisions.scores.allowances.keys()]).toEqual(['sha-made']);
  decisions.adapt(gallery(crowd(7, 0.3)));
  expect(decisions.scores.allowances.size).toBe(0);
});

it('tells when something has changed, and that few people tell nothing', () => {
  const lines: string[] = [];
  const logger = {
    info: (_: object, line: string) => lines.push(line),
    warn: (_: object, line: string) => lines.push(line),
  };
  const tell = tellAdaptation(logger);
  const report = (people: number | null, raisedBy: number, spread = 1): AdaptationReport => ({
    encoder: 'made',
    people,
    raisedBy,
    spread,
    leftOut: 0,
  });
  tell([report(null, 0)], 0);
  expect(lines).toEqual([]);
  tell([report(null, 0)], 3);
  tell([report(null, 0)], 4);
  expect(lines.splice(0)).toEqual([
    expect.stringMatching(/fewer than 8 people cannot tell .* of made were .*eyeline calibrate/),
  ]);
  tell([report(12, 0.2, 1.1)], 12);
  tell([report(13, 0.202, 1.1)], 13);
  expect(lines.splice(0)).toEqual([expect.stringMatching(/12 people are more alike .* 0\.2 higher.*spread 1\.1/)]);
  tell([report(14, 0)], 14);
  expect(lines).toEqual([expect.stringMatching(/14 people are no more alike/)]);
});
