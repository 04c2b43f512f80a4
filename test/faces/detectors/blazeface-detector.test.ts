import { expect, it } from 'vitest';
import { blazeFaceDetector } from '../../../src/faces/detectors/blazeface-detector.ts';
import { StagedFrame } from '../../fakes/fake-face-analyser.ts';
import { FakeModel, sparse } from './fake-model.ts';

const OPTIONS = { minScore: 0.7, lowScore: 0.4, nmsIou: 0.3, minFacePx: 20, maxFaces: 10 };
/** A score of 0.9 before its sigmoid, and one far below any. */
const SURE = Math.log(9);
const NONE = -20;

it('takes boxes off their anchors and out of the letterbox, each grid by its own steps', async () => {
  const fine = sparse([1, 512, 1]);
  const coarse = sparse([1, 384, 1]);
  fine.data.fill(NONE);
  coarse.data.fill(NONE);
  // Second anchor of row 3, column 4 of 16x16 cells of 16 pixels; third anchor of row 5, column 2 of 8x8 cells of 32.
  const [first, second] = [(3 * 16 + 4) * 2 + 1, (5 * 8 + 2) * 6 + 2];
  fine.data[first] = SURE;
  coarse.data[second] = 0;
  const model = new FakeModel(256, 256, () => ({
    Identity: fine,
    Identity_1: coarse,
    Identity_2: sparse([1, 512, 16], {
      [first * 16]: 4,
      [first * 16 + 1]: 2,
      [first * 16 + 2]: 40,
      [first * 16 + 3]: 20,
    }),
    Identity_3: sparse([1, 384, 16], { [second * 16 + 2]: 20, [second * 16 + 3]: 20 }),
  }));
  const [sure, unsure, ...others] = await blazeFaceDetector(model, OPTIONS).detect(new StagedFrame(1, 0, []));
  // 640x480 stands as 256x192 below 32 black rows, 2.5 pixels of the picture to one of the input. Worked by hand: the
  // centre is (72 + 4, 56 + 2), the box from (56, 48) 40 by 20; in the picture from (140, 40) 100 by 50.
  expect(sure?.score).toBeCloseTo(0.9, 6);
  // The margins to a box of RFB-320: -0.055, 0.255, -0.071 and 0.009 of its size.
  expect(sure?.box.x).toBeCloseTo(140 + 5.5, 4);
  expect(sure?.box.y).toBeCloseTo(40 - 12.75, 4);
  expect(sure?.box.width).toBeCloseTo(100 * (1 - 0.126), 4);
  expect(sure?.box.height).toBeCloseTo(50 * 1.264, 4);
  // The centre is (80, 176), the box from (70, 166) 20 by 20.
  expect(unsure?.score).toBe(0.5);
  expect(unsure?.box.x).toBeCloseTo(175 + 2.75, 4);
  expect(others).toEqual([]);
});
