import type { Affine, Size } from '../../core/geometry.ts';
import { apply, type Box } from '../../core/geometry.ts';
import type { Picture } from '../../core/picture.ts';
import { seededRandom, seedOf } from '../../core/seeded-random.ts';
import type { FaceAnalyser } from '../../faces/face-analyser.ts';
import { requireIbug } from '../../faces/landmarks.ts';
import type { MaskFit } from '../../faces/mask/mask-spec.ts';
import { putMaskOn } from '../../faces/mask/put-mask-on.ts';
import { randomMask } from '../../faces/mask/random-mask.ts';
import { changedPart, type FaceChip, packFace, type StoredMask } from './face-store.ts';
import type { PixelsPlace } from './pixels-file.ts';

/** How much of a picture is kept around a face, in sizes of its box, and how large, pixels. */
const EXTENT = 2.8;
const MOST_PX = 256;

/** A face ready to be written: what the index says of it, but for file, person and place, and its bytes. */
export interface PreparedFace extends Size {
  readonly masks: readonly StoredMask[];
  readonly bytes: Uint8Array;
}

/** A face whose bytes are written. */
export interface WrittenFace extends Omit<PreparedFace, 'bytes'>, PixelsPlace {}

/** How masks are worn, the first the first way: of the usual mix, those. */
export type MaskFits = readonly (readonly MaskFit[])[];

export interface FacePreparation {
  readonly masks: number;
  readonly fits?: MaskFits;
  readonly seed: number;
}

/**
 * The largest face of a picture with its surroundings, and masks drawn on it. Null when there is no face.
 *
 * @param name says, with `seed`, which masks are drawn
 */
export async function prepareFace(
  picture: Picture,
  name: string,
  analyser: Pick<FaceAnalyser, 'detect' | 'describe'>,
  options: FacePreparation,
): Promise<PreparedFace | null> {
  const found = await analyser.detect(picture);
  const [largest] = found.sort((a, b) => b.box.width * b.box.height - a.box.width * a.box.height);
  const [face] = largest ? await analyser.describe(picture, [largest]) : [];
  if (!face) return null;
  const { matrix, size } = chipAround(face.box, picture);
  const [rgb] = await picture.cut([{ matrix, ...size, colour: 'rgb' }]);
  if (!rgb) return null;
  const at = (x: number, y: number) => apply(matrix, { x, y });
  const corner = at(face.box.x, face.box.y);
  const box = { ...corner, width: face.box.width * matrix[0], height: face.box.height * matrix[4] };
  const landmarks = requireIbug(face.landmarks).map(({ x, y }) => at(x, y));
  const chip: FaceChip = { rgb, ...size, box, score: face.score, landmarks };
  const masks = Array.from({ length: options.masks }, (_, which) => {
    const fits = options.fits?.[which % options.fits.length];
    const spec = randomMask(seededRandom(seedOf(options.seed + which, name)), fits && { fits });
    const drawn = putMaskOn(rgb, size, landmarks, spec);
    const part = drawn.within && changedPart(rgb, { rgb: drawn.rgb, ...size }, drawn.within);
    return part && { ...part, state: drawn.mask.state };
  }).filter((mask) => mask !== null);
  return {
    ...size,
    masks: masks.map(({ x, y, width, height, state }) => ({ x, y, width, height, state })),
    bytes: packFace(chip, masks),
  };
}

/** The part of a picture around a face, whole pixels, and the matrix that cuts it out. */
export function chipAround(box: Box, picture: Size): { matrix: Affine; size: Size } {
  const half = (EXTENT * Math.max(box.width, box.height)) / 2;
  const centre = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  const left = Math.max(0, Math.floor(centre.x - half));
  const top = Math.max(0, Math.floor(centre.y - half));
  const width = Math.min(picture.width, Math.ceil(centre.x + half)) - left;
  const height = Math.min(picture.height, Math.ceil(centre.y + half)) - top;
  const scale = Math.min(1, MOST_PX / Math.max(width, height));
  const size = { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
  const [sx, sy] = [size.width / width, size.height / height];
  return { matrix: [sx, 0, (0.5 - left) * sx - 0.5, 0, sy, (0.5 - top) * sy - 0.5], size };
}
