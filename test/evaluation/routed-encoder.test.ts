import { expect, it } from 'vitest';
import type { MaskState } from '../../src/core/person.ts';
import type { FaceEncoder } from '../../src/evaluation/face-encoder.ts';
import { type AlignedFace, cropBy } from '../../src/evaluation/face-source.ts';
import { NOT_COMPARED } from '../../src/evaluation/metrics/comparisons.ts';
import { routedEncoder } from '../../src/evaluation/routed-encoder.ts';
import type { AlignmentPoints } from '../../src/faces/align.ts';
import { cosine } from '../../src/faces/embedding.ts';
import { NO_LANDMARKS } from './made-faces.ts';

/** Directions a face has to the full-face and to the upper-part encoder, in degrees; -1 is no face. */
function face(full: number, upper: number, state: MaskState | null): AlignedFace {
  return {
    crops: { five: Uint8Array.of(full + 1, 0), 'eyes-bridge': Uint8Array.of(0, upper + 1) },
    landmarks: NO_LANDMARKS,
    box: { x: 0, y: 0, width: 10, height: 10 },
    score: 1,
    quality: { size: 1, sharpness: 1, exposure: 1, pose: 1, completeness: 1, score: 1 },
    mask: state && { state, confidence: 1 },
  };
}

function reader(at: number, alignedBy: AlignmentPoints): FaceEncoder<Float32Array> {
  return {
    id: `byte ${at}`,
    cropPx: 2,
    alignedBy: [alignedBy],
    compare: cosine,
    embed: async (faces) =>
      faces.map((face) => {
        const degrees = (cropBy(face, alignedBy)[at] ?? 0) - 1;
        const angle = (degrees * Math.PI) / 180;
        return degrees < 0 ? null : Float32Array.of(Math.cos(angle), Math.sin(angle));
      }),
  };
}

const encoder = routedEncoder('auto', {
  full: reader(0, 'five'),
  upper: reader(1, 'eyes-bridge'),
  onFullScale: (score) => score / 2,
  allowForAll: false,
});

it('takes a crop for each encoder, as each is aligned', () => {
  expect(encoder.alignedBy).toEqual(['five', 'eyes-bridge']);
});

it.each<[string, AlignedFace, AlignedFace, number]>([
  ['a bare probe by the full face', face(0, 90, 'none'), face(60, 90, 'none'), 0.5],
  ['one nobody assessed too', face(0, 90, null), face(60, 90, null), 0.5],
  ['a mask by the upper part, on the scale of the other', face(0, 90, 'none'), face(60, 90, 'worn'), 0.5],
  ['a mask below the nose too', face(0, 30, 'none'), face(0, 90, 'incorrect'), 0.25],
  [
    'what is no face to the encoder that is needed is not compared',
    face(0, -1, 'none'),
    face(0, 0, 'worn'),
    NOT_COMPARED,
  ],
])('compares %s', async (_, enrolled, probe, expected) => {
  const [a, b] = await encoder.embed([enrolled, probe]);
  if (!a || !b) throw new Error('a face was not embedded');
  expect(encoder.compare(a, b)).toBeCloseTo(expected, 6);
});

it('has nothing for a face that is none to its own encoder', async () => {
  expect(await encoder.embed([face(-1, 0, 'none'), face(0, -1, 'worn')])).toEqual([null, null]);
  expect(await encoder.embed([face(-1, 0, 'worn')])).toMatchObject([{ part: 'upper', full: null }]);
});
