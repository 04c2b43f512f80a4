import { expect, it } from 'vitest';
import { apply } from '../../../src/core/geometry.ts';
import type { Cut } from '../../../src/core/picture.ts';
import { ultraFaceCloser } from '../../../src/faces/detectors/ultraface-detector.ts';
import { StagedFrame } from '../../fakes/fake-face-analyser.ts';
import { FakeModel, sparse } from './fake-model.ts';

it('looks at what surrounds each face in one run, and at what stands where the face was', async () => {
  // A face of 84 by 63 pixels takes 84 of 240 rows: 1 to 1, its centre that of the input, 118 to 202 and 88.5 to 151.5 of it.
  const where = { x: 118 / 320, y: 88.5 / 240, right: 202 / 320, bottom: 151.5 / 240 };
  const model = new FakeModel(320, 240, () => ({
    // Of each picture: a candidate on the face, then a better one beside it.
    scores: sparse([2, 2, 2], { 1: 0.6, 3: 0.9, 5: 0.7, 7: 0.9 }),
    boxes: {
      data: Float32Array.from([0, 1].flatMap(() => [where.x, where.y, where.right, where.bottom, 0, 0, 0.2, 0.2])),
      shape: [2, 2, 4],
    },
  }));
  const cuts: Cut[] = [];
  class Watched extends StagedFrame {
    override async cut(asked: readonly Cut[]) {
      cuts.push(...asked);
      return super.cut(asked);
    }
  }
  const boxes = [
    { x: 300, y: 100, width: 84, height: 63 },
    { x: 10, y: 20, width: 42, height: 31.5 },
  ];
  const seen = await ultraFaceCloser(model)(new Watched(1, 0, []), boxes);
  expect(seen.map((face) => Number(face?.score.toFixed(4)))).toEqual([0.6, 0.7]);
  for (const [at, { x, y, width, height }] of boxes.entries()) {
    const box = seen[at]?.box;
    expect(box?.x).toBeCloseTo(x, 3);
    expect(box?.y).toBeCloseTo(y, 3);
    expect(box?.width).toBeCloseTo(width, 3);
    expect(box?.height).toBeCloseTo(height, 3);
  }
  expect(model.runs).toEqual([2]);
  expect(cuts.map(({ width, height, colour }) => [width, height, colour])).toEqual([
    [320, 240, 'rgb'],
    [320, 240, 'rgb'],
  ]);
  // Pixel centres: the centre of a box is half a pixel before its middle.
  for (const [at, box] of boxes.entries()) {
    const matrix = cuts[at]?.matrix ?? [0, 0, 0, 0, 0, 0];
    const centre = apply(matrix, { x: box.x + box.width / 2 - 0.5, y: box.y + box.height / 2 - 0.5 });
    expect(centre.x).toBeCloseTo(159.5, 6);
    expect(centre.y).toBeCloseTo(119.5, 6);
    expect(matrix[0] * box.width).toBeCloseTo(84, 6);
    expect(matrix[4]).toBeCloseTo(matrix[0], 9);
  }
});
