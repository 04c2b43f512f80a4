import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalTail } from '../../src/core/normal.ts';
import { meaningOf } from '../../src/faces/score-calibration.ts';
import {
  boundOf,
  claimedRate,
  decide,
  type Evidence,
  independentLooks,
  weigh,
} from '../../src/tracks/sequential-test.ts';
import { TENTHS } from './score-curve.ts';

const POLICY = { falseAcceptRate: 1e-4, falseRejectRate: 0.05, lookalikeMargin: 20, minFrames: 3, unknownFrames: 6 };
const ENROLLED = { people: 10, templates: 20 };
const person = (id: string) => ({ id, name: id.toUpperCase() });

/** A look that matches people by normal scores. */
function look(normals: Readonly<Record<string, number>>, atMs = 0, quality = 0.8): Evidence {
  const matches = Object.entries(normals)
    .map(([id, normal]) => ({ person: person(id), ...meaningOf(TENTHS, normal / 10) }))
    .sort((a, b) => b.normal - a.normal);
  return { atMs, quality, matches, excluded: new Set(), encoder: 'enc', curve: TENTHS };
}

const track = (...normals: Readonly<Record<string, number>>[]) => normals.map((it, index) => look(it, index * 100));
const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);

describe('decide', () => {
  it.each<[string, Evidence[], string]>([
    ['nothing', [], 'undecided'],
    ['two good looks', track(...times(2, { a: 6 })), 'undecided'],
    ['three good looks', track(...times(3, { a: 6 })), 'known a'],
    ['three middling looks', track(...times(3, { a: 3 })), 'undecided'],
    ['three looks of which one says nothing', track({ a: 6 }, { a: 6 }, { b: 1 }), 'undecided'],
    ['two who are alike', track(...times(10, { a: 6, b: 5.9 })), 'undecided'],
    ['a stranger somewhat like somebody, nine times', track(...times(9, { a: 3 })), 'undecided'],
    ['a stranger somewhat like somebody, ten times', track(...times(10, { a: 3 })), 'unknown'],
    ['a lookalike clearly behind', track(...times(3, { a: 6, b: 4 })), 'known a'],
    [
      'now one, now the other',
      track(
        ...times(6, [
          { a: 6, b: 1 },
          { b: 6, a: 1 },
        ]).flat(),
      ),
      'unknown',
    ],
    ['one look very like somebody among others that are not', track({ a: 8 }, { a: 2.4 }, { a: 2.4 }), 'undecided'],
    ['five of a stranger', track(...times(5, { a: 0.5 })), 'undecided'],
    ['six of a stranger', track(...times(6, { a: 0.5 })), 'unknown'],
    ['a stranger to an empty gallery', track(...times(6, {})), 'unknown'],
    [
      'somebody else of the frame',
      track(...times(6, { a: 6 })).map((it) => ({ ...it, excluded: new Set(['a']) })),
      'unknown',
    ],
  ])('%s', (_, looks, expected) => {
    const verdict = decide(looks, ENROLLED, POLICY);
    expect(verdict.decision === 'known' ? `known ${verdict.person.id}` : verdict.decision).toBe(expected);
  });

  it('takes stronger evidence the more there are to be mistaken for, and the rarer a mistake may be', () => {
    const looks = track(...times(3, { a: 4.9 }));
    expect(decide(looks, ENROLLED, POLICY).decision).toBe('known');
    expect(decide(looks, { people: 10, templates: 2000 }, POLICY).decision).toBe('undecided');
    expect(decide(looks, ENROLLED, { ...POLICY, falseAcceptRate: 1e-6 }).decision).toBe('undecided');
  });

  it('claims no more than strangers with such scores would be mistaken', () => {
    expect(claimedRate(ENROLLED, boundOf(ENROLLED, POLICY))).toBeCloseTo(1e-4, 8);
    expect(claimedRate({ people: 1, templates: 1 }, 3)).toBeCloseTo(normalTail(3), 9);
    expect(claimedRate({ people: 0, templates: 0 }, -9)).toBeCloseTo(1, 9);
  });

  it('gives the score from which as many looks would have named somebody', () => {
    const { threshold } = decide(track(...times(5, { a: 1 })), ENROLLED, POLICY);
    expect(decide(track(...times(5, { a: threshold * 10 + 0.01 })), ENROLLED, POLICY).decision).toBe('known');
    expect(decide(track(...times(5, { a: threshold * 10 - 0.01 })), ENROLLED, POLICY).decision).not.toBe('known');
  });

  it('weighs looks by two encoders together, and scores those by the latest', () => {
    const other = times(2, { a: 7 }).map((it, index) => ({ ...look(it, index * 100), encoder: 'upper' }));
    const verdict = decide([...other, look({ a: 4 }, 300)], ENROLLED, POLICY);
    expect(verdict).toMatchObject({ decision: 'known', score: expect.closeTo(0.4, 9), encoder: 'enc', frames: 3 });
  });

  it('scores the person decided on, and the closest of those a stranger is not', () => {
    expect(decide(track({ a: 5 }, { a: 6 }, { a: 7 }), ENROLLED, POLICY)).toEqual({
      decision: 'known',
      person: person('a'),
      score: expect.closeTo(0.6, 9),
      normal: expect.closeTo(6, 3),
      frames: 3,
      encoder: 'enc',
      threshold: expect.closeTo(0.43, 1),
    });
    expect(decide(track(...times(6, { a: 0.5 })), ENROLLED, POLICY)).toMatchObject({ score: expect.closeTo(0.05, 9) });
    expect(decide(track(...times(6, {})), ENROLLED, POLICY)).toMatchObject({ score: null });
  });
});

const normal = fc.double({ min: -3, max: 5, noNaN: true });
const scores = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), normal, { maxKeys: 4 });
const looks = fc.array(
  fc.record({ scores, atMs: fc.integer({ min: 0, max: 5000 }), quality: fc.double({ min: 0.2, max: 1, noNaN: true }) }),
  { maxLength: 12 },
);
const evidence = (drawn: readonly { scores: Record<string, number>; atMs: number; quality: number }[]) =>
  drawn.map(({ scores: normals, atMs, quality }) => look(normals, atMs, quality));

describe('whatever the looks', () => {
  it('nothing is decided on fewer than the least', () => {
    fc.assert(
      fc.property(looks, fc.integer({ min: 1, max: 8 }), fc.integer({ min: 0, max: 6 }), (drawn, minFrames, more) => {
        const policy = { ...POLICY, minFrames, unknownFrames: minFrames + more };
        const { decision } = decide(evidence(drawn), ENROLLED, policy);
        if (drawn.length < minFrames) expect(decision).toBe('undecided');
        if (drawn.length < minFrames + more) expect(decision).not.toBe('unknown');
      }),
    );
  });

  it('their order does not matter', () => {
    const asLikely = [
      { scores: { d: 0, a: -0.0006281661226681825 }, atMs: 0, quality: 0.23034991498644528 },
      { scores: { a: 0, d: -0.00019747080292997592 }, atMs: 0, quality: 0.4108410833705372 },
      { scores: {}, atMs: 0, quality: 0.22284213307859668 },
    ];
    const shuffled = looks.chain((drawn) =>
      fc.tuple(fc.constant(drawn), fc.shuffledSubarray(drawn, { minLength: drawn.length })),
    );
    fc.assert(
      fc.property(shuffled, ([drawn, order]) => {
        const [one, other] = [evidence(drawn), evidence(order)].map((it) => decide(it, ENROLLED, POLICY));
        expect(other).toEqual(one);
      }),
      {
        // Two whom rounding alone sets apart: which of them is the best must not hang on the order.
        examples: [[[asLikely, asLikely.toReversed()]]],
      },
    );
  });

  it('more evidence for a person never takes the name away, and never makes a stranger', () => {
    fc.assert(
      fc.property(looks, fc.nat(), fc.double({ min: 0, max: 4, noNaN: true }), (drawn, which, more) => {
        const better = drawn.map((it, index) =>
          index === which % Math.max(1, drawn.length)
            ? { ...it, scores: { ...it.scores, a: Math.max(it.scores.a ?? -3, it.scores.a ?? 0) + more } }
            : it,
        );
        const before = decide(evidence(drawn), ENROLLED, POLICY);
        const after = decide(evidence(better), ENROLLED, POLICY);
        if (before.decision === 'known' && before.person.id === 'a')
          expect(after).toMatchObject({ person: { id: 'a' } });
        if (before.decision !== 'unknown') expect(after.decision).not.toBe('unknown');
        const of = (all: typeof drawn) => weigh(evidence(all)).weighed.find(({ person: it }) => it.id === 'a');
        expect(of(better)?.normal ?? 9).toBeGreaterThanOrEqual((of(drawn)?.normal ?? -9) - 1e-6);
      }),
    );
  });

  it('they are worth at least one look, at most as many as they are, and more when further apart', () => {
    fc.assert(
      fc.property(looks, (drawn) => {
        if (drawn.length === 0) return;
        const weights = drawn.map(() => 1 / drawn.length);
        const worth = independentLooks(evidence(drawn), weights);
        expect(worth).toBeGreaterThanOrEqual(1 - 1e-9);
        expect(worth).toBeLessThanOrEqual(Math.min(drawn.length, 1 / 0.7) + 1e-9);
        const apart = evidence(drawn.map((it) => ({ ...it, atMs: it.atMs * 3 })));
        expect(independentLooks(apart, weights)).toBeGreaterThanOrEqual(worth - 1e-9);
      }),
    );
  });
});
