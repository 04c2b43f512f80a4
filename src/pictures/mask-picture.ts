import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, extname } from 'node:path';
import { EyelineError, messageOf } from '../core/errors.ts';
import type { Affine, Box, Size } from '../core/geometry.ts';
import type { Cut } from '../core/picture.ts';
import { seededRandom } from '../core/seeded-random.ts';
import type { Face } from '../faces/face-analyser.ts';
import { requireIbug } from '../faces/landmarks.ts';
import { type MaskedPicture, putMaskOn } from '../faces/mask/put-mask-on.ts';
import { randomMask } from '../faces/mask/random-mask.ts';
import type { MaskOutcome, MaskTask, NotMasked, SampleOutcome, SampleTask } from './picture-protocol.ts';
import type { PictureTools, StoredPicture } from './picture-tools.ts';

type MaskTools = Pick<PictureTools, 'decode' | 'encode' | 'rgbPicture'> & {
  readonly analyser: Pick<PictureTools['analyser'], 'detect' | 'describe'>;
};

/** Of JPEG files; high, since what a mask adds must not be told by its artefacts. */
const JPEG_QUALITY = 95;
/** How much of the picture a sample shows, in sizes of the face's box. */
const SAMPLE_EXTENT = 1.7;

/**
 * Stores a picture with a mask on its largest face. Rejects with EyelineError OUTPUT_UNWRITABLE when the result cannot be
 * stored; a picture that cannot be read is an answer.
 */
export async function maskPicture(task: Omit<MaskTask, 'kind'>, tools: MaskTools): Promise<MaskOutcome> {
  return masked(task, tools, async (_picture, _face, size, { rgb, mask }) => {
    await store(rgb, size, task.to, tools);
    return { outcome: 'masked', mask: { type: mask.type, fit: mask.fit, state: mask.state } } as const;
  });
}

/** Cuts the largest face of a picture out, without and with a mask. */
export async function samplePicture(task: Omit<SampleTask, 'kind'>, tools: MaskTools): Promise<SampleOutcome> {
  return masked(task, tools, async (picture, face, size, { rgb }) => {
    const cut = around(face.box, task.side);
    const covered = tools.rgbPicture(rgb, size);
    try {
      const [plain, masked] = [await picture.cut([cut]), await covered.cut([cut])];
      return {
        outcome: 'sampled',
        plain: plain[0] ?? new Uint8Array(),
        masked: masked[0] ?? new Uint8Array(),
      } as const;
    } finally {
      covered.release();
    }
  });
}

async function masked<T>(
  { file, seed, wanted }: Pick<MaskTask, 'file' | 'seed' | 'wanted'>,
  tools: MaskTools,
  use: (picture: StoredPicture, face: Face, size: Size, result: MaskedPicture) => Promise<T>,
): Promise<T | NotMasked> {
  let picture: StoredPicture;
  try {
    picture = await tools.decode(readFileSync(file), file);
  } catch (error) {
    return { outcome: 'unreadable', reason: messageOf(error) };
  }
  try {
    const face = await largestFace(picture, tools);
    if (!face) return { outcome: 'no-face' };
    const size = { width: picture.width, height: picture.height };
    const spec = randomMask(seededRandom(seed), wanted);
    return await use(picture, face, size, putMaskOn(await picture.fit(size), size, requireIbug(face.landmarks), spec));
  } finally {
    picture.release();
  }
}

async function largestFace(picture: StoredPicture, { analyser }: MaskTools): Promise<Face | undefined> {
  const found = await analyser.detect(picture);
  const [largest] = found.sort((a, b) => b.box.width * b.box.height - a.box.width * a.box.height);
  if (!largest) return undefined;
  const [face] = await analyser.describe(picture, [largest]);
  return face;
}

async function store(rgb: Uint8Array, size: Size, file: string, { encode }: MaskTools): Promise<void> {
  const bytes = await encode(rgb, size, extname(file), JPEG_QUALITY);
  try {
    // Nearly always the folder is there.
    await writeFile(file, bytes).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, bytes);
    });
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
