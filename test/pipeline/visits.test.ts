import { describe, expect, it } from 'vitest';
import { cosine } from '../../src/faces/embedding.ts';
import { meaningOf } from '../../src/faces/score-calibration.ts';
import { type Announcement, type Sighting, Visits } from '../../src/pipeline/visits.ts';
import { Cooldown } from '../../src/tracks/cooldown.ts';
import type { Shot } from '../../src/tracks/shots.ts';
import { TENTHS } from '../tracks/score-curve.ts';
import { POLICY } from './door.ts';

const ANN = { id: 'ann', name: 'Ann' };
const BOB = { id: 'bob', name: 'Bob' };
const SHOT: Shot = {
  box: { x: 100, y: 100, width: 60, height: 80 },
  picture: { width: 640, height: 480 },
  score: 0.95,
  speed: 0.3,
};

const ENROLLED = { people: 2, templates: 2 };
function build(policy: ConstructorParameters<typeof Visits>[0] = POLICY): Visits {
  return new Visits(policy, new Cooldown({ cooldownMs: 30_000, sameStranger: () => 0.5 }, cosine), 1000);
}

/** A look at somebody, or at a stranger. */
function sightingOf(person: typeof ANN | null, atMs: number, live: number | null = null): Sighting {
  const matches = [ANN, BOB]
    .map((one) => ({ person: one, ...meaningOf(TENTHS, one === person ? 0.6 : 0.02) }))
    .sort((a, b) => b.score - a.score);
  const face = { encoder: 'full', part: 'full', embedding: Float32Array.of(1, 0) } as const;
  return { atMs, quality: 0.7, matches, excluded: new Set(), encoder: 'full', curve: TENTHS, face, mask: 'none', live };
}

/** What a look would find: a person, `null` for a stranger, `poor` where it is too poor to match, `none` for no face. */
type Finding = typeof ANN | null | 'poor' | 'none';

/** Shows a track's face every `everyMs`; gives what is announced and when looks are taken, in ms since the first frame. */
function show(
  visits: Visits,
  findings: readonly Finding[],
  { track = 1, everyMs = 100, fromMs = 0, doubtful = false, live = null as number | null } = {},
) {
  const announced: [atMs: number, announcement: Announcement][] = [];
  const looks: number[] = [];
  findings.forEach((finding, index) => {
    const nowMs = fromMs + index * everyMs;
    if (!visits.wants(track, SHOT, doubtful, nowMs)) return;
    looks.push(index * everyMs);
    if (finding === 'poor') visits.disregard(track, 0.1);
    if (finding === 'none') visits.dismiss(track);
    if (finding === 'poor' || finding === 'none') return;
    const announcement = visits.observe(track, sightingOf(finding, nowMs, live), ENROLLED, nowMs);
    if (announcement) announced.push([index * everyMs, announcement]);
  });
  return { announced, looks };
}

const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);
const poor = times<Finding>(40, 'poor');

describe('a decision', () => {
  it.each<[string, number, Finding, number, Finding[]]>([
    ['somebody at 10 fps', 100, ANN, 200, []],
    ['somebody at 5 fps', 200, ANN, 400, []],
    ['a stranger at 10 fps', 100, null, 500, []],
    ['a stranger at 5 fps', 200, null, 1000, []],
    // Within a second of being well seen, after seconds of being seen too badly.
    ['somebody who turned to the camera at 10 fps', 100, ANN, 1000, poor],
    ['somebody who turned to the camera at 5 fps', 200, ANN, 1000, poor],
    ['somebody who was taken for no face at 10 fps', 100, ANN, 1000, times<Finding>(40, 'none')],
  ])('is made in time: %s', (_, everyMs, finding, withinMs, before) => {
    const { announced } = show(build(), [...before, ...times(12, finding)], { everyMs });
    expect(announced).toHaveLength(1);
    expect(announced[0]?.[0]).toBeGreaterThanOrEqual(before.length * everyMs);
    expect(announced[0]?.[0]).toBeLessThanOrEqual(before.length * everyMs + withinMs);
  });

  it('is made of looks that are few, and rare where they lead to nothing', () => {
    expect(show(build(), times(40, ANN)).looks).toEqual([0, 100, 200, 1200, 2200, 3200]);
    expect(show(build(), poor).looks.length).toBeLessThanOrEqual(12);
    expect(show(build(), times<Finding>(40, 'none')).looks.length).toBeLessThanOrEqual(12);
    // Now one, now the other: never decided.
    expect(show(build(), times(20, [ANN, BOB]).flat()).looks.length).toBeLessThanOrEqual(18);
  });

  it('is checked soon when the face may be another', () => {
    const visits = build();
    show(visits, times(3, ANN));
    expect(show(visits, times(8, ANN), { fromMs: 300 }).looks).toEqual([]);
    expect(show(visits, times(4, ANN), { fromMs: 1100, doubtful: true }).looks).toEqual([0, 200]);
  });

  it('leaves a track open until then', () => {
    const visits = build();
    expect(visits.undecided(1)).toBe(true);
    show(visits, times(2, ANN));
    expect(visits.undecided(1)).toBe(true);
    show(visits, [ANN], { fromMs: 200 });
    expect(visits.undecided(1)).toBe(false);
  });
});

describe('renaming', () => {
  const join = (visits: Visits) => visits.rename([{ from: 2, to: 1, merged: true }], new Set([2]));

  it('never names anybody by what was seen before the track was out of sight', () => {
    const visits = build();
    show(visits, times(2, ANN), { track: 1 });
    show(visits, [null], { track: 2, fromMs: 3000 });
    join(visits);
    expect(show(visits, times(2, null), { track: 1, fromMs: 3100 }).announced).toEqual([]);
    const { announced } = show(visits, times(3, ANN), { track: 1, fromMs: 3300 });
    expect(announced.every(([, { verdict }]) => verdict.frames >= 3 + 2)).toBe(true);
  });

  it.each<[string, Finding[], Finding[], string | null, boolean]>([
    ['who was named has to be seen again', times(3, ANN), [null], null, true],
    ['who was a stranger too', times(6, null), [ANN], null, true],
    ['who is named by the new track is', [null], times(3, ANN), 'ann', false],
    ['a stranger whom the new track named is named', times(6, null), times(3, ANN), 'ann', false],
    ['nobody is decided where nobody was', [ANN], [ANN], null, true],
  ])('%s', (_, old, young, person, undecided) => {
    const visits = build();
    show(visits, old, { track: 1 });
    show(visits, young, { track: 2, fromMs: 2000 });
    join(visits);
    expect(visits.identity(1)?.personId ?? null).toBe(person);
    expect(visits.undecided(1)).toBe(undecided);
    expect(visits.undecided(2)).toBe(true);
  });

  it('says nothing new of who was named, once they are seen again', () => {
    const visits = build();
    show(visits, times(3, ANN), { track: 1 });
    show(visits, [ANN], { track: 2, fromMs: 2000 });
    join(visits);
    expect(show(visits, times(8, ANN), { track: 1, fromMs: 2100 }).announced).toEqual([]);
    expect(visits.identity(1)?.personId).toBe('ann');
  });

  it('tells that whoever was named is a stranger now, when they are', () => {
    const visits = build();
    show(visits, times(3, ANN), { track: 1 });
    show(visits, [null], { track: 2, fromMs: 2000 });
    join(visits);
    const { announced } = show(visits, times(8, null), { track: 1, fromMs: 2100 });
    expect(announced).toMatchObject([[expect.any(Number), { type: 'enter', verdict: { decision: 'unknown' } }]]);
    expect(visits.identity(1)).toBeNull();
  });

  it('remembers that a stranger was announced', () => {
    const visits = build();
    show(visits, times(6, null), { track: 1 });
    show(visits, [ANN], { track: 2, fromMs: 2000 });
    join(visits);
    const { announced } = show(visits, times(30, ANN), { track: 1, fromMs: 2100 });
    expect(announced).toMatchObject([[expect.any(Number), { type: 'update', verdict: { person: ANN } }]]);
  });

  it('ends what was told of either number, each with what was told last', () => {
    const visits = build();
    show(visits, times(3, ANN), { track: 1 });
    show(visits, times(6, null), { track: 2, fromMs: 2000 });
    join(visits);
    show(visits, times(8, ANN), { track: 1, fromMs: 2600 });
    expect(visits.end([1])).toMatchObject([
      { track: 1, toldAs: 1, verdict: { decision: 'known', person: ANN } },
      { track: 1, toldAs: 2, verdict: { decision: 'unknown' } },
    ]);
  });

  it('leaves what is known of each number where faces were mixed up', () => {
    const visits = build();
    show(visits, times(3, ANN), { track: 1 });
    show(visits, times(3, BOB), { track: 2 });
    visits.rename(
      [
        { from: 1, to: 2, merged: false },
        { from: 2, to: 1, merged: false },
      ],
      new Set([1, 2]),
    );
    expect([1, 2].map((track) => visits.identity(track)?.personId)).toEqual(['ann', 'bob']);
  });

  it('never names anybody by what was seen before either when a face in doubt is taken for one out of sight', () => {
    const visits = build();
    show(visits, times(2, ANN), { track: 1 });
    show(visits, times(3, BOB), { track: 2 });
    show(visits, [null], { track: 3, fromMs: 1000 });
    visits.rename([{ from: 3, to: 1, merged: false }], new Set([3]));
    const [named] = show(visits, times(4, ANN), { track: 1, fromMs: 1100 }).announced;
    expect(named?.[1].verdict).toMatchObject({ person: ANN, frames: 3 });
    visits.rename([{ from: 3, to: 2, merged: false }], new Set([1, 3]));
    expect([visits.identity(2), visits.undecided(2)]).toEqual([null, true]);
    expect(show(visits, times(4, BOB), { track: 2, fromMs: 2000 }).announced).toEqual([]);
    expect(visits.identity(2)?.personId).toBe('bob');
  });
});

describe('liveness', () => {
  const REQUIRED = { ...POLICY, liveness: 'require' } as const;

  it.each([
    ['a live face', 0.9, ['known']],
    ['a picture of a face', 0.1, []],
    ['a face that was not judged', null, []],
  ])('where it is required: %s', (_, live, decisions) => {
    const { announced } = show(build(REQUIRED), times(12, ANN), { live });
    expect(announced.map(([, { verdict }]) => verdict.decision)).toEqual(decisions);
  });

  const picture = { finding: ANN, live: 0.1 };
  const holder = { finding: null, live: 0.999 };
  it.each([
    ['first', [picture, holder]],
    ['last', [holder, picture]],
  ])('is that of the face that is named, not of whoever shows a picture of it %s', (_, faces) => {
    const visits = build(REQUIRED);
    const announced = faces.flatMap(
      ({ finding, live }, part) => show(visits, times(5, finding), { live, fromMs: part * 500 }).announced,
    );
    expect(announced.filter(([, { verdict }]) => verdict.decision === 'known')).toEqual([]);
    const reported = build({ ...POLICY, liveness: 'report' });
    show(reported, times(2, null), { live: 0.999 });
    const [named] = show(reported, times(8, ANN), { live: 0.1, fromMs: 200 }).announced;
    expect(named?.[1].verdict).toMatchObject({ decision: 'known', liveness: expect.closeTo(0.1, 9) });
  });

  it('is told of all looks together, also when nobody was named', () => {
    expect(
      show(build({ ...POLICY, liveness: 'report' }), times(3, ANN), { live: 0.1 }).announced[0]?.[1].verdict,
    ).toMatchObject({
      decision: 'known',
      liveness: expect.closeTo(0.1, 9),
    });
    const visits = build(REQUIRED);
    show(visits, times(8, ANN), { live: 0.2 });
    expect(visits.end([1])).toMatchObject([{ verdict: { decision: 'undecided', liveness: expect.closeTo(0.2, 9) } }]);
  });
});

it('gives what a track looked like to each encoder, the mean of its looks', () => {
  const visits = build();
  const embeddings = [Float32Array.of(1, 0), Float32Array.of(0, 1), Float32Array.of(1, 0)];
  const told = embeddings.map((embedding, index) => {
    const sighting = sightingOf(ANN, index * 100);
    return visits.observe(1, { ...sighting, face: { ...sighting.face, embedding } }, ENROLLED, index * 100);
  });
  expect(told[2]?.portrait).toMatchObject([{ encoder: 'full', part: 'full', mask: 'none', quality: 0.7 }]);
  expect(told[2]?.portrait[0]?.embedding[0]).toBeCloseTo(2 / Math.sqrt(5), 6);
});
