import { describe, expect, it } from 'vitest';
import { detectionFigures, falseFinds, foundAtFalseFinds, type Looked } from '../../src/evaluation/detection.ts';

const box = (x: number, y: number, side: number) => ({ x, y, width: side, height: side });
const looked = (faces: Looked['faces'], ms = 1, offset = { x: 0, y: 0 }): Looked => ({
  size: { width: 200, height: 100 },
  offset,
  faces,
  ms,
});

describe('detectionFigures', () => {
  it('counts the face in the middle, by its score, and no other', () => {
    const pictures = [
      looked([{ box: box(80, 30, 40), score: 0.9 }], 1),
      looked(
        [
          { box: box(0, 0, 40), score: 0.99 },
          { box: box(90, 40, 30), score: 0.6 },
        ],
        3,
      ),
      // A part of a face, a face beside the middle, nothing.
      looked([{ box: box(95, 45, 10), score: 0.95 }], 2),
      looked([{ box: box(0, 0, 40), score: 0.95 }], 2),
      looked([], 2),
    ];
    expect(detectionFigures(pictures, 'central', [0.5, 0.7])).toEqual({
      pictures: 5,
      found: [
        { minScore: 0.5, value: 0.4 },
        { minScore: 0.7, value: 0.2 },
      ],
      msPerPicture: 2,
    });
    expect(detectionFigures(pictures, 'any', [0.7]).found).toEqual([{ minScore: 0.7, value: 0.8 }]);
  });

  it('knows that a border moves the middle, and has no time of no pictures', () => {
    const moved = looked([{ box: box(230, 130, 40), score: 0.8 }], 1, { x: 150, y: 100 });
    expect(detectionFigures([moved], 'central', [0.7]).found).toEqual([{ minScore: 0.7, value: 1 }]);
    expect(detectionFigures([], 'any', [0.7])).toEqual({
      pictures: 0,
      found: [{ minScore: 0.7, value: 0 }],
      msPerPicture: null,
    });
  });
});

it('counts every find of a thousand pictures as false', () => {
  const two = looked([
    { box: box(0, 0, 10), score: 0.9 },
    { box: box(50, 0, 10), score: 0.5 },
  ]);
  expect(falseFinds([two, looked([]), looked([]), looked([])], [0.4, 0.7]).per1000).toEqual([
    { minScore: 0.4, value: 500 },
    { minScore: 0.7, value: 250 },
  ]);
});

it('tells what is found at a rate of false finds, whatever scale the scores have', () => {
  const faces = [0.95, 0.9, 0.7, 0].map((score) => looked(score > 0 ? [{ box: box(80, 30, 40), score }] : []));
  // 2,000 pictures without a face, three finds in them: at one in 1,000 two are allowed, the third is not.
  const without = Array.from({ length: 2000 }, (_, index) =>
    looked(index < 3 ? [{ box: box(0, 0, 20), score: [0.92, 0.8, 0.7][index] ?? 0 }] : []),
  );
  expect(foundAtFalseFinds(faces, 'central', without, [1, 0.5, 10])).toEqual([
    { per1000: 1, aboveScore: 0.7, value: 0.5 },
    { per1000: 0.5, aboveScore: 0.8, value: 0.5 },
    { per1000: 10, aboveScore: 0, value: 0.75 },
  ]);
});
