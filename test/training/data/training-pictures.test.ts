import { expect, it } from 'vitest';
import { MIRROR } from '../../../src/training/data/landmark-sampler.ts';
import { splitPeople, splitPictures } from '../../../src/training/data/training-pictures.ts';

it('holds people out who are not trained on, the same for the same seed', () => {
  const people = Array.from({ length: 50 }, (_, at) => at % 40);
  const { train, validation } = splitPeople(people, { share: 0.1, seed: 1 });
  expect(validation.size).toBe(4);
  expect(train.size).toBe(36);
  expect([...validation].filter((person) => train.has(person))).toEqual([]);
  expect(splitPeople(people, { share: 0.1, seed: 1 })).toEqual({ train, validation });
  expect(splitPeople(people, { share: 0.1, seed: 1, fold: 1 }).validation).not.toEqual(validation);
});

it('holds the same people out whoever else has a face that is found', () => {
  const all = Array.from({ length: 200 }, (_, person) => person);
  const split = (people: readonly number[]) => splitPeople(people, { share: 0.1, seed: 1, of: 200 });
  const before = split(all);
  expect(before).toEqual(splitPeople(all, { share: 0.1, seed: 1 }));
  const lost = [...before.train].slice(0, 5);
  const after = split(all.filter((person) => !lost.includes(person)));
  expect([...after.validation].filter((person) => before.train.has(person))).toEqual([]);
});

it('says so when there are too few people', () => {
  expect(() => splitPeople([7, 7, 7], { share: 0.1, seed: 1 })).toThrow(/one person with a face/);
});

it('holds pictures out of everybody who has two, and trains on all others', () => {
  // Ten of person 0, two of person 1, one of person 2.
  const people = [...Array.from({ length: 10 }, () => 0), 1, 1, 2];
  const { train, validation } = splitPictures(people, 0.2, 1);
  expect([...train, ...validation].sort((a, b) => a - b)).toEqual(people.map((_, face) => face));
  expect(validation.map((face) => people[face]).sort()).toEqual([0, 0, 1]);
  expect(splitPictures(people, 0.2, 1)).toEqual({ train, validation });
  const sorted = (faces: readonly number[]) => [...faces].sort((a, b) => a - b);
  expect(sorted(splitPictures(people, 0.2, 1, 1).validation)).not.toEqual(sorted(validation));
});

it.each([
  [[4, 4, 4], /one person with a face/],
  [[1, 2, 3], /nobody has two pictures/],
])('says so when a classifier cannot be judged', (people, message) => {
  expect(() => splitPictures(people, 0.2, 1)).toThrow(message);
});

it('mirrors each of the 68 points to one and back', () => {
  expect(MIRROR).toHaveLength(68);
  expect(MIRROR.map((point) => MIRROR[point])).toEqual(Array.from({ length: 68 }, (_, at) => at));
});
