import { afterEach, describe, expect, it } from 'vitest';
import { GRID, MotionSensor } from '../../src/capture/motion-sensor.ts';
import { loadOpencv } from '../../src/capture/opencv.ts';
import { OpencvPicture } from '../../src/capture/opencv-picture.ts';

const cv = loadOpencv();
const OPTIONS = { threshold: 10, minArea: 0.0005, ignore: [] };

interface Scene {
  readonly grey?: number;
  /** Cells of another grey, in whole cells. */
  readonly object?: { readonly x: number; readonly y: number; readonly cells: number; readonly grey: number };
  /** Noise of each cell: a number by its index. */
  readonly noise?: (cell: number) => number;
}

describe('MotionSensor', () => {
  let nowMs = 0;
  let sensor: MotionSensor;

  const begin = (options: Partial<ConstructorParameters<typeof MotionSensor>[1]> = {}) => {
    nowMs = 0;
    sensor = new MotionSensor(cv, { ...OPTIONS, ...options });
  };
  afterEach(() => sensor.release());

  const see = ({ grey = 100, object, noise = () => 0 }: Scene = {}) => {
    nowMs += 100;
    const cells = Uint8Array.from({ length: GRID.width * GRID.height }, (_, cell) => grey + noise(cell));
    for (let index = 0; index < (object?.cells ?? 0); index++) {
      cells[(object?.y ?? 0) * GRID.width + (object?.x ?? 0) + index] = object?.grey ?? 0;
    }
    return sensor.moved(new cv.Mat(cells, GRID.height, GRID.width, cv.CV_8UC1), nowMs);
  };

  it('takes the first picture for motion, an equal one for none', () => {
    begin();
    expect([see(), see(), see()]).toEqual([true, false, false]);
  });

  // 0.0005 of 160x90 cells is 7.2: seven cells.
  it.each([
    { cells: 7, grey: 111, moved: true },
    { cells: 6, grey: 111, moved: false },
    { cells: 7, grey: 110, moved: false },
    { cells: 7, grey: 89, moved: true },
  ])('$cells cells of 100 that are $grey now: moved $moved', ({ cells, grey, moved }) => {
    begin();
    see();
    expect(see({ object: { x: 20, y: 30, cells, grey } })).toBe(moved);
  });

  it('does not mind noise, nor light that changes slowly', () => {
    begin();
    let seed = 1;
    const noise = () => {
      seed = (seed * 16_807) % 2_147_483_647;
      return (seed % 9) - 4;
    };
    see();
    // Two grey levels a second: with a reference three seconds behind that is a difference of six.
    for (let frame = 0; frame < 300; frame++) {
      expect(see({ grey: 100 + Math.floor(frame / 5), noise: () => Math.round(noise() / 2) })).toBe(false);
    }
  });

  it('sees the light go on, and takes the new picture for the scene at once', () => {
    begin();
    see();
    expect(see({ grey: 180 })).toBe(true);
    expect(see({ grey: 180 })).toBe(false);
    expect(see({ grey: 180, object: { x: 5, y: 5, cells: 9, grey: 150 } })).toBe(true);
  });

  it('gets used to what stays, and sees it leave', () => {
    begin();
    see();
    const object = { x: 50, y: 50, cells: 40, grey: 160 };
    const coming = Array.from({ length: 100 }, () => see({ object }));
    // 60 levels fall under 10 after 3 s * ln 6 = 5.4 s.
    expect(coming.indexOf(false)).toBeGreaterThanOrEqual(53);
    expect(coming.indexOf(false)).toBeLessThanOrEqual(55);
    expect(coming.slice(60)).not.toContain(true);
    expect(see()).toBe(true);
  });

  it('sees something that creeps', () => {
    begin();
    see();
    // A cell a second.
    const moved = Array.from({ length: 100 }, (_, frame) =>
      see({ object: { x: Math.floor(frame / 10), y: 9, cells: 12, grey: 200 } }),
    );
    expect(moved[0]).toBe(true);
    expect(moved.slice(0, 60)).not.toContain(false);
  });

  it('counts nothing inside of the polygons, to their edges', () => {
    const left = [
      { x: 0, y: 0 },
      { x: 0.5, y: 0 },
      { x: 0.5, y: 1 },
      { x: 0, y: 1 },
    ];
    const corner = [
      { x: 0.4, y: 0 },
      { x: 1, y: 0 },
      { x: 1, y: 0.2 },
      { x: 0.4, y: 0.2 },
    ];
    begin({ ignore: [left, corner] });
    see();
    expect(see({ object: { x: 30, y: 60, cells: 20, grey: 250 } })).toBe(false);
    expect(see({ object: { x: 70, y: 5, cells: 60, grey: 250 } })).toBe(false);
    expect(see({ object: { x: 100, y: 60, cells: 20, grey: 250 } })).toBe(true);
  });

  it('works on pictures of any size, colour by brightness', () => {
    begin();
    const pictures = [
      [640, 480, 50],
      [1280, 720, 50],
      [320, 240, 90],
    ].map(([width = 0, height = 0, grey = 0]) => {
      const pixels = new Uint8Array(width * height * 3).fill(grey);
      return new OpencvPicture(cv, new cv.Mat(pixels, height, width, cv.CV_8UC3));
    });
    const moved = pictures.map((picture) => {
      nowMs += 100;
      const seen = sensor.moved(picture.shrunkGrey(GRID), nowMs);
      picture.release();
      return seen;
    });
    expect(moved).toEqual([true, false, true]);
  });
});
