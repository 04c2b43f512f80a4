import { expect, it } from 'vitest';
import { MIRROR } from '../../../src/training/data/landmark-sampler.ts';
import { splitPeople } from '../../../src/training/data/training-pictures.ts';

it('holds people out who are not trained on, the same for the same seed', () => {
  const people = Array.from({ length: 50 }, (_, at) => at % 40);
  const { train, validation } = splitPeople(people, 0.1, 1);
  expect(validation.size).toBe(4);
  expect(train.size).toBe(36);
  expect([...validation].filter((person) => train.has(person))).toEqual([]);
  expect(splitPeople(people, 0.1, 1)).toEqual({ train, validation });
  expect(splitPeople(people, 0.1, 1, 1).validation).not.toEqual(validation);
});

it('says so when there are too few people', () => {
  expect(() => splitPeople([7, 7, 7], 0.1, 1)).toThrow(/one person with a face/);
});

it('mirrors each of the 68 points to one and back', () => {
  expect(MIRROR).toHaveLength(68);
  expect(MIRROR.map((point) => MIRROR[point])).toEqual(Array.from({ length: 68 }, (_, at) => at));
});
