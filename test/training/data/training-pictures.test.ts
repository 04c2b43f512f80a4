import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { MIRROR } from '../../../src/training/data/landmark-sampler.ts';
import { splitPeople, splitPictures, trainingPictures } from '../../../src/training/data/training-pictures.ts';

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

it('holds nobody out in two folds, and everybody in one', () => {
  const all = Array.from({ length: 158 }, (_, person) => person);
  const folds = Array.from({ length: 10 }, (_, fold) => [
    ...splitPeople(all, { share: 0.1, seed: 1, fold }).validation,
  ]);
  expect(folds.map((held) => held.length)).toEqual([16, 16, 16, 16, 16, 16, 16, 16, 16, 14]);
  expect(folds.flat().sort((a, b) => a - b)).toEqual(all);
});

it('refuses a fold for which nobody is left', () => {
  const all = Array.from({ length: 11 }, (_, person) => person);
  expect(() => splitPeople(all, { share: 0.1, seed: 1, fold: 5 })).toThrow(
    'there are not two people left for fold 5: 11 people, 2 of them held out at a time, make folds 0 to 4',
  );
});

it('knows people by the full paths of their folders, however they were given', () => {
  const source = (folder: string, person: string) => ({
    folder,
    people: [{ person, plain: [`${folder}/${person}/1.jpg`], masked: [] }],
  });
  expect(trainingPictures([source('some/people', 'ann')]).folders).toEqual([resolve('some/people/ann')]);
  expect(trainingPictures([source('/b', 'ann'), source('./some/people/', 'ann')]).folders).toEqual([
    '/b/ann',
    resolve('some/people/ann'),
  ]);
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
