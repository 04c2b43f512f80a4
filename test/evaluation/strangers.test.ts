import { describe, expect, it } from 'vitest';
import { normalNumbers, seededRandom } from '../../src/core/seeded-random.ts';
import { type PictureEmbedding, type StrangersPerson, strangersFigures } from '../../src/evaluation/strangers.ts';
import { normalise } from '../../src/faces/embedding.ts';
import type { ScoreCalibration } from '../../src/faces/score-calibration.ts';
import { adaptToGallery } from '../../src/pipeline/adapt-to-gallery.ts';
import { TENTHS } from '../tracks/score-curve.ts';

const DIMENSION = 100;

/** Cosines of different people have mean `alike` and, of random directions, a deviation of a tenth: what TENTHS takes them for. */
function crowd(people: number, alike: number): StrangersPerson[] {
  const normal = normalNumbers(seededRandom(5));
  const direction = () => normalise(Float32Array.from({ length: DIMENSION }, normal));
  const shared = direction();
  return Array.from({ length: people }, (_, index) => {
    const own = direction();
    const centre = own.map((value, at) => Math.sqrt(1 - alike) * value + Math.sqrt(alike) * (shared[at] ?? 0));
    const pictures = Array.from({ length: 2 }, () => {
      const away = direction();
      return normalise(centre.map((value, at) => value + 0.1 * (away[at] ?? 0)));
    });
    const embeddings = pictures.map((embedding, at) => ({ picture: `p${index} ${at}`, embedding }));
    return { person: `p${index}`, templates: embeddings, probes: embeddings };
  });
}

const options = {
  calibration: { none: TENTHS } satisfies ScoreCalibration,
  curveOf: ({ none }: ScoreCalibration) => none ?? TENTHS,
  adapt: adaptToGallery,
  gallerySize: 20,
  splits: 10,
  seed: 1,
};

describe('strangers against what is claimed', () => {
  it('keep to it where they are as those it was measured on', () => {
    const { asMeasured, adapted, comparisons, genuine } = strangersFigures(crowd(60, 0), options);
    expect([comparisons, genuine]).toEqual([10 * 40 * 2 * 20 * 2, 10 * 20 * 2]);
    for (const { claimed, strangers, missed } of [...asMeasured.slice(0, 2), ...adapted.slice(0, 2)]) {
      expect(strangers / claimed).toBeGreaterThan(0.4);
      expect(strangers / claimed).toBeLessThan(2);
      expect(missed).toBe(0);
    }
  });

  it('do not where all are alike, unless scores are adapted to the gallery', () => {
    const { asMeasured, adapted, alikeness } = strangersFigures(crowd(60, 0.3), options);
    expect(alikeness.shift).toBeCloseTo(3, 0);
    expect(asMeasured[1]?.strangers).toBeGreaterThan(0.3);
    expect(adapted[1]?.strangers).toBeLessThan(2e-3);
    expect(adapted[0]?.missed).toBe(0);
  });

  it('keep to it better where they are alike to everybody by degrees, once that is allowed for', () => {
    const degrees = Array.from({ length: 60 }, (_, at) => crowd(60, at / 120)[at]);
    const people = degrees.filter((it) => it !== undefined);
    const allowed = strangersFigures(people, options);
    const shifted = strangersFigures(people, {
      ...options,
      adapt: (calibration, templates) => ({ ...adaptToGallery(calibration, templates), cohort: null }),
    });
    expect(shifted.adapted[1]?.strangers).toBeGreaterThan(2e-3);
    expect(allowed.adapted[1]?.strangers).toBeLessThan(2e-3);
    expect(allowed.adapted[1]?.missed).toBe(0);
  });

  it('are the same for a seed, and may come from elsewhere', () => {
    const people = crowd(30, 0.1);
    expect(strangersFigures(people, options)).toEqual(strangersFigures(people, options));
    const elsewhere = ({ picture, embedding }: PictureEmbedding) => ({ picture: `other ${picture}`, embedding });
    const strangers = crowd(30, 0).map(({ person, templates, probes }) => ({
      person: `other ${person}`,
      templates: templates.map(elsewhere),
      probes: probes.map(elsewhere),
    }));
    const figures = strangersFigures(people, { ...options, strangers });
    expect(figures.comparisons).toBe(10 * 30 * 2 * 20 * 2);
    expect(figures.adapted[1]?.strangers ?? 1).toBeLessThanOrEqual(figures.asMeasured[1]?.strangers ?? 0);
  });

  it('are needed: where everybody is enrolled nothing is told', () => {
    expect(() => strangersFigures(crowd(20, 0), options)).toThrow(/^of 20 people 20 are enrolled, and nobody else/);
  });
});
