import { expect, it } from 'vitest';
import { editDistance, nearest } from '../../src/config/suggest.ts';

it.each([
  ['', '', 0],
  ['', 'abc', 3],
  ['kitten', 'sitting', 3],
  ['flaw', 'lawn', 2],
  ['urll', 'url', 1],
  ['trasnport', 'transport', 1],
  ['ca', 'abc', 3],
])('%s and %s are %i edits apart', (first, second, distance) => {
  expect(editDistance(first, second)).toBe(distance);
  expect(editDistance(second, first)).toBe(distance);
});

it('suggests only what is near', () => {
  expect(nearest('THRESHHOLD', ['agreeingFrames', 'threshold'])).toBe('threshold');
  expect(nearest('xyz', ['abc', 'def'])).toBeNull();
  expect(nearest('a', [])).toBeNull();
});
