import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { iou } from '../../src/core/geometry.ts';
import { bestOn, type DetectionOptions, decodeDetections, suppressOverlaps } from '../../src/faces/detect.ts';

const OPTIONS: DetectionOptions = { minScore: 0.7, nmsIou: 0.3, minFacePx: 10, maxFaces: 10 };
const INPUT = { width: 320, height: 240 };

type Candidate = readonly [score: number, left: number, top: number, right: number, bottom: number];

function outputs(pictures: readonly (readonly Candidate[])[]) {
  const count = pictures[0]?.length ?? 0;
  const all = pictures.flat();
  return {
    scores: {
      data: Float32Array.from(all.flatMap(([score]) => [1 - score, score])),
      shape: [pictures.length, count, 2],
    },
    boxes: { data: Float32Array.from(all.flatMap(([, ...corners]) => corners)), shape: [pictures.length, count, 4] },
  };
}

describe('decodeDetections', () => {
  it('takes boxes out of the letterbox: 1280x720 stands as 320x180 with 30 black rows above', () => {
    // Worked by hand: x = 0.25 * 320 * 4 = 320; y = (0.5 * 240 - 30) * 4 = 360; right = 0.5 * 320 * 4 = 640; bottom = (0.75 * 240 - 30) * 4 = 600.
    const found = decodeDetections(
      outputs([[[0.9, 0.25, 0.5, 0.5, 0.75]]]),
      0,
      { width: 1280, height: 720 },
      INPUT,
      OPTIONS,
    );
    expect(found).toHaveLength(1);
    expect(found[0]?.score).toBeCloseTo(0.9, 6);
    expect(found[0]?.box).toEqual({ x: 320, y: 360, width: 320, height: 240 });
  });

  it('takes boxes out of a letterbox with bars at the sides: 240x480 stands as 120x240, 100 columns from the left', () => {
    const found = decodeDetections(
      outputs([[[0.9, 0.375, 0.25, 0.5, 0.5]]]),
      0,
      { width: 240, height: 480 },
      INPUT,
      OPTIONS,
    );
    expect(found[0]?.box).toEqual({ x: 40, y: 120, width: 80, height: 120 });
  });

  it('reads the row of its own picture', () => {
    const batch = outputs([[[0.9, 0, 0, 0.5, 0.5]], [[0.8, 0.5, 0.5, 1, 1]]]);
    expect(decodeDetections(batch, 1, { width: 320, height: 240 }, INPUT, OPTIONS)).toEqual([
      { box: { x: 160, y: 120, width: 160, height: 120 }, score: expect.closeTo(0.8, 6) },
    ]);
  });

  it('clips to the picture, drops weak, small and not finite candidates, keeps the best first and no more than asked', () => {
    const candidates: Candidate[] = [
      [0.75, -0.1, -0.1, 0.2, 0.2],
      [0.69, 0.3, 0.3, 0.6, 0.6],
      [0.99, 0.7, 0.7, 0.72, 0.72],
      [Number.NaN, 0.4, 0.4, 0.6, 0.6],
      [0.95, 0.5, 0.5, 0.9, 0.9],
    ];
    const found = decodeDetections(outputs([candidates]), 0, INPUT, INPUT, OPTIONS);
    expect(found.map(({ score }) => Math.round(score * 100))).toEqual([95, 75]);
    expect(found[1]?.box).toMatchObject({ x: 0, y: 0 });
    expect(decodeDetections(outputs([candidates]), 0, INPUT, INPUT, { ...OPTIONS, maxFaces: 1 })).toHaveLength(1);
  });

  it.each([
    ['on the one score alone where no lower one is asked for', {}, [0.9]],
    ['down to the lower score, what is sure first', { lowScore: 0.4 }, [0.9, 0.6, 0.4]],
    ['not above the score of a face', { lowScore: 0.8 }, [0.9]],
    ['no more than asked, the sure ones before others', { lowScore: 0.4, maxFaces: 2 }, [0.9, 0.6]],
  ])('finds faces %s', (_, options, scores) => {
    const candidates: Candidate[] = [
      [0.4, 0, 0, 0.2, 0.2],
      [0.39, 0.8, 0, 1, 0.2],
      [0.9, 0.3, 0.3, 0.5, 0.5],
      [0.6, 0.6, 0.6, 0.8, 0.8],
      // The same face as a better one.
      [0.65, 0.31, 0.31, 0.51, 0.51],
    ];
    const found = decodeDetections(outputs([candidates]), 0, INPUT, INPUT, { ...OPTIONS, ...options });
    expect(found.map(({ score }) => Math.round(score * 100) / 100)).toEqual(scores);
  });
});

describe('bestOn', () => {
  it('is the best of what lies on the face, of the row asked for; null without any', () => {
    const batch = outputs([
      [
        [0.9, 0, 0, 0.2, 0.2],
        [0.4, 0.4, 0.4, 0.6, 0.6],
        // Overlaps the face by a third, and by a quarter of both together.
        [0.7, 0.5, 0.4, 0.7, 0.6],
        [0.8, 0.52, 0.4, 0.72, 0.6],
      ],
      [
        [0.2, 0.4, 0.4, 0.6, 0.6],
        [0.3, 0.41, 0.41, 0.61, 0.61],
        [Number.NaN, 0.4, 0.4, 0.6, 0.6],
        [1, 0, 0, 0.1, 0.1],
      ],
    ]);
    const face = { x: 0.4, y: 0.4, width: 0.2, height: 0.2 };
    const best = bestOn(batch, 0, face);
    expect(best?.score).toBeCloseTo(0.7, 6);
    expect(best?.box.x).toBeCloseTo(0.5, 6);
    expect(best?.box.width).toBeCloseTo(0.2, 6);
    expect(bestOn(batch, 1, face)?.score).toBeCloseTo(0.3, 6);
    expect(bestOn(batch, 1, { x: 0.8, y: 0.8, width: 0.2, height: 0.2 })).toBeNull();
  });
});

describe('suppressOverlaps', () => {
  const box = (x: number, y = 0) => ({ x, y, width: 100, height: 100 });

  it('drops what overlaps a better one: shifts of 40 and 60 px of 100 overlap by 0.43 and 0.25', () => {
    const kept = suppressOverlaps(
      [
        { box: box(0), score: 0.8 },
        { box: box(40), score: 0.9 },
        { box: box(100), score: 0.7 },
      ],
      0.3,
    );
    expect(kept.map(({ score }) => score)).toEqual([0.9, 0.7]);
  });

  it('keeps no two that overlap more than allowed, and drops only what a kept one overlaps', () => {
    const detection = fc.record({
      box: fc.record({
        x: fc.integer({ min: 0, max: 200 }),
        y: fc.integer({ min: 0, max: 200 }),
        width: fc.integer({ min: 1, max: 100 }),
        height: fc.integer({ min: 1, max: 100 }),
      }),
      score: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(
        fc.array(detection, { maxLength: 30 }),
        fc.double({ min: 0.05, max: 0.9, noNaN: true }),
        (all, max) => {
          const kept = suppressOverlaps(all, max);
          for (const one of kept) {
            for (const other of kept) if (one !== other) expect(iou(one.box, other.box)).toBeLessThanOrEqual(max);
          }
          for (const dropped of all.filter((one) => !kept.includes(one))) {
            expect(kept.some((better) => better.score >= dropped.score && iou(better.box, dropped.box) > max)).toBe(
              true,
            );
          }
        },
      ),
    );
  });
});
