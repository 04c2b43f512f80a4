import { describe, expect, it } from 'vitest';
import { mtcnnDetector } from '../../../src/faces/detectors/mtcnn-detector.ts';
import { PYRAMID } from '../../../src/faces/detectors/pyramid.ts';
import { StagedFrame } from '../../fakes/fake-face-analyser.ts';
import { FakeModel, sparse } from './fake-model.ts';

const OPTIONS = { minScore: 0.7, nmsIou: 0.3, minFacePx: 20, maxFaces: 10 };
const ROWS = 261;
const COLUMNS = 155;
const cell = (row: number, column: number) => row * COLUMNS + column;

/** P-Net is sure of some cells; R- and O-Net of everything they are shown, and move the right edge. */
function rig(cells: readonly number[], output = 0.95) {
  const proposal = new FakeModel(320, 532, () => ({
    'pnet/prob1': sparse([1, ROWS, COLUMNS, 2], Object.fromEntries(cells.map((it) => [it * 2 + 1, 0.9]))),
    'pnet/conv4-2/BiasAdd': sparse([1, ROWS, COLUMNS, 4]),
  }));
  const looks = (net: string, side: number, score: number, right: number) =>
    new FakeModel(side, side, (count) => ({
      [`${net}/prob1`]: { data: Float32Array.from({ length: count * 2 }, () => score), shape: [count, 2] },
      [net === 'rnet' ? 'rnet/conv5-2/conv5-2' : 'onet/conv6-2/conv6-2']: {
        data: Float32Array.from({ length: count * 4 }, (_, at) => (at % 4 === 2 ? right : 0)),
        shape: [count, 4],
      },
    }));
  const [refine, last] = [looks('rnet', 24, 0.8, 0), looks('onet', 48, output, 0.5)];
  const detector = mtcnnDetector({ proposal, refine, output: last }, OPTIONS);
  return { detect: () => detector.detect(new StagedFrame(1, 0, [])), detector, refine, last };
}

describe('mtcnnDetector', () => {
  it('takes cells of every size back to the picture, and lets the later networks correct the box', async () => {
    // Row 30, column 20 of the first size: from (40, 60) 12 pixels of 320x240, which is from (80, 120) 24 of 640x480.
    const { detect, detector, last } = rig([cell(30, 20)]);
    const [face, ...others] = await detect();
    expect(detector.input).toEqual({ width: 320, height: 240 });
    expect(others).toEqual([]);
    expect(face?.score).toBeCloseTo(0.95, 6);
    expect(face?.box.x).toBeCloseTo(80, 4);
    expect(face?.box.y).toBeCloseTo(120, 4);
    expect(face?.box.width).toBeCloseTo(36, 4);
    expect(face?.box.height).toBeCloseTo(24, 4);
    expect(last.runs).toEqual([1]);
    // The fourth size, 114x86 at (162, 410): its cell in row 5, column 10 begins at (20, 10), 5.61 pixels of the picture wide each.
    const [small] = await rig([cell(205 + 5, 81 + 10)]).detect();
    expect(small?.box.x).toBeCloseTo((20 * 640) / 114, 4);
    // 12 cells of 5.58 high, squared to the width.
    expect(small?.box.height).toBeCloseTo((12 * 640) / 114, 4);
  });

  it('passes over windows that lie in two sizes, what a later network rules out, and the same face twice', async () => {
    const between = rig([cell(114 + 2, 20)]);
    expect(await between.detect()).toEqual([]);
    expect(between.refine.runs).toEqual([]);
    expect(await rig([cell(30, 20)], 0.6).detect()).toEqual([]);
    expect(await rig([cell(30, 20), cell(30, 21), cell(80, 120)]).detect()).toHaveLength(2);
  });

  it('has every size of the pyramid for itself, from even places on', () => {
    const { levels, size } = PYRAMID;
    expect(levels).toHaveLength(9);
    for (const [index, one] of levels.entries()) {
      expect([one.offset.x % 2, one.offset.y % 2]).toEqual([0, 0]);
      expect(one.offset.x + one.size.width).toBeLessThanOrEqual(size.width);
      expect(one.offset.y + one.size.height).toBeLessThanOrEqual(size.height);
      for (const other of levels.slice(index + 1)) {
        const beside =
          one.offset.x + one.size.width <= other.offset.x || other.offset.x + other.size.width <= one.offset.x;
        const below =
          one.offset.y + one.size.height <= other.offset.y || other.offset.y + other.size.height <= one.offset.y;
        expect(beside || below).toBe(true);
      }
    }
  });
});
