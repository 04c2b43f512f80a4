import { readFileSync } from 'node:fs';
import { messageOf } from '../core/errors.ts';
import type { Picture } from '../core/picture.ts';
import { alignToTemplate } from '../faces/align.ts';
import type { Detection } from '../faces/detect.ts';
import {
  PICTURE_STEPS,
  type PictureFace,
  type PictureReading,
  type PictureStep,
  type ReadTask,
} from './picture-protocol.ts';
import type { PictureTools, StoredPicture } from './picture-tools.ts';

type ReadTools = Pick<PictureTools, 'decode' | 'analyser' | 'cropSize'>;

/** Takes one stored picture as far as wanted. Never rejects: what cannot be read says why. */
export async function readPicture({ file, upTo }: Omit<ReadTask, 'kind'>, tools: ReadTools): Promise<PictureReading> {
  let picture: StoredPicture | undefined;
  try {
    picture = await tools.decode(readFileSync(file), file);
    const size = { width: picture.width, height: picture.height };
    return { file, size, faces: await facesOf(picture, upTo, tools), error: null };
  } catch (error) {
    return { file, size: null, faces: [], error: messageOf(error).split('\n')[0] ?? '' };
  } finally {
    picture?.release();
  }
}

async function facesOf(picture: Picture, upTo: PictureStep, tools: ReadTools): Promise<PictureFace[]> {
  const { analyser, cropSize } = tools;
  const reached = (step: PictureStep) => PICTURE_STEPS.indexOf(upTo) >= PICTURE_STEPS.indexOf(step);
  if (!reached('detect')) return [];
  const found = await analyser.detect(picture);
  if (!reached('landmarks')) return found.map(bare);
  const described = await analyser.describe(picture, found);
  const faces = described.map((face) => {
    const { landmarks, quality, mask } = face;
    const alignment = alignToTemplate(landmarks.five, cropSize);
    return { ...bare(face), landmarks: landmarks.points, quality, alignment, mask };
  });
  if (!reached('align')) return faces;
  const crops = await picture.cut(
    faces.map(({ alignment }) => ({ matrix: alignment, width: cropSize, height: cropSize, colour: 'rgb' })),
  );
  const embeddings = reached('embed') ? await analyser.embed(picture, described) : [];
  return faces.map((face, index) => ({
    ...face,
    crop: crops[index] ?? null,
    embedding: embeddings[index]?.embedding ?? null,
  }));
}

function bare({ box, score }: Detection): PictureFace {
  return { box, score, landmarks: null, quality: null, alignment: null, mask: null, crop: null, embedding: null };
}
