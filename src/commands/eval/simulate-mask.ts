import { rgbPicture } from '../../capture/opencv-picture.ts';
import { seededRandom, seedOf } from '../../core/seeded-random.ts';
import type { SimulateMask } from '../../evaluation/analysed-face-source.ts';
import { requireIbug } from '../../faces/landmarks.ts';
import { putMaskOn } from '../../faces/mask/put-mask-on.ts';
import { randomMask, type WantedMask } from '../../faces/mask/random-mask.ts';

/** Masks that cover nose and mouth: one that hangs from an ear would flatter. */
const WORN: WantedMask = { fits: ['high', 'normal'] };

/** Puts a mask on a face, of any kind, worn as it should be. */
export const simulateMask: SimulateMask = async (picture, face, seed) => {
  const size = { width: picture.width, height: picture.height };
  const spec = randomMask(seededRandom(seedOf(0, seed)), WORN);
  const { rgb } = putMaskOn(await picture.fit(size), size, requireIbug(face.landmarks), spec);
  return rgbPicture(rgb, size);
};
