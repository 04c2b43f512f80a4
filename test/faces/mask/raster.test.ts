import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Point } from '../../../src/core/geometry.ts';
import { blur, interpolateMesh, polygonCoverage, smear, windowAround } from '../../../src/faces/mask/raster.ts';
import { area, contains } from './polygons.ts';

const WINDOW = { x: 3, y: -2, width: 30, height: 26 };

/** A star around the middle of the window, without crossing itself. */
const star = fc.array(fc.double({ min: 2, max: 11, noNaN: true }), { minLength: 3, maxLength: 12 }).map((radii) =>
  radii.map((radius, index): Point => {
    const angle = (index / radii.length) * 2 * Math.PI;
    return { x: 18 + radius * Math.cos(angle), y: 10.5 + radius * Math.sin(angle) };
  }),
);

describe('coverage of a polygon', () => {
  it('adds up to its area, whichever way round it is given', () => {
    fc.assert(
      fc.property(star, fc.boolean(), (polygon, reversed) => {
        const coverage = polygonCoverage(reversed ? [...polygon].reverse() : polygon, WINDOW);
        const sum = coverage.reduce((total, share) => total + share, 0);
        expect(Math.abs(sum - area(polygon))).toBeLessThan(0.02 * area(polygon) + 0.6);
      }),
    );
  });

  it('is what many points in each pixel tell', () => {
    fc.assert(
      fc.property(star, (polygon) => {
        const coverage = polygonCoverage(polygon, WINDOW);
        const fine = 12;
        for (let y = 0; y < WINDOW.height; y++) {
          for (let x = 0; x < WINDOW.width; x++) {
            let inside = 0;
            for (let step = 0; step < fine * fine; step++) {
              const dx = ((step % fine) + 0.5) / fine - 0.5;
              const dy = (Math.floor(step / fine) + 0.5) / fine - 0.5;
              if (contains(polygon, { x: WINDOW.x + x + dx, y: WINDOW.y + y + dy })) inside++;
            }
            expect(Math.abs((coverage[y * WINDOW.width + x] ?? 0) - inside / fine ** 2)).toBeLessThan(0.2);
          }
        }
      }),
      { numRuns: 15 },
    );
  });

  it('counts where a polygon lies over itself once', () => {
    const square = [
      { x: 5, y: 0 },
      { x: 15, y: 0 },
      { x: 15, y: 10 },
      { x: 5, y: 10 },
    ];
    const coverage = polygonCoverage([...square, ...square], WINDOW);
    expect(Math.max(...coverage)).toBeCloseTo(1, 6);
    expect(coverage.reduce((sum, share) => sum + share, 0)).toBeCloseTo(100, 3);
  });
});

describe('the window around points', () => {
  it.each([
    [[{ x: 4.2, y: 5.9 }], 1, { x: 3, y: 4, width: 4, height: 4 }],
    [
      [
        { x: -5, y: 3 },
        { x: 2, y: 30 },
      ],
      0,
      { x: 0, y: 3, width: 3, height: 7 },
    ],
    [[{ x: -5, y: 3 }], 2, null],
  ])('of %j with a margin of %d is %j', (points, margin, window) => {
    expect(windowAround(points, margin, { width: 10, height: 10 })).toEqual(window);
  });
});

describe('values over a mesh', () => {
  it('are those of the plane they were taken from', () => {
    const plane = ({ x, y }: Point) => 0.3 * x - 0.7 * y + 2;
    const corners = Array.from({ length: 12 }, (_, index) => {
      const at = { x: 5 + (index % 4) * 6 + (index % 3), y: 1 + Math.floor(index / 4) * 9 - (index % 2) };
      return { ...at, values: [plane(at), 1] };
    });
    const [values, covered] = [new Float32Array(30 * 26), new Float32Array(30 * 26)];
    interpolateMesh(corners, 3, 2, WINDOW, [values, covered]);
    let count = 0;
    covered.forEach((share, pixel) => {
      if (share === 0) return;
      count++;
      const at = { x: WINDOW.x + (pixel % 30), y: WINDOW.y + Math.floor(pixel / 30) };
      expect(values[pixel]).toBeCloseTo(plane(at), 4);
    });
    expect(count).toBeGreaterThan(200);
  });
});

describe('a blurred point', () => {
  const side = 61;
  const spread = (plane: Float32Array) => {
    let [sum, across, down] = [0, 0, 0];
    plane.forEach((value, pixel) => {
      sum += value;
      across += value * ((pixel % side) - 30) ** 2;
      down += value * (Math.floor(pixel / side) - 30) ** 2;
    });
    return { sum, across: Math.sqrt(across / sum), down: Math.sqrt(down / sum) };
  };
  const point = () => {
    const plane = new Float32Array(side * side);
    plane[30 * side + 30] = 1;
    return plane;
  };

  it.each([0.5, 0.65, 1, 2, 3])('has the deviation asked for: %d', (sigma) => {
    const plane = point();
    blur(plane, { width: side, height: side }, 1, sigma);
    const { sum, across, down } = spread(plane);
    expect(sum).toBeCloseTo(1, 5);
    // The kernel ends at two deviations, which takes a tenth.
    expect(across).toBeGreaterThan(sigma * 0.85);
    expect(across).toBeLessThan(sigma * 1.02);
    expect(down).toBeCloseTo(across, 6);
  });

  it.each([2, 3, 5])('smeared has about the deviation asked for: %d', (sigma) => {
    const plane = point();
    smear(plane, { width: side, height: side }, sigma);
    const { sum, across, down } = spread(plane);
    expect(sum).toBeCloseTo(1, 5);
    expect(Math.abs(across - sigma)).toBeLessThan(0.45);
    expect(down).toBeCloseTo(across, 6);
  });

  it('keeps channels apart', () => {
    const pixels = new Float32Array(9 * 9 * 2);
    pixels[(4 * 9 + 4) * 2 + 1] = 1;
    blur(pixels, { width: 9, height: 9 }, 2, 1);
    expect(pixels.filter((_, index) => index % 2 === 0).every((value) => value === 0)).toBe(true);
    expect(pixels.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5);
  });
});
