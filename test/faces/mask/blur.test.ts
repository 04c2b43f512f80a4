import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/core/seeded-random.ts';
import { blur, smear } from '../../../src/faces/mask/blur.ts';

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

  it('is the same where only the part that is not zero is looked at', () => {
    const part = fc.record({
      x: fc.integer({ min: 0, max: 12 }),
      y: fc.integer({ min: 0, max: 9 }),
      width: fc.integer({ min: 1, max: 8 }),
      height: fc.integer({ min: 1, max: 8 }),
    });
    fc.assert(
      fc.property(part, fc.constantFrom(0.3, 0.8, 1.2, 1.9), fc.integer(), (within, sigma, seed) => {
        const size = { width: 20, height: 17 };
        const random = seededRandom(seed);
        const whole = new Float32Array(size.width * size.height * 2);
        for (let y = within.y; y < within.y + within.height; y++) {
          for (let x = within.x; x < within.x + within.width; x++) {
            whole.set([random(), random()], (y * size.width + x) * 2);
          }
        }
        const inPart = whole.slice();
        blur(whole, size, 2, sigma);
        blur(inPart, size, 2, sigma, within);
        expect(inPart).toEqual(whole);
      }),
    );
  });

  it('smeared is the running mean of rows, then of columns, twice', () => {
    const size = { width: 13, height: 9 };
    const random = seededRandom(5);
    const plane = Float32Array.from({ length: size.width * size.height }, random);
    let expected = Array.from(plane);
    const mean = (values: number[], dx: number, dy: number) =>
      values.map((_, pixel) => {
        const [x, y] = [pixel % size.width, Math.floor(pixel / size.width)];
        let sum = 0;
        for (let by = -2; by <= 2; by++) {
          const [column, row] = [x + by * dx, y + by * dy];
          const inside = column >= 0 && column < size.width && row >= 0 && row < size.height;
          sum += inside ? (values[row * size.width + column] ?? 0) : 0;
        }
        return sum / 5;
      });
    for (let pass = 0; pass < 2; pass++) expected = mean(mean(expected, 1, 0), 0, 1);
    // Two means over five values have the variance of 4.
    smear(plane, size, 2);
    plane.forEach((value, pixel) => {
      expect(value).toBeCloseTo(expected[pixel] ?? Number.NaN, 6);
    });
  });
});
