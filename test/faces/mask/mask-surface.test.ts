import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Point } from '../../../src/core/geometry.ts';
import { faceFrame } from '../../../src/faces/mask/face-frame.ts';
import { MASK_FITS, MASK_TYPES, type MaskFit, type MaskType } from '../../../src/faces/mask/mask-spec.ts';
import { maskSurface } from '../../../src/faces/mask/mask-surface.ts';
import { contains, distanceTo } from './polygons.ts';
import { mirrored, type Pose, syntheticLandmarks } from './synthetic-face.ts';

const CHIN = 8;
const NOSE_TIP = 30;
const NOSTRILS = [31, 32, 33, 34, 35];
const LIPS = [48, 51, 54, 57, 62, 66];
const EYES = [36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47];

function worn(
  type: MaskType,
  fit: MaskFit,
  change: Partial<{ scale: number; lean: number; looseSide: 'left' | 'right' }> = {},
) {
  return { type, fit, scale: 1, rise: 0, lean: 0, looseSide: 'left', ...change } as const;
}

function outlineOf(type: MaskType, fit: MaskFit, pose: Partial<Pose> = {}) {
  const landmarks = syntheticLandmarks(pose);
  return { landmarks, outline: maskSurface(faceFrame(landmarks), worn(type, fit)).outline };
}

const covered = (outline: readonly Point[], landmarks: readonly Point[], indices: readonly number[]) =>
  indices.filter((index) => contains(outline, landmarks[index] as Point));

const pose = fc.record({
  yaw: fc.double({ min: -38, max: 38, noNaN: true }),
  roll: fc.double({ min: -50, max: 50, noNaN: true }),
  scale: fc.double({ min: 0.3, max: 4, noNaN: true }),
  at: fc.record({
    x: fc.double({ min: -50, max: 500, noNaN: true }),
    y: fc.double({ min: -50, max: 500, noNaN: true }),
  }),
});
const type = fc.constantFrom(...MASK_TYPES);

describe('the outline of a mask', () => {
  it.each(MASK_TYPES)('%s, worn normally, covers tip of the nose, mouth and chin, and no eye', (it) => {
    const { landmarks, outline } = outlineOf(it, 'normal');
    expect(covered(outline, landmarks, [NOSE_TIP, CHIN, ...NOSTRILS, ...LIPS])).toEqual([
      NOSE_TIP,
      CHIN,
      ...NOSTRILS,
      ...LIPS,
    ]);
    expect(covered(outline, landmarks, EYES)).toEqual([]);
  });

  it('keeps to that however the head is turned, tilted, large or placed', () => {
    fc.assert(
      fc.property(type, fc.constantFrom<MaskFit>('normal', 'high'), pose, (type, fit, pose) => {
        const { landmarks, outline } = outlineOf(type, fit, pose);
        expect(covered(outline, landmarks, [NOSE_TIP, CHIN, 33, 51, 57])).toEqual([NOSE_TIP, CHIN, 33, 51, 57]);
        expect(covered(outline, landmarks, EYES)).toEqual([]);
      }),
    );
  });

  it('stays below the lower lids where the eyes are', () => {
    const { landmarks, outline } = outlineOf('surgical', 'normal');
    const at = (index: number) => landmarks[index] as Point;
    for (const [from, to, lid] of [
      [36, 39, 40],
      [42, 45, 46],
    ] as const) {
      const over = outline.filter(({ x }) => x >= at(from).x && x <= at(to).x);
      expect(over.length).toBeGreaterThan(2);
      expect(Math.min(...over.map(({ y }) => y))).toBeGreaterThan(at(lid).y);
    }
  });

  it.each(MASK_TYPES)('%s keeps clear of the eyes of a bowed head, whose eyes are seen beside the nose', (type) => {
    const bowed = syntheticLandmarks().map(({ x, y }, index) => ({ x, y: index >= 36 && index <= 47 ? y + 16 : y }));
    for (const fit of ['high', 'normal'] as const) {
      const { outline } = maskSurface(faceFrame(bowed), worn(type, fit));
      expect(covered(outline, bowed, EYES), fit).toEqual([]);
    }
  });

  it('sits higher on the nose when worn high', () => {
    const top = (fit: MaskFit) => Math.min(...outlineOf('surgical', fit).outline.map(({ y }) => y));
    expect(top('high')).toBeLessThan(top('normal') - 2);
    expect(top('normal')).toBeLessThan(top('low') - 10);
  });

  it.each(MASK_TYPES)('%s, worn low, leaves the nose free and covers mouth and chin', (it) => {
    const { landmarks, outline } = outlineOf(it, 'low');
    expect(covered(outline, landmarks, [27, 28, 29, NOSE_TIP, ...NOSTRILS])).toEqual([]);
    expect(covered(outline, landmarks, [CHIN, 57, 62, 66])).toEqual([CHIN, 57, 62, 66]);
  });

  it('hangs down on the side where it came off, and leaves the nose free there', () => {
    const landmarks = syntheticLandmarks();
    for (const looseSide of ['left', 'right'] as const) {
      const { points, columns } = maskSurface(faceFrame(landmarks), worn('surgical', 'loose', { looseSide }));
      const plain = maskSurface(faceFrame(landmarks), worn('surgical', 'normal')).points;
      const fallen = (column: number) => (points[column]?.y ?? 0) - (plain[column]?.y ?? 0);
      const [loose, held] = looseSide === 'left' ? [0, columns] : [columns, 0];
      expect(fallen(loose)).toBeGreaterThan(20);
      expect(Math.abs(fallen(held))).toBeLessThan(10);
    }
  });

  it('is as broad as the face, and no broader than a little more', () => {
    const { landmarks, outline } = outlineOf('surgical', 'normal');
    const [left, right] = [Math.min(...landmarks.map(({ x }) => x)), Math.max(...landmarks.map(({ x }) => x))];
    const [from, to] = [Math.min(...outline.map(({ x }) => x)), Math.max(...outline.map(({ x }) => x))];
    expect((to - from) / (right - left)).toBeGreaterThan(0.85);
    expect((to - from) / (right - left)).toBeLessThan(1.06);
  });

  it('follows the face: what is moved, turned or scaled with it looks the same', () => {
    fc.assert(
      fc.property(type, fc.constantFrom(...MASK_FITS), pose, (type, fit, pose) => {
        const upright = outlineOf(type, fit, { yaw: pose.yaw }).outline;
        const moved = outlineOf(type, fit, pose).outline;
        const tilt = (pose.roll * Math.PI) / 180;
        upright.forEach(({ x, y }, index) => {
          const [dx, dy] = [(x - 100) * pose.scale, (y - 100) * pose.scale];
          expect(moved[index]?.x).toBeCloseTo(pose.at.x + dx * Math.cos(tilt) - dy * Math.sin(tilt), 6);
          expect(moved[index]?.y).toBeCloseTo(pose.at.y + dx * Math.sin(tilt) + dy * Math.cos(tilt), 6);
        });
      }),
    );
  });

  it('is mirrored when the face is', () => {
    fc.assert(
      fc.property(
        type,
        fc.constantFrom(...MASK_FITS),
        pose,
        fc.double({ min: -0.05, max: 0.05, noNaN: true }),
        (type, fit, pose, lean) => {
          const landmarks = syntheticLandmarks(pose);
          const plain = maskSurface(faceFrame(landmarks), worn(type, fit, { lean, looseSide: 'left' }));
          const mirror = maskSurface(
            faceFrame(mirrored(landmarks, 70)),
            worn(type, fit, { lean: -lean, looseSide: 'right' }),
          );
          for (const { x, y } of plain.outline) {
            const nearest = Math.min(...mirror.outline.map((other) => Math.hypot(other.x - (140 - x), other.y - y)));
            expect(nearest).toBeLessThan(1e-6 * pose.scale);
          }
          expect(mirror.hidden).toEqual({ left: plain.hidden.right, right: plain.hidden.left });
        },
      ),
    );
  });
});

describe('the halves of a mask', () => {
  const halves = (yaw: number) => {
    const surface = maskSurface(faceFrame(syntheticLandmarks({ yaw })), worn('surgical', 'normal'));
    const row = surface.points.slice(6 * (surface.columns + 1), 7 * (surface.columns + 1));
    const [left, middle, right] = [row[0], row[surface.columns / 2], row.at(-1)] as [Point, Point, Point];
    return { left: middle.x - left.x, right: right.x - middle.x, hidden: surface.hidden };
  };

  it('are equal from the front, and the half turned away is narrower', () => {
    const front = halves(0);
    expect(front.left).toBeCloseTo(front.right, 6);
    const [some, more] = [halves(15), halves(30)];
    expect(some.left / some.right).toBeGreaterThan(1.3);
    expect(more.left / more.right).toBeGreaterThan(some.left / some.right + 0.3);
  });

  it('end at the outline of the head when the seam is behind it', () => {
    expect(halves(10).hidden).toEqual({ left: false, right: false });
    expect(halves(45).hidden).toEqual({ left: false, right: true });
    expect(halves(-45).hidden).toEqual({ left: true, right: false });
  });

  it('measure the turn of the head', () => {
    for (const yaw of [-40, -25, -10, 0, 10, 25, 40]) {
      expect((faceFrame(syntheticLandmarks({ yaw })).yaw * 180) / Math.PI).toBeGreaterThan(yaw - 9);
      expect((faceFrame(syntheticLandmarks({ yaw })).yaw * 180) / Math.PI).toBeLessThan(yaw + 9);
    }
  });
});

describe('the surface', () => {
  it('faces the camera everywhere, with normals of length one', () => {
    fc.assert(
      fc.property(type, fc.constantFrom(...MASK_FITS), pose, (type, fit, pose) => {
        for (const { normal } of maskSurface(faceFrame(syntheticLandmarks(pose)), worn(type, fit)).points) {
          expect(Math.hypot(...normal)).toBeCloseTo(1, 9);
          expect(normal[2]).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });

  it('looks to the left on the left, to the right on the right, and down at the chin', () => {
    const { points, columns, rows } = maskSurface(faceFrame(syntheticLandmarks()), worn('cloth', 'normal'));
    const normal = (row: number, column: number) => points[row * (columns + 1) + column]?.normal ?? [0, 0, 0];
    expect(normal(rows / 2, 1)[0]).toBeLessThan(-0.4);
    expect(normal(rows / 2, columns - 1)[0]).toBeGreaterThan(0.4);
    expect(normal(rows / 2, columns / 2)[0]).toBeCloseTo(0, 6);
    expect(normal(rows - 1, columns / 2)[1]).toBeGreaterThan(0.3);
  });

  it('is drawn for whatever landmarks a model may give', () => {
    const landmark = fc.record({ x: fc.integer({ min: -300, max: 300 }), y: fc.integer({ min: -300, max: 300 }) });
    fc.assert(
      fc.property(
        fc.array(landmark, { minLength: 68, maxLength: 68 }),
        type,
        fc.constantFrom(...MASK_FITS),
        (points, type, fit) => {
          let frame: ReturnType<typeof faceFrame>;
          try {
            frame = faceFrame(points);
          } catch (error) {
            expect(error).toBeInstanceOf(RangeError);
            return;
          }
          const { outline } = maskSurface(frame, worn(type, fit));
          expect(outline.every(({ x, y }) => Number.isFinite(x) && Number.isFinite(y))).toBe(true);
        },
      ),
    );
  });
});

describe('a face that is none', () => {
  it.each([
    ['too few points', syntheticLandmarks().slice(1)],
    [
      'points without a place',
      syntheticLandmarks().map((point, index) => (index === 5 ? { x: Number.NaN, y: 0 } : point)),
    ],
    ['one spot', syntheticLandmarks().map(() => ({ x: 4, y: 4 }))],
  ])('%s is refused', (_, landmarks) => {
    expect(() => faceFrame(landmarks)).toThrow(RangeError);
  });
});

it('the chin is well inside, not at the edge', () => {
  const { landmarks, outline } = outlineOf('surgical', 'normal');
  const chin = landmarks[CHIN] as Point;
  expect(distanceTo(outline, { x: chin.x, y: chin.y + 3 })).toBe(0);
});
