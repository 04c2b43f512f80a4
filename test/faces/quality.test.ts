import { describe, expect, it } from 'vitest';
import type { GreyCrop } from '../../src/faces/landmarkers/face-landmarker.ts';
import { type FaceLandmarks, ibugLandmarks } from '../../src/faces/landmarks.ts';
import { faceQuality, toneStatistics } from '../../src/faces/quality.ts';

const SIDE = 64;
const PICTURE = { width: 640, height: 480 };
const BOX = { x: 200, y: 100, width: 120, height: 150 };

/** A face looking straight ahead, `scale` times 60 px between the eyes; `turn` moves the nose aside, in eye distances. */
function landmarks(scale: number, turn = 0): FaceLandmarks {
  const at = (x: number, y: number) => ({ x: 260 + x * 60 * scale, y: 160 + y * 60 * scale });
  const points = Array.from({ length: 68 }, () => at(0, 0.5));
  for (let index = 36; index <= 41; index++) points[index] = at(-0.5, 0);
  for (let index = 42; index <= 47; index++) points[index] = at(0.5, 0);
  points[30] = at(turn, 0.6);
  points[48] = at(-0.4, 1.1);
  points[54] = at(0.4, 1.1);
  return ibugLandmarks(points);
}

/** A crop by what stands at an index. */
function crop(levelAt: (at: number) => number): GreyCrop {
  return { pixels: Uint8Array.from({ length: SIDE * SIDE }, (_, at) => levelAt(at)), side: SIDE };
}

/** Checks of `cell` pixels, between two grey levels. */
function checks(cell: number, dark: number, bright: number): GreyCrop {
  return crop((at) => ((Math.floor((at % SIDE) / cell) + Math.floor(at / SIDE / cell)) % 2 ? bright : dark));
}

/** As bright and contrasty, but without an edge: one wave across the crop. */
const soft = crop((at) => 120 + 60 * Math.sin((at % SIDE) / 10));

describe('toneStatistics', () => {
  it('agrees with numpy on a 6x6 pattern', () => {
    const grey = Uint8Array.from({ length: 36 }, (_, at) => {
      const [x, y] = [at % 6, Math.floor(at / 6)];
      return (x * 37 + y * 91 + x * y * 13) % 256;
    });
    const { mean, contrast, laplacian } = toneStatistics(grey, 6);
    expect(mean).toBeCloseTo(131.027778, 5);
    expect(contrast).toBeCloseTo(73.111971, 5);
    expect(laplacian).toBeCloseTo(413.531135, 4);
  });
});

describe('faceQuality', () => {
  const sharp = checks(4, 60, 180);
  const good = faceQuality(BOX, landmarks(1), sharp, PICTURE);

  it('gives a large, sharp, well lit, frontal, whole face the best mark', () => {
    expect(good).toEqual({ size: 1, sharpness: 1, exposure: 1, pose: 1, completeness: 1, score: 1 });
  });

  it.each([
    ['small', 'size', faceQuality(BOX, landmarks(0.2), sharp, PICTURE)],
    ['blurred', 'sharpness', faceQuality(BOX, landmarks(1), soft, PICTURE)],
    ['dark', 'exposure', faceQuality(BOX, landmarks(1), checks(4, 0, 20), PICTURE)],
    ['washed out', 'exposure', faceQuality(BOX, landmarks(1), checks(4, 235, 255), PICTURE)],
    ['turned', 'pose', faceQuality(BOX, landmarks(1, 0.35), sharp, PICTURE)],
    ['cut off', 'completeness', faceQuality({ ...BOX, x: 0 }, landmarks(1), sharp, PICTURE)],
  ] as const)('marks a %s face down for its %s', (_, part, quality) => {
    expect(quality[part]).toBeLessThan(0.7);
    expect(quality.score).toBeLessThan(good.score);
    expect(quality.score).toBeGreaterThanOrEqual(0);
  });

  it('gives a face without any light no mark at all', () => {
    expect(
      faceQuality(
        BOX,
        landmarks(1),
        crop(() => 0),
        PICTURE,
      ).score,
    ).toBe(0);
  });
});
