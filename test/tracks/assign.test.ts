import { expect, it } from 'vitest';
import { excludedPeople } from '../../src/tracks/assign.ts';
import type { Match } from '../../src/tracks/sequential-test.ts';

/** Matches by normal score; above 2.5 they speak for a person. */
const face = (normals: Readonly<Record<string, number>>): Match[] =>
  Object.entries(normals).map(([id, normal]) => ({
    person: { id, name: id },
    score: normal / 10,
    normal,
    llr: 5 * (normal - 2.5),
  }));

it.each<[string, Match[][], string[][]]>([
  ['two people', [face({ ann: 6, bob: 1 }), face({ bob: 5, ann: 1 })], [['bob'], ['ann']]],
  ['one person twice: the likelier face', [face({ ann: 5 }), face({ ann: 6 })], [['ann'], []]],
  ['a tie goes to the first', [face({ ann: 6 }), face({ ann: 6 })], [[], ['ann']]],
  ['nobody is claimed by what speaks against them', [face({ ann: 1 }), face({ ann: 2 })], [[], []]],
  ['a second choice stays', [face({ ann: 6, bob: 4 }), face({ ann: 7 })], [['ann'], ['bob']]],
  ['a face that matches nobody', [face({ ann: 6 }), []], [[], ['ann']]],
])('%s', (_, faces, expected) => {
  expect(excludedPeople(faces).map((it) => [...it])).toEqual(expected);
});

it('leaves a person with a face that was not looked at this time, unless the new face is more like them', () => {
  const held = [{ personId: 'ann', normal: 6 }];
  expect([...(excludedPeople([face({ ann: 5 })], held)[0] ?? [])]).toEqual(['ann']);
  expect([...(excludedPeople([face({ ann: 7 })], held)[0] ?? [])]).toEqual([]);
  expect([...(excludedPeople([face({ bob: 5 })], held)[0] ?? [])]).toEqual(['ann']);
});
