import { expect, it } from 'vitest';
import type { ScoreCurve } from '../../src/faces/score-calibration.ts';
import { decisionParts } from '../../src/pipeline/decision-parts.ts';
import { warnOfLargeGallery } from '../../src/pipeline/large-gallery.ts';
import { testConfig } from '../rig/config.ts';

const curve = (lowest: number): ScoreCurve => ({
  impostors: 1e6,
  genuine: 1000,
  correlation: 0.9,
  points: [
    { score: 0.2, far: 0.5, llr: -5 },
    { score: 0.6, far: lowest, llr: 9 },
  ],
});

it('knows up to how many templates a rate was measured: by the encoder and the kind of face measured least', async () => {
  const config = await testConfig();
  const recognition = { ...config.recognition, falseAcceptRate: 1e-3 };
  const encoder = (id: string, calibration: { none?: ScoreCurve; worn?: ScoreCurve }) => ({
    id,
    fingerprint: id,
    calibration,
  });
  const measured = (...encoders: ReturnType<typeof encoder>[]) =>
    decisionParts({ ...config, recognition }, { encoders, leastScore: 0.7 }).templatesMeasured;
  expect(measured(encoder('a', { none: curve(1e-6) }))).toBe(1000);
  expect(measured(encoder('a', { none: curve(1e-6), worn: curve(1e-5) }))).toBe(100);
  expect(measured(encoder('a', { none: curve(1e-6) }), encoder('b', { worn: curve(1e-4) }))).toBe(10);
});

it('warns of a gallery that is too large, once until it was small again', () => {
  const warnings: string[] = [];
  const listener = warnOfLargeGallery({ warn: (_, message) => warnings.push(message) }, 1e-3, 1000);
  listener({ templateCount: 1000 });
  expect(warnings).toEqual([]);
  listener({ templateCount: 1001 });
  listener({ templateCount: 1002 });
  expect(warnings).toEqual([expect.stringMatching(/falseAcceptRate 0\.001 .* up to 1000 templates .* has 1001:/)]);
  listener({ templateCount: 999 });
  listener({ templateCount: 1001 });
  expect(warnings).toHaveLength(2);
});
