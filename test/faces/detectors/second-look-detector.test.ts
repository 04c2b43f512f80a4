import { describe, expect, it } from 'vitest';
import type { Detection, FaceDetector } from '../../../src/faces/detect.ts';
import { secondLookDetector } from '../../../src/faces/detectors/second-look-detector.ts';
import { StagedFrame } from '../../fakes/fake-face-analyser.ts';

const input = { width: 320, height: 240 };
const at = (x: number, score: number): Detection => ({ box: { x, y: 0, width: 100, height: 100 }, score });

function rig(first: readonly Detection[], second: readonly Detection[]) {
  let looks = 0;
  const detector = (found: readonly Detection[], count = () => {}): FaceDetector => ({
    input,
    async detect() {
      count();
      return [...found];
    },
  });
  const both = secondLookDetector({
    first: detector(first),
    second: detector(second, () => looks++),
    minScore: 0.7,
    fromScore: 0.3,
    lowScore: 0.4,
  });
  return { detect: () => both.detect(new StagedFrame(1, 0, [])), looks: () => looks, input: both.input };
}

describe('secondLookDetector', () => {
  it('has the input of the first, and asks the second only when the first is unsure', async () => {
    const sure = rig([at(0, 0.9), at(200, 0.2)], [at(200, 0.99)]);
    expect(sure.input).toBe(input);
    expect(await sure.detect()).toEqual([at(0, 0.9)]);
    expect(sure.looks()).toBe(0);
    const nobody = rig([], [at(0, 0.99)]);
    expect(await nobody.detect()).toEqual([]);
    expect(nobody.looks()).toBe(0);
  });

  it('takes for a face what both see, in the box of the first, best first', async () => {
    const moved = { box: { x: 320, y: 0, width: 100, height: 100 }, score: 0.95 };
    const { detect, looks } = rig([at(0, 0.9), at(300, 0.35), at(600, 0.5), at(900, 0.35)], [moved, at(600, 0.6)]);
    expect(await detect()).toEqual([at(300, 0.95), at(0, 0.9), at(600, 0.7)]);
    expect(looks()).toBe(1);
  });

  it('leaves what the second does not see as unsure as it was', async () => {
    expect(await rig([at(0, 0.5), at(300, 0.35)], [at(600, 0.99)]).detect()).toEqual([at(0, 0.5)]);
  });
});
