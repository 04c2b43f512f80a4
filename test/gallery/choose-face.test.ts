import { expect, it } from 'vitest';
import { chooseFace, type FaceScores, type ReadFace } from '../../src/gallery/choose-face.ts';

const LIMITS = { minFacePx: 60, minQuality: 0.3 };

function face(height: number, width = height * 0.8, quality: FaceScores = { score: 0.9 }): ReadFace {
  return { box: { x: 0, y: 0, width, height }, score: 0.9, quality, embeddings: [], mask: null };
}

it('takes the only face', () => {
  const only = face(100);
  expect(chooseFace([only], LIMITS)).toEqual({ face: only });
});

it('passes over faces far in the background, wherever they come in the list', () => {
  const main = face(400);
  expect(chooseFace([face(99), main, face(60)], LIMITS)).toEqual({ face: main });
});

it.each<[string, ReadFace[], string, string]>([
  ['no face', [], 'NO_FACE', 'no face was found'],
  ['two faces', [face(200), face(190)], 'SEVERAL_FACES', '2 faces were found: cut out the one that is meant'],
  [
    'a second face of a quarter of the height, and one far behind',
    [face(100), face(400), face(30)],
    'SEVERAL_FACES',
    '2 faces were found: cut out the one that is meant',
  ],
  ['a small face', [face(90, 59.9)], 'FACE_TOO_SMALL', 'the face is 59 pixels wide, at least 60 are needed'],
  ['a poor face', [face(90, 80, { score: 0.299 })], 'QUALITY_TOO_LOW', 'the quality is 0.29, at least 0.3 is needed'],
  [
    'a blurred profile',
    [face(90, 80, { score: 0.1, sharpness: 0.2, pose: 0, exposure: 0.9, size: 1, completeness: 1 })],
    'QUALITY_TOO_LOW',
    'the quality is 0.10, at least 0.3 is needed (it is blurred, the face is turned away)',
  ],
  ['a face of no known quality', [face(90, 80, { score: Number.NaN })], 'QUALITY_TOO_LOW', 'the quality is NaN'],
])('refuses %s', (_, faces, code, reason) => {
  const choice = chooseFace(faces, LIMITS);
  expect(choice).toMatchObject({ face: null, code });
  expect(choice).toHaveProperty('reason', expect.stringContaining(reason));
});

it('takes a face that just meets the limits', () => {
  const just = face(90, 60, { score: 0.3 });
  expect(chooseFace([just], LIMITS)).toEqual({ face: just });
});
