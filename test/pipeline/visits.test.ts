import { describe, expect, it } from 'vitest';
import { cosine } from '../../src/faces/embedding.ts';
import { type Announcement, Visits } from '../../src/pipeline/visits.ts';
import { Cooldown } from '../../src/tracks/cooldown.ts';
import type { Shot } from '../../src/tracks/shots.ts';

const ANN = { id: 'ann', name: 'Ann' };
const BOB = { id: 'bob', name: 'Bob' };
const SHOT: Shot = {
  box: { x: 100, y: 100, width: 60, height: 80 },
  picture: { width: 640, height: 480 },
  score: 0.95,
  speed: 0.3,
};

const LOOK = { quality: 0.7, encoder: 'encoder', embedding: Float32Array.of(1, 0) };

function build(): Visits {
  const cooldown = new Cooldown({ cooldownMs: 30_000, sameStranger: () => 0.5 }, cosine);
  return new Visits({ agreeingFrames: 3, unknownFrames: 6 }, cooldown, 1000);
}

/** What a look would find: a person, `null` for a stranger, `poor` where it is too poor to match, `none` for no face. */
type Finding = typeof ANN | null | 'poor' | 'none';

/** Shows a track's face every `everyMs`; gives what is announced and when looks are taken, in ms since the first frame. */
function show(
  visits: Visits,
  findings: readonly Finding[],
  { track = 1, everyMs = 100, fromMs = 0, doubtful = false } = {},
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
    const sighting = { ...LOOK, person: finding, score: finding ? 0.6 : 0.2 };
    const announcement = visits.observe(track, sighting, nowMs);
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
  it('joins the evidence of two tracks that are one', () => {
    const visits = build();
    show(visits, times(2, ANN), { track: 1 });
    expect(visits.wants(2, SHOT, false, 3000)).toBe(true);
    visits.rename([{ from: 2, to: 1, merged: true }]);
    const sighting = { ...LOOK, person: ANN, score: 0.6 };
    expect(visits.observe(1, sighting, 3000)).toMatchObject({ type: 'enter', verdict: { person: ANN, frames: 3 } });
  });

  it.each<[string, Finding[], Finding[], string | null, boolean]>([
    ['who was named stays named', times(3, ANN), [null], 'ann', false],
    ['a stranger stays one', times(6, null), [ANN], null, false],
    ['who is named by the new track is', [null], times(3, ANN), 'ann', false],
    ['a stranger whom the new track named is named', times(6, null), times(3, ANN), 'ann', false],
    ['nobody is decided where nobody was', [ANN], [ANN], null, true],
  ])('%s', (_, old, young, person, undecided) => {
    const visits = build();
    show(visits, old, { track: 1 });
    show(visits, young, { track: 2, fromMs: 2000 });
    visits.rename([{ from: 2, to: 1, merged: true }]);
    expect(visits.identity(1)?.person.id ?? null).toBe(person);
    expect(visits.undecided(1)).toBe(undecided);
    expect(visits.undecided(2)).toBe(true);
  });

  it('remembers that a stranger was announced', () => {
    const visits = build();
    show(visits, times(6, null), { track: 1 });
    show(visits, [ANN], { track: 2, fromMs: 2000 });
    visits.rename([{ from: 2, to: 1, merged: true }]);
    const { announced } = show(visits, times(30, ANN), { track: 1, fromMs: 2100 });
    expect(announced).toMatchObject([[expect.any(Number), { type: 'update', verdict: { person: ANN } }]]);
  });

  it('leaves what is known of each number where faces were mixed up', () => {
    const visits = build();
    show(visits, times(3, ANN), { track: 1 });
    show(visits, times(3, BOB), { track: 2 });
    visits.rename([
      { from: 1, to: 2, merged: false },
      { from: 2, to: 1, merged: false },
    ]);
    expect([1, 2].map((track) => visits.identity(track)?.person.id)).toEqual(['ann', 'bob']);
  });
});
