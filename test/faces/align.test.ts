import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apply, type Point } from '../../src/core/geometry.ts';
import { ARCFACE_TEMPLATE, alignBy, alignToTemplate, similarity } from '../../src/faces/align.ts';
import { type FivePoints, ibugLandmarks } from '../../src/faces/landmarks.ts';

/* Expected matrices come from Umeyama's algorithm by singular value decomposition in numpy:
 *   S = d.T @ s / n; U, D, Vt = svd(S); E = diag(1, sign(det S)); R = U E Vt; c = trace(diag(D) E) / var(s)
 */
const FACE: FivePoints = [
  { x: 210.5, y: 180.25 },
  { x: 262.0, y: 171.5 },
  { x: 240.75, y: 205.0 },
  { x: 221.0, y: 236.5 },
  { x: 259.5, y: 229.75 },
];

function expectMatrix(actual: readonly number[], expected: readonly number[]): void {
  expect(actual).toHaveLength(6);
  expected.forEach((value, index) => {
    expect(actual[index]).toBeCloseTo(value, 4);
  });
}

describe('alignToTemplate', () => {
  it('is the least-squares similarity to the ArcFace template', () => {
    expectMatrix(alignToTemplate(FACE), [0.700299, -0.072579, -96.320402, 0.072579, 0.700299, -88.708678]);
  });

  it('scales with the crop', () => {
    expectMatrix(alignToTemplate(FACE, 160), [1.000427, -0.103685, -137.600575, 0.103685, 1.000427, -126.726682]);
  });
});

describe('alignBy', () => {
  const five = { points: FACE, five: FACE, bridge: null, ibug: null };
  /** A face that stands in the template as everybody does, whose mouth and nose were put elsewhere by a mask. */
  const misled = (move: (point: Point) => Point) => {
    const ibug: Point[] = Array.from({ length: 68 }, (_, index) => ({ x: 90 - index, y: index }));
    const put = (x: number, y: number, ...places: number[]) => {
      for (const place of places) ibug[place] = { x, y };
    };
    put(38.2946, 51.6963, 36, 37, 38, 39, 40, 41);
    put(73.5318, 51.5014, 42, 43, 44, 45, 46, 47);
    put(55.9, 51.1, 27);
    put(56, 58.3, 28);
    return ibugLandmarks(ibug.map(move));
  };

  it('by all five points is alignment to the template', () => {
    expect(alignBy('five', five, 160)).toEqual(alignToTemplate(FACE, 160));
  });

  it('by the eyes takes them exactly to their places, in a crop of any size', () => {
    for (const size of [112, 160]) {
      const matrix = alignBy('eyes', five, size);
      for (const eye of [0, 1] as const) {
        const { x, y } = apply(matrix, FACE[eye]);
        expect(x).toBeCloseTo((ARCFACE_TEMPLATE[eye].x * size) / 112, 6);
        expect(y).toBeCloseTo((ARCFACE_TEMPLATE[eye].y * size) / 112, 6);
      }
    }
  });

  it.each(['eyes', 'eyes-bridge'] as const)('by %s finds the way back whatever became of mouth and nose', (which) => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.2, max: 8, noNaN: true }),
        fc.double({ min: -3, max: 3, noNaN: true }),
        (scale, turn) => {
          const [cos, sin] = [scale * Math.cos(turn), scale * Math.sin(turn)];
          const landmarks = misled(({ x, y }) => ({ x: cos * x - sin * y + 200, y: sin * x + cos * y - 40 }));
          const matrix = alignBy(which, landmarks);
          for (const eye of [0, 1] as const) {
            const there = apply(matrix, landmarks.five[eye]);
            expect(there.x).toBeCloseTo(ARCFACE_TEMPLATE[eye].x, 6);
            expect(there.y).toBeCloseTo(ARCFACE_TEMPLATE[eye].y, 6);
          }
        },
      ),
    );
  });

  it('by eyes and bridge weighs all four points', () => {
    const level = misled((point) => point);
    const ibug = level.points.map((point, index) => (index === 28 ? { x: point.x, y: point.y + 4 } : point));
    const landmarks = ibugLandmarks(ibug);
    const used = [...landmarks.five.slice(0, 2), ...ibug.slice(27, 29)];
    const meanY = (which: 'eyes' | 'eyes-bridge') => {
      const matrix = alignBy(which, landmarks);
      return used.reduce((sum, point) => sum + apply(matrix, point).y, 0) / used.length;
    };
    // A least-squares fit takes the centre of the points to the centre of their places.
    const expected = (51.6963 + 51.5014 + 51.1 + 58.3) / 4;
    expect(meanY('eyes-bridge')).toBeCloseTo(expected, 6);
    expect(meanY('eyes')).toBeCloseTo(expected + 1, 6);
  });

  it('by the bridge is refused without one', () => {
    expect(() => alignBy('eyes-bridge', five)).toThrow(expect.objectContaining({ code: 'MODEL_UNSUPPORTED' }));
  });
});

describe('similarity', () => {
  it('fits points that no similarity maps exactly', () => {
    const from = points([
      62.51, 89.72, 77.57, 22.52, 30.02, 87.36, 0.53, 82.12, 79.71, 46.79, 30.3, 27.84, 25.49, 44.51,
    ]);
    const to = points([25.23, 27.67, 49.78, 39.63, 31.11, 49.45, 10.77, 8.01, 30.63, 2.2, 1.78, 25.74, 23.31, 45.86]);
    expectMatrix(similarity(from, to), [0.171362, -0.01076, 17.780626, 0.01076, 0.171362, 18.081996]);
  });

  it('recovers any rotation, scale and shift exactly', () => {
    const range = (min: number, max: number) => fc.double({ min, max, noNaN: true });
    fc.assert(
      fc.property(
        range(0.05, 20),
        range(-Math.PI, Math.PI),
        range(-500, 500),
        range(-500, 500),
        (scale, turn, x, y) => {
          const [a, b] = [scale * Math.cos(turn), scale * Math.sin(turn)];
          const moved = ARCFACE_TEMPLATE.map((point) => apply([a, -b, x, b, a, y], point));
          const back = similarity(moved, ARCFACE_TEMPLATE);
          moved.forEach((point, index) => {
            const home = apply(back, point);
            expect(home.x).toBeCloseTo(ARCFACE_TEMPLATE[index]?.x ?? Number.NaN, 4);
            expect(home.y).toBeCloseTo(ARCFACE_TEMPLATE[index]?.y ?? Number.NaN, 4);
          });
        },
      ),
    );
  });

  it('refuses points that all coincide, and lists of different length', () => {
    const same = Array.from({ length: 5 }, () => ({ x: 3, y: 3 }));
    expect(() => similarity(same, ARCFACE_TEMPLATE)).toThrow(RangeError);
    expect(() => similarity(same.slice(1), ARCFACE_TEMPLATE)).toThrow(RangeError);
  });
});

function points(flat: readonly number[]): Point[] {
  return Array.from({ length: flat.length / 2 }, (_, i) => ({ x: flat[i * 2] ?? 0, y: flat[i * 2 + 1] ?? 0 }));
}
