import { describe, expect, it } from 'vitest';
import { ibugLandmarker } from '../../../src/faces/landmarkers/ibug-landmarker.ts';
import type { Outputs, VisionModel } from '../../../src/inference/vision-model.ts';
import { StagedFrame } from '../../fakes/fake-face-analyser.ts';

const INPUT = { width: 64, height: 64, channels: 1 } as const;

/** A model that gives the same outputs whatever it sees. */
function model(outputs: Outputs, input: VisionModel['input'] = INPUT): VisionModel {
  return { id: 'points', fingerprint: 'points', provider: 'cpu', input, run: async () => outputs };
}

const frame = new StagedFrame(1, 0, []);
const boxes = [
  { box: { x: 10, y: 20, width: 100, height: 200 }, score: 0.9 },
  { box: { x: 300, y: 20, width: 50, height: 60 }, score: 0.8 },
];

/** All points of face n stand at (n + 1) / 4 of the box. */
const points = { data: Float32Array.from({ length: 272 }, (_, at) => (at < 136 ? 0.25 : 0.5)), shape: [2, 136] };

describe('ibugLandmarker', () => {
  it('gives each face its points, its grey crop, and what else the model says of it', async () => {
    const mask = { data: Float32Array.of(1, 2, 3, 4), shape: [2, 2] };
    const [first, second] = await ibugLandmarker(model({ mask, points })).locate(frame, boxes);
    expect(first?.landmarks.points).toHaveLength(68);
    expect(first?.landmarks.five[0]).toEqual({ x: expect.closeTo(35, 6), y: expect.closeTo(70, 6) });
    expect(second?.landmarks.five[4]).toEqual({ x: 325, y: 50 });
    expect(second?.landmarks.ibug).toBe(second?.landmarks.points);
    expect(second?.grey).toEqual({ side: 64, pixels: new Uint8Array(64 * 64) });
    expect([first?.extras, second?.extras]).toEqual([{ mask: Float32Array.of(1, 2) }, { mask: Float32Array.of(3, 4) }]);
    expect(await ibugLandmarker(model({ points })).locate(frame, [])).toEqual([]);
  });

  it('refuses models that cannot be what it takes them for', async () => {
    const unsupported = expect.objectContaining({ code: 'MODEL_UNSUPPORTED' });
    expect(() => ibugLandmarker(model({ points }, { ...INPUT, height: 48 }))).toThrow(unsupported);
    expect(() => ibugLandmarker(model({ points }, { ...INPUT, channels: 3 }))).toThrow(unsupported);
    await expect(ibugLandmarker(model({ a: points, b: points })).locate(frame, boxes)).rejects.toEqual(unsupported);
    const other = { data: new Float32Array(20), shape: [2, 10] };
    await expect(ibugLandmarker(model({ other })).locate(frame, boxes)).rejects.toEqual(unsupported);
  });
});
