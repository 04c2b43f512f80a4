import { describe, expect, it } from 'vitest';
import type { Box } from '../../../src/core/geometry.ts';
import type { Detection } from '../../../src/faces/detect.ts';
import { closerLookDetector } from '../../../src/faces/detectors/closer-look-detector.ts';
import { StagedFrame } from '../../fakes/fake-face-analyser.ts';

const LOOK = { fromScore: 0.3, sureFrom: 0.98, most: 2 };
const OPTIONS = { minScore: 0.9, lowScore: 0.2, nmsIou: 0.3, minFacePx: 100, maxFaces: 10 };
const at = (x: number, score: number): Detection => ({ box: { x, y: 0, width: 100, height: 100 }, score });

/** A detector that finds `first`, and from close by is as sure as `closer` says of what stands at x. */
function rig(first: readonly Detection[], closer: Readonly<Record<number, number>>, options = OPTIONS) {
  const looks: number[][] = [];
  const detector = closerLookDetector(
    { input: { width: 320, height: 240 }, detect: async () => [...first] },
    async (_, boxes: readonly Box[]) => {
      looks.push(boxes.map(({ x }) => x));
      return boxes.map((box) => {
        const score = closer[box.x];
        // Its own box is a pixel to the right.
        return score === undefined ? null : { box: { ...box, x: box.x + 1 }, score };
      });
    },
    LOOK,
    options,
  );
  const detect = async () =>
    (await detector.detect(new StagedFrame(1, 0, []))).map(({ box, score }) => [box.x, Number(score.toFixed(4))]);
  return { detect, looks };
}

describe('closerLookDetector', () => {
  it('does not look again at what is sure, nor at next to nothing', async () => {
    const { detect, looks } = rig([at(0, 0.99), at(200, 0.25), at(400, 0.1)], { 0: 0.01, 200: 1 });
    expect(await detect()).toEqual([
      [0, 0.99],
      [200, 0.25],
    ]);
    expect(looks).toEqual([]);
  });

  it('has the mean of the log odds of both looks for a score, and the box of the closer one, best first', async () => {
    // Log odds of 0.9 are log 9, of 0.1 as much below zero: even chances. sqrt(9 * 1) = 3 to 1 is 0.75; sqrt(1 * 99) is 0.9087.
    const { detect, looks } = rig([at(0, 0.9), at(200, 0.5)], { 0: 0.1, 200: 0.99 });
    expect(await detect()).toEqual([
      [201, 0.9087],
      [1, 0.5],
    ]);
    expect(looks).toEqual([[0, 200]]);
  });

  it('drops what is no face from close by', async () => {
    // Nothing there at all counts as one in 10,000: sqrt(19 / 9999) to 1.
    expect(await rig([at(0, 0.95)], {}).detect()).toEqual([]);
    expect(await rig([at(0, 0.95)], {}, { ...OPTIONS, lowScore: 0.04 }).detect()).toEqual([[0, 0.0418]]);
  });

  it('takes two finds for one where the closer looks are of the same face', async () => {
    const detector = closerLookDetector(
      { input: { width: 320, height: 240 }, detect: async () => [at(0, 0.9), at(60, 0.8)] },
      async () => [at(20, 0.9), at(30, 0.8)],
      LOOK,
      OPTIONS,
    );
    const found = await detector.detect(new StagedFrame(1, 0, []));
    expect(found.map(({ box }) => box.x)).toEqual([20]);
  });

  it('looks at the best alone, no more than asked', async () => {
    const { detect, looks } = rig([at(0, 0.97), at(200, 0.8), at(400, 0.7)], { 0: 0.97, 200: 0.8, 400: 0.99 });
    expect(await detect()).toEqual([
      [1, 0.97],
      [201, 0.8],
      [400, 0.7],
    ]);
    expect(looks).toEqual([[0, 200]]);
  });
});
