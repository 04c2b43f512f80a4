import { iou } from '../core/geometry.ts';
import type { Picture } from '../core/picture.ts';
import { seededRandom, seedOf } from '../core/seeded-random.ts';
import type { Detection } from '../faces/detect.ts';
import type { Face, FaceAnalyser } from '../faces/face-analyser.ts';
import { requireIbug } from '../faces/landmarks.ts';
import { putMaskOn } from '../faces/mask/put-mask-on.ts';
import { randomMask, type WantedMask } from '../faces/mask/random-mask.ts';
import type { PictureTools, StoredPicture } from './picture-tools.ts';

/** Masks that cover nose and mouth, or the mouth alone: one that hangs from an ear would flatter. */
const FITS: Readonly<Record<'worn' | 'incorrect', WantedMask>> = {
  worn: { fits: ['high', 'normal'] },
  incorrect: { fits: ['low'] },
};

/**
 * Puts a mask on a face, of any kind, worn as it should be or below the nose; the result is for the caller to release.
 *
 * @param face found in `picture`
 * @param seed decides which mask and how it is worn
 */
export async function simulateMask(
  picture: Picture,
  face: Pick<Face, 'landmarks'>,
  seed: string,
  {
    rgbPicture,
    state = 'worn',
  }: Pick<PictureTools, 'rgbPicture'> & { readonly state?: 'worn' | 'incorrect' | undefined },
): Promise<StoredPicture> {
  const size = { width: picture.width, height: picture.height };
  const spec = randomMask(seededRandom(seedOf(0, seed)), FITS[state]);
  const { rgb } = putMaskOn(await picture.fit(size), size, requireIbug(face.landmarks), spec);
  return rgbPicture(rgb, size);
}

/**
 * A face as another chain sees it: masks are drawn where the same models see the face, whatever models are measured, so
 * that all meet the same masks. Where that chain does not find it, its landmarks in the given box.
 */
export async function seenBy(
  analyser: Pick<FaceAnalyser, 'detect' | 'describe'>,
  picture: Picture,
  { box, score }: Detection,
): Promise<Face> {
  const found = (await analyser.detect(picture)).sort((a, b) => iou(b.box, box) - iou(a.box, box));
  const [best] = found;
  const [face] = await analyser.describe(picture, [best && iou(best.box, box) > 0 ? best : { box, score }]);
  if (!face) throw new Error('a face was not described');
  return face;
}
