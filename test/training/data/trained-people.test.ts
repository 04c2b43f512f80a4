import { expect, it } from 'vitest';
import { heldOutAsBefore, joinPeople, sideOf } from '../../../src/training/data/trained-people.ts';

const BEFORE = { fold: 2, trainedOn: ['/a/ann', '/a/bob', '/b/cid'], heldOut: ['/a/cid', '/a/dan', '/a/eve'] };
const COMMON = { before: BEFORE, share: 0.1, seed: 1 };

/** Parts people by their folders; gives the folders of those held out. */
function heldOut(folders: readonly string[]): string[] {
  const people = folders.map((_, person) => person);
  return [...heldOutAsBefore(people, { ...COMMON, needed: people, folders })].map((person) => folders[person] ?? '');
}

it('knows who was trained on and who held out, in a folder that was moved as well', () => {
  const side = sideOf(BEFORE);
  expect(['/a/ann', '/a/cid', '/b/cid', '/a/eve', '/a/fay'].map(side)).toEqual([
    'trained on',
    'held out',
    'trained on',
    'held out',
    null,
  ]);
  // One cid was trained on.
  expect(['/c/ann', '/c/dan', '/c/cid'].map(side)).toEqual(['trained on', 'held out', 'trained on']);
});

it('adds a later training; who was trained on once is not held out any more', () => {
  const later = { fold: 0, trainedOn: ['/a/dan', '/a/fay'], heldOut: ['/a/ann', '/a/gus'] };
  expect(joinPeople(BEFORE, later)).toEqual({
    fold: 2,
    trainedOn: ['/a/ann', '/a/bob', '/a/dan', '/a/fay', '/b/cid'],
    heldOut: ['/a/cid', '/a/eve', '/a/gus'],
  });
  expect(joinPeople(null, later)).toEqual({ ...later, heldOut: ['/a/ann', '/a/gus'] });
});

it('parts who was there as before, and who is new whoever else is', () => {
  const known = [...BEFORE.trainedOn, ...BEFORE.heldOut];
  expect(heldOut(known)).toEqual(BEFORE.heldOut);
  const newcomers = Array.from({ length: 2000 }, (_, at) => `/a/new ${at}`);
  const held = heldOut([...newcomers, ...known]);
  const ofNew = held.filter((person) => person.startsWith('/a/new'));
  expect(held.slice(ofNew.length)).toEqual(BEFORE.heldOut);
  expect(ofNew.length / newcomers.length).toBeGreaterThan(0.08);
  expect(ofNew.length / newcomers.length).toBeLessThan(0.12);
  const half = newcomers.filter((_, at) => at % 2 === 0).reverse();
  const isHalf = (person: string) => half.includes(person);
  expect(
    heldOut([...known, ...half])
      .filter(isHalf)
      .sort(),
  ).toEqual(ofNew.filter(isHalf).sort());
});

it('needs two people on either side', () => {
  const folders = ['/a/ann', '/a/bob', '/a/dan'];
  const split = (needed: readonly number[] | null) => heldOutAsBefore([0, 1, 2], { ...COMMON, folders, needed });
  expect(() => split([0, 1, 2])).toThrow('2 people to train on and 1 to judge by, two of each are needed');
  expect([...split(null)]).toEqual([2]);
});
