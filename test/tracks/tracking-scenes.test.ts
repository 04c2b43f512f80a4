import { describe, expect, it } from 'vitest';
import { followScene, TRACKING } from './follow.ts';
import { OverlapTracker } from './overlap-tracker.ts';
import { playScene, type SceneFrame } from './scenes.ts';
import { type Labelled, scoreTracking, type TrackingScore } from './score.ts';
import type { SceneName } from './scripts.ts';

/** The constants of src/tracks were chosen on seeds from 1000 up. */
const SEEDS = Array.from({ length: 20 }, (_, index) => index + 1);

function score(name: SceneName, follow: (scene: SceneFrame[]) => Labelled[][]): TrackingScore {
  const scores = SEEDS.map((seed) => scoreTracking(follow(playScene(name, seed))));
  const sum = (value: (one: TrackingScore) => number) => scores.reduce((total, one) => total + value(one), 0);
  return {
    switches: sum(({ switches }) => switches),
    transfers: sum(({ transfers }) => transfers),
    idf1: sum(({ idf1 }) => idf1) / scores.length,
  };
}

function byOverlap(scene: readonly SceneFrame[]): Labelled[][] {
  const tracker = new OverlapTracker();
  return scene.map(({ nowMs, detections }) => {
    const found = detections.filter(({ score }) => score >= TRACKING.minScore);
    const numbers = tracker.update(
      found.map(({ box }) => box),
      nowMs,
    );
    return detections.map((one) => ({ person: one.person, track: numbers[found.indexOf(one)] ?? null }));
  });
}

describe('FaceTracker on twenty scenes of a kind', () => {
  // Most switches and transfers, and the least IDF1 in per cent: by place alone, and with looks.
  it.each<[SceneName, place: [number, number, number], looks: [number, number, number]]>([
    ['approach', [1, 0, 98], [2, 0, 98]],
    ['crossing', [2, 2, 99], [0, 0, 99]],
    ['crossing at 5 fps', [4, 4, 98], [0, 0, 98]],
    ['crossing with lost frames', [2, 2, 98], [0, 0, 99]],
    ['changing places', [2, 2, 98], [0, 0, 99]],
    ['walking past', [0, 0, 99], [0, 0, 99]],
    ['standing in front', [12, 2, 88], [2, 0, 98]],
    ['turning away', [20, 4, 84], [4, 2, 98]],
    ['faint', [2, 0, 96], [2, 0, 96]],
    ['shaking camera', [24, 4, 90], [0, 0, 99]],
    ['frozen stream', [0, 0, 99], [0, 0, 99]],
    ['idle', [1, 0, 99], [1, 0, 99]],
    ['coming and going', [0, 0, 99], [0, 0, 99]],
    ['crowd', [190, 125, 75], [120, 110, 95]],
  ])('%s', (name, [switches, transfers, idf1], looks) => {
    const place = score(name, (scene) => followScene(scene, { withLooks: false }).frames);
    expect(place.switches).toBeLessThanOrEqual(switches);
    expect(place.transfers).toBeLessThanOrEqual(transfers);
    expect(100 * place.idf1).toBeGreaterThan(idf1);
    const looking = score(name, (scene) => followScene(scene, { withLooks: true }).frames);
    expect(looking.switches).toBeLessThanOrEqual(looks[0]);
    expect(looking.transfers).toBeLessThanOrEqual(looks[1]);
    expect(100 * looking.idf1).toBeGreaterThan(looks[2]);
    const baseline = score(name, byOverlap);
    expect(place.idf1).toBeGreaterThan(baseline.idf1);
    expect(place.switches).toBeLessThanOrEqual(baseline.switches);
  });

  it('looks at less than a third of the faces', () => {
    const { looks, faces } = (['walking past', 'idle', 'crowd', 'faint'] as const)
      .flatMap((name) => SEEDS.map((seed) => followScene(playScene(name, seed), { withLooks: true })))
      .reduce((sum, one) => ({ looks: sum.looks + one.looks, faces: sum.faces + one.faces }), { looks: 0, faces: 0 });
    expect(faces).toBeGreaterThan(10_000);
    expect(looks).toBeLessThan(faces / 3);
  });
});

describe('scoreTracking', () => {
  const frames = (...rows: [person: number | null, track: number | null][][]): Labelled[][] =>
    rows.map((row) => row.map(([person, track]) => ({ person, track })));

  it.each([
    ['a perfect tracker', frames([[0, 1]], [[0, 1]]), { switches: 0, transfers: 0, idf1: 1 }],
    // Person 0 is number 1 twice, then 2: one of three sightings is wrong on both sides.
    ['a switch', frames([[0, 1]], [[0, 1]], [[0, 2]]), { switches: 1, transfers: 0, idf1: 2 / 3 }],
    ['one missed', frames([[0, 1]], [[0, null]]), { switches: 0, transfers: 0, idf1: 2 / 3 }],
    ['a number that goes over', frames([[0, 1]], [[1, 1]]), { switches: 0, transfers: 1, idf1: 1 / 2 }],
    [
      'two who change numbers',
      frames(
        [
          [0, 1],
          [1, 2],
        ],
        [
          [1, 1],
          [0, 2],
        ],
      ),
      { switches: 2, transfers: 2, idf1: 1 / 2 },
    ],
    [
      'a false alarm',
      frames([
        [0, 1],
        [null, 2],
      ]),
      { switches: 0, transfers: 0, idf1: 2 / 3 },
    ],
  ])('%s', (_, labelled, expected) => {
    expect(scoreTracking(labelled)).toEqual({ ...expected, idf1: expect.closeTo(expected.idf1, 9) });
  });
});
