import { describe, expect, it } from 'vitest';
import { normalTail } from '../../src/core/normal.ts';
import { seededRandom } from '../../src/core/seeded-random.ts';
import { fitScoreCurve, type LabelledEmbedding } from '../../src/evaluation/fit-score-curve.ts';
import { normalise } from '../../src/faces/embedding.ts';
import { meaningOf } from '../../src/faces/score-calibration.ts';

const DIMENSION = 64;

/** People as random directions, pictures of them with noise of `noise` times their length. */
function crowd(people: number, pictures: number, noise: number): LabelledEmbedding[] {
  const random = seededRandom(7);
  const gauss = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const direction = () => normalise(Float32Array.from({ length: DIMENSION }, gauss));
  return Array.from({ length: people }, (_, person) => {
    const centre = direction();
    return Array.from({ length: pictures }, (_unused, picture): LabelledEmbedding => {
      const away = direction();
      const embedding = normalise(centre.map((value, index) => value + noise * (away[index] ?? 0)));
      return { person: `p${person}`, picture: `${person}-${picture}`, embedding };
    });
  }).flat();
}

describe('a curve fitted on pictures of people', () => {
  const pictures = crowd(300, 3, 0.8);
  const curve = fitScoreCurve(pictures, pictures)?.curve;
  if (!curve) throw new Error('there is something to fit');

  it('counts pairs of people, not of pictures', () => {
    expect(curve.impostors).toBe((300 * 299) / 2);
    expect(curve.genuine).toBe(300);
  });

  it('has the false accept rates that follow from the geometry', () => {
    // Cosines of random directions are normal with variance 1 / dimension, about.
    for (const score of [0.1, 0.2, 0.3]) {
      const { normal } = meaningOf(curve, score);
      expect(Math.log(normalTail(normal) / normalTail(score * Math.sqrt(DIMENSION)))).toBeLessThan(1.2);
      expect(Math.log(normalTail(normal) / normalTail(score * Math.sqrt(DIMENSION)))).toBeGreaterThan(-0.2);
    }
  });

  it('rises, and claims no more than the sample supports', () => {
    for (const [index, point] of curve.points.entries()) {
      const before = curve.points[index - 1];
      if (!before) continue;
      expect(point.score).toBeGreaterThan(before.score);
      expect(point.far).toBeLessThan(before.far);
      expect(point.llr).toBeGreaterThanOrEqual(before.llr);
    }
    expect(curve.points.at(-1)?.far).toBeCloseTo(6 / (300 * 299), 9);
    expect(meaningOf(curve, 1).llr).toBeLessThanOrEqual(Math.log((300 * 299) / 6));
    expect(meaningOf(curve, 0).llr).toBeLessThan(-3);
    expect(meaningOf(curve, 0.6).llr).toBeGreaterThan(3);
  });

  it('claims less on fewer people', () => {
    const few = fitScoreCurve(pictures.slice(0, 60), pictures.slice(0, 60))?.curve;
    for (const score of [0.2, 0.4, 0.6]) {
      expect(meaningOf(few ?? curve, score).normal).toBeLessThan(meaningOf(curve, score).normal);
    }
  });

  it('knows how alike the pictures of one person are', () => {
    const steady = crowd(60, 3, 0.1);
    expect(fitScoreCurve(steady, steady)?.curve.correlation).toBeGreaterThan(curve.correlation);
    expect(curve.correlation).toBeGreaterThan(0.5);
  });

  it('leaves people out who look like one, and names them', () => {
    const again = pictures.slice(0, 3).map((it) => ({ ...it, person: 'alias', picture: `alias ${it.picture}` }));
    const fitted = fitScoreCurve([...pictures, ...again], [...pictures, ...again]);
    expect(fitted?.suspects).toMatchObject([
      { people: expect.arrayContaining(['alias', 'p0']), score: expect.closeTo(1, 5) },
    ]);
    expect(fitted?.curve.points.at(-1)?.score).toBeCloseTo(curve.points.at(-1)?.score ?? 0, 1);
  });

  it('leaves nobody out whom it can hardly tell from others', () => {
    const vague = crowd(200, 3, 3);
    const fitted = fitScoreCurve(vague, vague);
    expect(fitted?.suspects).toEqual([]);
    expect(fitted?.curve.impostors).toBe((200 * 199) / 2);
  });
});

it('needs two people, and two pictures of one', () => {
  expect(fitScoreCurve([], [])).toBeNull();
  const alone = crowd(1, 3, 0.5);
  expect(fitScoreCurve(alone, alone)).toBeNull();
  const once = crowd(5, 1, 0.5);
  expect(fitScoreCurve(once, once)).toBeNull();
});

describe('strangers of one population', () => {
  const pictures = crowd(200, 2, 0.8);
  const plain = fitScoreCurve(pictures, pictures);
  const strangers = crowd(400, 1, 0.8).map(({ embedding }) => embedding);
  // What all of them have in common adds a quarter to every score.
  const common = normalise(Float32Array.from({ length: DIMENSION }, (_, index) => Math.sin(index * 12.9)));
  const alike = strangers.map((one) =>
    normalise(one.map((value, index) => Math.sqrt(0.75) * value + 0.5 * (common[index] ?? 0))),
  );

  it('raise every score by as much as they are more alike', () => {
    const fitted = fitScoreCurve(pictures, pictures, { alike });
    if (!plain || !fitted) throw new Error('there is something to fit');
    expect(fitted.raisedBy).toBeGreaterThan(0.2);
    expect(fitted.raisedBy).toBeLessThan(0.35);
    for (const [index, { score, far }] of fitted.curve.points.entries()) {
      expect(score).toBeCloseTo((plain.curve.points[index]?.score ?? 0) + fitted.raisedBy, 9);
      expect(far).toBe(plain.curve.points[index]?.far);
    }
  });

  it('change little when they are a mixed set, and one photograph twice does not count', () => {
    expect(plain?.raisedBy).toBe(0);
    const twice = [...strangers, ...strangers.slice(0, 200)];
    expect(fitScoreCurve(pictures, pictures, { alike: twice })?.raisedBy).toBeLessThan(0.06);
  });
});
