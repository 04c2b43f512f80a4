import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { EyelineError, messageOf } from '../core/errors.ts';
import type { MaskState } from '../core/person.ts';
import type { Picture } from '../core/picture.ts';
import type { AlignedFace, ReadOptions, ReadPicture } from '../evaluation/face-source.ts';
import { PaddedPicture } from '../evaluation/padded-picture.ts';
import { alignBy, canAlignBy } from '../faces/align.ts';
import type { Detection } from '../faces/detect.ts';
import type { Face, FaceAnalyser } from '../faces/face-analyser.ts';
import type { FaceTask } from './picture-protocol.ts';
import type { PictureTools, StoredPicture } from './picture-tools.ts';

/** What reading a face needs. */
export interface FaceTools extends Pick<PictureTools, 'decode'> {
  readonly analyser: Pick<FaceAnalyser, 'detect' | 'describe'>;
  /**
   * Draws a mask on a face.
   *
   * @param face found in `picture`
   * @param seed decides which mask and how it is worn
   * @param state worn as it should be, unless it is `incorrect`
   */
  simulateMask(picture: Picture, face: Face, seed: string, state?: Exclude<MaskState, 'none'>): Promise<StoredPicture>;
}

/**
 * Reads the one face of a stored picture that counts, aligned, with the daemon's own chain; with `options.mask` a mask is
 * drawn into the picture first, and the face looked for anew. Rejects with what is no fault of the picture.
 */
export async function readFace({ file, options }: Omit<FaceTask, 'kind'>, tools: FaceTools): Promise<ReadPicture> {
  const loaded = await load(file, tools);
  if (typeof loaded === 'string') return { file, face: null, reason: 'unreadable', message: loaded };
  const { picture, digest } = loaded;
  try {
    const plain = padded(picture, options.pad);
    const face = await findFace(plain, options, tools);
    if (!face) return { file, face: null, reason: 'no face', message: 'no face was found' };
    if (!options.mask) return { file, face: await cut(plain, face, options), reason: null };
    return await readMasked(file, plain, face, options, `${options.mask.seed} ${digest}`, tools);
  } finally {
    picture.release();
  }
}

async function readMasked(
  file: string,
  plain: Picture,
  face: Face,
  options: ReadOptions,
  seed: string,
  tools: FaceTools,
): Promise<ReadPicture> {
  const masked = await tools.simulateMask(plain, face, seed, options.mask?.state);
  try {
    const found = await findFace(masked, options, tools);
    if (!found) return { file, face: null, reason: 'no face', message: 'no face was found with the mask on' };
    return { file, face: await cut(masked, found, options), reason: null };
  } finally {
    masked.release();
  }
}

/** The picture with a digest of its bytes, the same wherever the file lies; or why there is none. */
async function load(file: string, { decode }: FaceTools): Promise<{ picture: StoredPicture; digest: string } | string> {
  try {
    const bytes = await readFile(file);
    const picture = await decode(bytes, file);
    return { picture, digest: createHash('sha256').update(bytes).digest('hex') };
  } catch (error) {
    if (error instanceof EyelineError && error.code !== 'PICTURE_REFUSED') throw error;
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? `${file}: there is no such file` : messageOf(error);
  }
}

async function findFace(picture: Picture, { choose }: ReadOptions, { analyser }: FaceTools): Promise<Face | null> {
  const chosen = chooseFace(await analyser.detect(picture), picture, choose);
  if (!chosen) return null;
  const [face] = await analyser.describe(picture, [chosen]);
  return face ?? null;
}

async function cut(picture: Picture, face: Face, { cropPx, alignedBy }: ReadOptions): Promise<AlignedFace> {
  const { landmarks, box, score, quality, mask } = face;
  const given = alignedBy.filter((points) => canAlignBy(points, landmarks));
  const cut = await picture.cut(
    given.map((points) => ({
      matrix: alignBy(points, landmarks, cropPx),
      width: cropPx,
      height: cropPx,
      colour: 'rgb' as const,
    })),
  );
  const crops = Object.fromEntries(given.map((points, index) => [points, cut[index]]));
  return { crops, landmarks, box, score, quality, mask };
}

/** The face meant, of those found in a picture; the better one of equals. */
export function chooseFace(
  faces: readonly Detection[],
  picture: { readonly width: number; readonly height: number },
  choose: ReadOptions['choose'],
): Detection | null {
  const cost = ({ box }: Detection) =>
    choose === 'largest'
      ? -box.width * box.height
      : Math.hypot(box.x + (box.width - picture.width) / 2, box.y + (box.height - picture.height) / 2);
  return faces.reduce<Detection | null>((best, face) => (best && cost(best) <= cost(face) ? best : face), null);
}

function padded(picture: Picture, pad: number): Picture {
  return pad > 0 ? new PaddedPicture(picture, pad) : picture;
}
