import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ClosedSetOptions, closedSet } from '../../src/evaluation/closed-set.ts';

const PEOPLE = [
  { person: 'ada', plain: ['a1', 'a2', 'a3'], masked: ['am1', 'am2'] },
  { person: 'bob', plain: ['b1'], masked: ['bm1'] },
  { person: 'cy', plain: [], masked: ['cm1'] },
];
const OPTIONS: ClosedSetOptions = { probe: 'masked', gallery: 'plain', seed: 1, leaveOneOut: true };
const of = (list: readonly { file: string; person: number }[]) => list.map(({ file, person }) => `${person} ${file}`);

describe('closedSet', () => {
  it('looks for masked pictures among all plain ones', () => {
    const set = closedSet(PEOPLE, OPTIONS);
    expect(set.people).toEqual(['ada', 'bob', 'cy']);
    expect(of(set.gallery)).toEqual(['0 a1', '0 a2', '0 a3', '1 b1']);
    expect(of(set.probes)).toEqual(['0 am1', '0 am2', '1 bm1']);
    // Nothing is enrolled of cy.
    expect(set.withoutGallery).toBe(1);
    expect(closedSet(PEOPLE, { ...OPTIONS, leaveOneOut: false })).toEqual(set);
  });

  it('looks for each plain picture among the others; who has one picture is left out, and stays in the gallery', () => {
    const set = closedSet(PEOPLE, { ...OPTIONS, probe: 'plain' });
    expect(of(set.gallery)).toEqual(['0 a1', '0 a2', '0 a3', '1 b1']);
    expect(of(set.probes)).toEqual(['0 a1', '0 a2', '0 a3']);
    expect(set.withoutGallery).toBe(1);
  });

  it('halves plain pictures for a classifier, which cannot leave one out', () => {
    const set = closedSet(PEOPLE, { ...OPTIONS, probe: 'plain', leaveOneOut: false });
    expect(set.gallery.filter(({ person }) => person === 0)).toHaveLength(2);
    expect(set.probes.filter(({ person }) => person === 0)).toHaveLength(1);
    expect(of(set.gallery)).toContain('1 b1');
    expect(set.withoutGallery).toBe(1);
  });

  it('asks a classifier that was trained before about all it was not trained on', () => {
    const learned = new Set(['a1', 'a2', 'am1']);
    const set = closedSet(PEOPLE, { ...OPTIONS, probe: 'plain', leaveOneOut: false, learned });
    expect(of(set.probes)).toEqual(['0 a3', '1 b1']);
    expect(set.gallery).toEqual([]);
    expect(of(closedSet(PEOPLE, { ...OPTIONS, learned }).probes)).toEqual(['0 am2', '1 bm1', '2 cm1']);
  });

  it('halves both kinds for a mixed gallery', () => {
    const set = closedSet(PEOPLE, { ...OPTIONS, gallery: 'mixed' });
    const ada = set.gallery.filter(({ person }) => person === 0).map(({ file }) => file);
    expect(ada.filter((file) => file.startsWith('am'))).toHaveLength(1);
    expect(ada).toHaveLength(3);
    // Of one masked picture none is learnt from.
    expect(of(set.probes)).toContain('1 bm1');
    expect(set.withoutGallery).toBe(1);
  });

  it('never has a picture on both sides, but to leave it out, and is the same for a seed and a person', () => {
    const count = fc.integer({ min: 0, max: 7 });
    const options = fc.record({
      probe: fc.constantFrom('plain' as const, 'masked' as const),
      gallery: fc.constantFrom('plain' as const, 'mixed' as const),
      seed: fc.nat(),
      leaveOneOut: fc.constant(false),
    });
    fc.assert(
      fc.property(fc.array(fc.tuple(count, count), { minLength: 1, maxLength: 4 }), options, (counts, chosen) => {
        const people = counts.map(([plain, masked], at) => ({
          person: `p${at}`,
          plain: Array.from({ length: plain }, (_, index) => `${at}/plain/${index}`),
          masked: Array.from({ length: masked }, (_, index) => `${at}/masked/${index}`),
        }));
        const set = closedSet(people, chosen);
        const enrolled = new Set(set.gallery.map(({ file }) => file));
        for (const { file } of set.probes) expect(enrolled).not.toContain(file);
        for (const { file, person } of [...set.gallery, ...set.probes]) {
          expect([...(people[person]?.plain ?? []), ...(people[person]?.masked ?? [])]).toContain(file);
        }
        expect(closedSet(people, chosen)).toEqual(set);
        const alone = closedSet(people.slice(0, 1), chosen);
        expect(of(alone.gallery)).toEqual(of(set.gallery).filter((text) => text.startsWith('0 ')));
      }),
    );
  });

  it('divides differently for another seed', () => {
    const many = [{ person: 'ada', plain: Array.from({ length: 20 }, (_, at) => `a${at}`), masked: [] }];
    const probes = (seed: number) =>
      of(closedSet(many, { ...OPTIONS, probe: 'plain', leaveOneOut: false, seed }).probes);
    expect(probes(1)).not.toEqual(probes(2));
  });
});
