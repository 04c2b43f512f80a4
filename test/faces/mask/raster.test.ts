import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Point } from '../../../src/core/geometry.ts';
import { polygonCoverage, windowAround, windowOfBoth } from '../../../src/faces/mask/raster.ts';
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

describe('the window of two', () => {
  it.each([
    [
      { x: 1, y: 2, width: 3, height: 4 },
      { x: 0, y: 5, width: 2, height: 6 },
      { x: 0, y: 2, width: 4, height: 9 },
    ],
    [
      { x: 1, y: 1, width: 9, height: 9 },
      { x: 2, y: 3, width: 1, height: 1 },
      { x: 1, y: 1, width: 9, height: 9 },
    ],
  ])('%j and %j is %j', (a, b, both) => {
    expect(windowOfBoth(a, b)).toEqual(both);
    expect(windowOfBoth(b, a)).toEqual(both);
  });
});
