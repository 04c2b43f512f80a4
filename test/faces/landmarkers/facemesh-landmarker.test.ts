import { expect, it } from 'vitest';
import { apply } from '../../../src/core/geometry.ts';
import type { Cut } from '../../../src/core/picture.ts';
import { faceMeshLandmarker } from '../../../src/faces/landmarkers/facemesh-landmarker.ts';
import { onetLandmarker } from '../../../src/faces/landmarkers/onet-landmarker.ts';
import { StagedFrame } from '../../fakes/fake-face-analyser.ts';
import { FakeModel, sparse } from '../detectors/fake-model.ts';

class WatchedFrame extends StagedFrame {
  readonly cuts: Cut[] = [];

  override async cut(cuts: readonly Cut[]): Promise<Uint8Array[]> {
    this.cuts.push(...cuts);
    return super.cut(cuts);
  }
}

const RIGHT_EYE_OUTLINE = [33, 160, 158, 133, 153, 144];
const LEFT_EYE_OUTLINE = [362, 385, 387, 263, 373, 380];

it('looks twice: at the box, and at what it found there, turned to level eyes', async () => {
  // A disc of points about the middle of the crop; the eyes on a line that falls by a fifth to the right.
  const model = new FakeModel(192, 192, (faces) => {
    const data = new Float32Array(faces * 1404);
    for (let face = 0; face < faces; face++) {
      for (let point = 0; point < 468; point++) {
        const place = (x: number, y: number) => data.set([x, y, 0], face * 1404 + point * 3);
        if (RIGHT_EYE_OUTLINE.includes(point)) place(70.5, 80.5);
        else if (LEFT_EYE_OUTLINE.includes(point)) place(120.5, 90.5);
        else place(95.5 + 60 * Math.cos(point), 95.5 + 60 * Math.sin(point));
      }
    }
    return { Identity_2: { data, shape: [faces, 1404] } };
  });
  const frame = new WatchedFrame(1, 0, []);
  const box = { x: 100, y: 50, width: 96, height: 128 };
  const [face] = await faceMeshLandmarker(model).locate(frame, [{ box, score: 1 }]);
  expect(model.runs).toEqual([1, 1]);
  const [first, second, grey] = frame.cuts;
  // A square of 1.5 times 128 pixels about (148, 114): one pixel of the crop is one of the picture.
  expect(first && apply(first.matrix, { x: 148, y: 114 })).toEqual({ x: 95.5, y: 95.5 });
  expect(first?.matrix[0]).toBeCloseTo(1, 9);
  // The disc is 120 across, whichever way it is turned: 180 pixels fill the crop.
  expect(second && Math.hypot(second.matrix[0], second.matrix[1])).toBeCloseTo(192 / 180, 3);
  const [a, b] = [
    { x: 148 - 25, y: 114 - 15 },
    { x: 148 + 25, y: 114 - 5 },
  ].map((eye) => apply(second?.matrix ?? [1, 0, 0, 0, 1, 0], eye));
  expect(a?.y).toBeCloseTo(b?.y ?? Number.NaN, 6);
  expect(grey).toMatchObject({ width: 64, height: 64, colour: 'grey' });
  expect(face?.landmarks.points).toHaveLength(468);
  expect(face?.landmarks.ibug).toHaveLength(68);
  // What the second pass gives stands where its crop was.
  const eye = face?.landmarks.five[0] ?? { x: 0, y: 0 };
  const back = second && apply(second.matrix, eye);
  expect(back?.x).toBeCloseTo(70.5, 4);
  expect(back?.y).toBeCloseTo(80.5, 4);
});

it('reads the five points of O-Net: all x, then all y, in shares of the square', async () => {
  const values = [0.3, 0.7, 0.5, 0.35, 0.65, 0.4, 0.4, 0.6, 0.8, 0.8];
  const model = new FakeModel(48, 48, () => ({
    'onet/prob1': sparse([1, 2]),
    'onet/conv6-3/conv6-3': { data: Float32Array.from(values), shape: [1, 10] },
  }));
  const box = { x: 100, y: 50, width: 80, height: 100 };
  const [face] = await onetLandmarker(model).locate(new StagedFrame(1, 0, []), [{ box, score: 1 }]);
  // The square is from (90, 50), 100 pixels.
  expect(face?.landmarks.five[0].x).toBeCloseTo(120, 4);
  expect(face?.landmarks.five[0].y).toBeCloseTo(90, 4);
  expect(face?.landmarks.five[4].x).toBeCloseTo(155, 4);
  expect(face?.landmarks.ibug).toBeNull();
});
