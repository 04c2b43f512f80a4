import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accuracyOf, areaUnderCurve, centralFace, MEASURES } from '../../../bench/peers/accuracy.ts';

const vector = (...values: number[]) => Float32Array.from(values);

describe('areaUnderCurve', () => {
  const scored = fc.record({ same: fc.boolean(), score: fc.constantFrom(Number.NEGATIVE_INFINITY, -1, 0, 0.5, 1) });

  it('is the share of same/different pairs in the right order, ties counting half', () => {
    fc.assert(
      fc.property(fc.array(scored, { maxLength: 40 }), (drawn) => {
        const pairs = [...drawn, { same: true, score: 0 }, { same: false, score: 0 }];
        let won = 0;
        let all = 0;
        for (const { score } of pairs.filter((pair) => pair.same)) {
          for (const other of pairs.filter((pair) => !pair.same)) {
            all++;
            won += score > other.score ? 1 : score === other.score ? 0.5 : 0;
          }
        }
        expect(areaUnderCurve(pairs)).toBeCloseTo(won / all, 10);
      }),
    );
  });
});

describe('the measures', () => {
  it('are those of geometry, more being more alike', () => {
    expect(MEASURES.cosine(vector(3, 0), vector(1, 1))).toBeCloseTo(Math.SQRT1_2, 6);
    expect(MEASURES.euclidean(vector(0, 3), vector(4, 0))).toBeCloseTo(-5, 6);
  });
});

describe('accuracyOf', () => {
  const people = new Map([
    ['ada1', 'ada'],
    ['ada2', 'ada'],
    ['bob1', 'bob'],
    ['bob2', 'bob'],
  ]);

  it('finds the most similar other picture of each', () => {
    const embeddings = new Map([
      ['ada1', vector(1, 0)],
      ['ada2', vector(0.9, 0.1)],
      ['bob1', vector(0, 1)],
      ['bob2', vector(0.8, 0.2)],
    ]);
    // bob2 is nearest to ada2; bob1 is nearest to bob2.
    expect(accuracyOf(embeddings, { what: '', timed: [], pairs: [], people })).toMatchObject({
      rank1: 3 / 4,
      verification: null,
      pairs: 6,
    });
  });

  it('counts a face that was not found as told from nobody', () => {
    const embeddings = new Map([
      ['ada1', vector(1, 0)],
      ['ada2', null],
      ['bob1', vector(0, 1)],
      ['bob2', vector(0.1, 0.9)],
    ]);
    const accuracy = accuracyOf(embeddings, { what: '', timed: [], pairs: [], people });
    expect(accuracy?.rank1).toBe(2 / 4);
    // ada1 with ada2 ties with two pairs of different people and loses to two; bob1 with bob2 beats all four.
    expect(accuracy?.auc).toBeCloseTo((1 + 4) / 8, 10);
  });

  it('takes the measure that suits the system better', () => {
    // Lengths tell people apart, directions do not.
    const embeddings = new Map([
      ['ada1', vector(1, 0)],
      ['ada2', vector(1.1, 0.1)],
      ['bob1', vector(5, 0.1)],
      ['bob2', vector(5.1, 0.4)],
    ]);
    const pairs = Array.from({ length: 10 }, (_, index) => [
      { same: true, first: index % 2 ? 'ada1' : 'bob1', second: index % 2 ? 'ada2' : 'bob2' },
      { same: false, first: 'ada1', second: 'bob1' },
    ]).flat();
    expect(accuracyOf(embeddings, { what: '', timed: [], pairs, people: new Map() })).toMatchObject({
      measure: 'euclidean',
      verification: 1,
      rank1: null,
      auc: 1,
    });
  });

  it('says nothing where nobody says who is in the pictures', () => {
    expect(accuracyOf(new Map(), { what: '', timed: ['a'], pairs: [], people: new Map() })).toBeNull();
  });
});

describe('centralFace', () => {
  it('is the one nearest the centre', () => {
    const face = (x: number, y: number) => ({ box: { x, y, width: 20, height: 20 }, embedding: vector(x) });
    const picture = { width: 100, height: 100 };
    expect(centralFace([face(0, 0), face(45, 40), face(80, 80)], picture)?.box.x).toBe(45);
    expect(centralFace([], picture)).toBeNull();
  });
});
