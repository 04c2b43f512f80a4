import { expect, it } from 'vitest';
import { assignPeople } from '../../src/tracks/assign.ts';

const ann = { id: 'ann', name: 'Ann' };
const bob = { id: 'bob', name: 'Bob' };

it.each([
  [
    'two people',
    [
      { person: ann, score: 0.7 },
      { person: bob, score: 0.6 },
    ],
    ['ann', 'bob'],
  ],
  [
    'one person twice: the likelier face',
    [
      { person: ann, score: 0.6 },
      { person: ann, score: 0.7 },
    ],
    [null, 'ann'],
  ],
  [
    'a tie goes to the first',
    [
      { person: ann, score: 0.6 },
      { person: ann, score: 0.6 },
    ],
    ['ann', null],
  ],
  ['below the threshold', [{ person: ann, score: 0.49 }, null], [null, null]],
  ['at the threshold', [{ person: ann, score: 0.5 }], ['ann']],
])('%s', (_, candidates, expected) => {
  const claims = candidates.map((candidate) => candidate && { ...candidate, threshold: 0.5 });
  expect(assignPeople(claims).map((person) => person?.id ?? null)).toEqual(expected);
});

it('leaves a person with a face that was not looked at this time, unless the new face is more like them', () => {
  const held = [{ person: ann, score: 0.65, threshold: 0.5 }];
  expect(assignPeople([{ person: ann, score: 0.6, threshold: 0.5 }], held)).toEqual([null]);
  expect(assignPeople([{ person: ann, score: 0.7, threshold: 0.5 }], held)).toEqual([ann]);
  expect(assignPeople([{ person: bob, score: 0.6, threshold: 0.5 }], held)).toEqual([bob]);
});

it('compares faces that different encoders saw by how far they are above what is a match', () => {
  const bare = { person: ann, score: 0.6, threshold: 0.45 };
  const masked = { person: ann, score: 0.7, threshold: 0.6 };
  expect(assignPeople([bare, masked])).toEqual([ann, null]);
  expect(assignPeople([masked], [bare])).toEqual([null]);
  expect(assignPeople([bare], [masked])).toEqual([ann]);
});
