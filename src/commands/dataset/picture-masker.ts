import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, extname } from 'node:path';
import {
  decodePicture,
  encodePicture,
  type OpencvPicture,
  PICTURE_EXTENSIONS,
  type PictureExtension,
  rgbPicture,
} from '../../capture/opencv-picture.ts';
import { EyelineError, messageOf } from '../../core/errors.ts';
import type { Affine, Box, Size } from '../../core/geometry.ts';
import type { Cut } from '../../core/picture.ts';
import { seededRandom } from '../../core/seeded-random.ts';
import type { Face, FaceAnalyser } from '../../faces/face-analyser.ts';
import { requireIbug } from '../../faces/landmarks.ts';
import type { DrawnMask } from '../../faces/mask/mask-spec.ts';
import { putMaskOn } from '../../faces/mask/put-mask-on.ts';
import { randomMask, type WantedMask } from '../../faces/mask/random-mask.ts';

/** A picture to mask. `from` and `to` are paths. */
export interface MaskJob {
  readonly kind: 'mask';
  readonly from: string;
  readonly to: string;
  readonly seed: number;
}

/** A face to show without and with a mask, cut out to `side` x `side`. */
export interface SampleJob {
  readonly kind: 'sample';
  readonly from: string;
  readonly seed: number;
  readonly wanted: WantedMask;
  readonly side: number;
}

export type MaskAnswer =
  | { readonly outcome: 'masked'; readonly mask: Pick<DrawnMask, 'type' | 'fit' | 'state'> }
  | { readonly outcome: 'sampled'; readonly plain: Uint8Array; readonly masked: Uint8Array }
  | { readonly outcome: 'no-face' }
  | { readonly outcome: 'unreadable'; readonly reason: string };

/** Of JPEG files; high, since what a mask adds must not be told by its artefacts. */
const JPEG_QUALITY = 95;
/** How much of the picture a sample shows, in sizes of the face's box. */
const SAMPLE_EXTENT = 1.7;

/**
 * Masks the largest face of a stored picture, or cuts a sample of it. Rejects with EyelineError OUTPUT_UNWRITABLE when
 * the result cannot be stored; a picture that cannot be read is an answer.
 */
export async function maskPicture(
  job: MaskJob | SampleJob,
  analyser: FaceAnalyser,
  wanted: WantedMask,
): Promise<MaskAnswer> {
  let picture: OpencvPicture;
  try {
    picture = await decodePicture(await readFile(job.from), job.from);
  } catch (error) {
    return { outcome: 'unreadable', reason: messageOf(error) };
  }
  try {
    const face = await largestFace(picture, analyser);
    if (!face) return { outcome: 'no-face' };
    const size = { width: picture.width, height: picture.height };
    const spec = randomMask(seededRandom(job.seed), job.kind === 'sample' ? job.wanted : wanted);
    const { rgb, mask } = putMaskOn(await picture.fit(size), size, requireIbug(face.landmarks), spec);
    if (job.kind === 'mask') {
      await store(rgb, size, job.to);
      return { outcome: 'masked', mask: { type: mask.type, fit: mask.fit, state: mask.state } };
    }
    const cut = around(face.box, job.side);
    const covered = rgbPicture(rgb, size);
    const [plain, masked] = [await picture.cut([cut]), await covered.cut([cut])];
    covered.release();
    return { outcome: 'sampled', plain: plain[0] ?? new Uint8Array(), masked: masked[0] ?? new Uint8Array() };
  } finally {
    picture.release();
  }
}

async function largestFace(picture: OpencvPicture, analyser: FaceAnalyser): Promise<Face | undefined> {
  const found = await analyser.detect(picture);
  const [largest] = found.sort((a, b) => b.box.width * b.box.height - a.box.width * a.box.height);
  if (!largest) return undefined;
  const [face] = await analyser.describe(picture, [largest]);
  return face;
}

async function store(rgb: Uint8Array, size: Size, file: string): Promise<void> {
  const extension = PICTURE_EXTENSIONS.find((it) => it === extname(file).toLowerCase()) ?? ('.jpg' as PictureExtension);
  const bytes = await encodePicture(rgb, size, extension, JPEG_QUALITY);
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, bytes);
  } catch (error) {
    throw new EyelineError('OUTPUT_UNWRITABLE', `${file} cannot be written: ${messageOf(error)}`, { cause: error });
  }
}

function around(box: Box, side: number): Cut {
  const scale = side / (SAMPLE_EXTENT * Math.max(box.width, box.height));
  const matrix: Affine = [
    scale,
    0,
    side / 2 - scale * (box.x + box.width / 2),
    0,
    scale,
    side / 2 - scale * (box.y + box.height / 2),
  ];
  return { matrix, width: side, height: side, colour: 'rgb' };
}
