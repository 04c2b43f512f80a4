import { readFileSync } from 'node:fs';
import { messageOf } from '../core/errors.ts';
import type { Picture } from '../core/picture.ts';
import { PaddedPicture } from '../evaluation/padded-picture.ts';
import { prepareFace } from '../training/data/prepare-face.ts';
import type { PrepareOutcome, PrepareTask } from './picture-protocol.ts';
import type { PictureTools, StoredPicture } from './picture-tools.ts';

type PrepareTools = Pick<PictureTools, 'decode' | 'pixelsIn'> & {
  readonly analyser: Pick<PictureTools['analyser'], 'detect' | 'describe'>;
};

/**
 * Makes the largest face of a picture ready to train on, and writes it. A picture that cannot be read is an answer. Throws
 * OUTPUT_UNWRITABLE.
 */
export async function preparePicture(task: Omit<PrepareTask, 'kind'>, tools: PrepareTools): Promise<PrepareOutcome> {
  let picture: StoredPicture;
  try {
    picture = await tools.decode(readFileSync(task.file), task.file);
  } catch (error) {
    return { face: null, reason: messageOf(error).split('\n')[0] ?? '' };
  }
  try {
    const looked = (shown: Picture) => prepareFace(shown, task.name, tools.analyser, task);
    const face = (await looked(picture)) ?? (task.pad > 0 ? await looked(new PaddedPicture(picture, task.pad)) : null);
    if (!face) return { face: null, reason: 'no face was found' };
    const { bytes, ...shown } = face;
    return { face: { ...shown, ...tools.pixelsIn(task.folder).append(bytes) }, reason: null };
  } finally {
    picture.release();
  }
}
