import { expect, it } from 'vitest';
import { featureMaps } from '../../../src/evaluation/classifiers/feature-maps.ts';
import { blankBelow, keepBlocks } from '../../../src/faces/occlusion.ts';
import type { VisionModel } from '../../../src/inference/vision-model.ts';
import { rowOf } from '../../../src/training/classifiers/feature-matrix.ts';

/** A map of 7x7 places with two channels: the row and the column of the place, from 1; and the crops it was shown. */
function placesModel(): { model: VisionModel; seen: Uint8Array[] } {
  const seen: Uint8Array[] = [];
  const model: VisionModel = {
    id: 'places',
    fingerprint: 'f',
    provider: 'cpu',
    input: { width: 112, height: 112, channels: 3 },
    async run(pictures) {
      seen.push(...pictures);
      const one = [0, 1].flatMap((channel) =>
        Array.from({ length: 49 }, (_, place) => (channel === 0 ? Math.floor(place / 7) : place % 7) + 1),
      );
      const data = Float32Array.from(pictures.flatMap(() => one));
      return { map: { data, shape: [pictures.length, 2, 7, 7] } };
    },
  };
  return { model, seen };
}

const WHITE = new Uint8Array(112 * 112 * 3).fill(255);

it.each([
  ['the whole face', null, 49],
  // 56 of 112 rows are kept: three and a half rows of places, of which the fourth is kept by half.
  ['blocks 1 to 50', keepBlocks, 28],
  // 62 rows: the fourth row of places stands over rows 48 to 63.
  ['the upper part', blankBelow, 28],
  ['a quarter', (face: Parameters<typeof blankBelow>[0]) => blankBelow(face, 28), 14],
] as const)('describes the places of %s', async (_, hide, places) => {
  const { model } = placesModel();
  const [first, second] = await featureMaps({
    model,
    alignedBy: 'five',
    hide: hide && ((face) => hide(face)),
  }).describe([{ crops: { five: WHITE } }, { crops: { five: WHITE } }]);
  expect([first?.rows, first?.columns]).toEqual([places, 2]);
  expect(second).toEqual(first);
  if (!first) throw new Error('nothing described');
  // Row 2, column 3 from 0: the channels say 3 and 4, scaled to unit length.
  if (places > 17) expect([...rowOf(first, 17)]).toEqual([expect.closeTo(0.6), expect.closeTo(0.8)]);
});

it('shows the model what is kept, in batches, in order', async () => {
  const { model, seen } = placesModel();
  const crops = Array.from({ length: 70 }, (_, at) => new Uint8Array(112 * 112 * 3).fill(at + 1));
  const described = await featureMaps({ model, alignedBy: 'eyes', hide: keepBlocks }).describe(
    crops.map((eyes) => ({ crops: { eyes } })),
  );
  expect(described).toHaveLength(70);
  expect(seen.map((crop) => crop[0])).toEqual(crops.map((crop) => crop[0]));
  // Row 55 is kept, row 56 is not.
  expect(seen[69]?.[55 * 112 * 3]).toBe(70);
  expect(seen[69]?.[56 * 112 * 3]).toBe(0);
});
