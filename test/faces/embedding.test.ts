import { expect, it } from 'vitest';
import { cosine, normalise, unitEmbedding } from '../../src/faces/embedding.ts';

it('scales a row of a batch to unit length', () => {
  const output = { data: Float32Array.from([9, 9, 9, 3, 0, -4]), shape: [2, 3] };
  const unit = unitEmbedding(output, 1);
  expect([...(unit ?? [])].map((value) => Number(value.toFixed(6)))).toEqual([0.6, 0, -0.8]);
  expect([...output.data]).toEqual([9, 9, 9, 3, 0, -4]);
});

it.each([[[0, 0]], [[Number.NaN, 1]], [[Number.POSITIVE_INFINITY, 1]]])('refuses %j', (vector) => {
  expect(() => normalise(Float32Array.from(vector))).toThrow(RangeError);
});

it('gives the cosine of unit vectors', () => {
  expect(cosine(Float32Array.from([0.6, 0.8]), Float32Array.from([0.8, -0.6]))).toBeCloseTo(0, 6);
  expect(cosine(Float32Array.from([0.6, 0.8]), Float32Array.from([1, 0]))).toBeCloseTo(0.6, 6);
  expect(() => cosine(new Float32Array(2), new Float32Array(3))).toThrow(RangeError);
});

it('gives nothing for a feature shorter than asked', () => {
  const output = { data: Float32Array.from([3, 0, -4]), shape: [1, 3] };
  expect(unitEmbedding(output, 0, 5)).not.toBeNull();
  expect(unitEmbedding(output, 0, 5.01)).toBeNull();
});
