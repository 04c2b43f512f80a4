import { readFile } from 'node:fs/promises';
import { EyelineError, messageOf } from '../core/errors.ts';
import type { Picture } from '../core/picture.ts';
import { seedOf } from '../core/seeded-random.ts';
import { spoil, walkFrames } from '../evaluation/streams/walk.ts';
import { MaskMemory } from '../tracks/mask-memory.ts';
import type { StreamLook, TemplatesOutcome, TemplatesTask, WalkOutcome, WalkTask } from './picture-protocol.ts';
import type { PictureTools, StoredPicture } from './picture-tools.ts';
import { chooseFace, type FaceTools } from './read-face.ts';

type WalkTools = PictureTools & Pick<FaceTools, 'simulateMask'>;
const TRACK = 0;

/** What all encoders make of the most central face of a picture: what enrolling it would store. */
export async function readTemplates(
  { file }: Omit<TemplatesTask, 'kind'>,
  tools: WalkTools,
): Promise<TemplatesOutcome> {
  return await withPicture(file, tools, async (picture) => {
    const chosen = chooseFace(await tools.analyser.detect(picture), picture, 'central');
    const described = chosen ? await tools.analyser.describe(picture, [chosen]) : [];
    const [templates = []] = await tools.analyser.embedTemplates(picture, described);
    return { templates, reason: templates.length > 0 ? null : 'no face was found' };
  });
}

/**
 * Has the person of a picture walk by a camera: what the chain of the daemon makes of each frame, with the mask state
 * remembered over the frames as the daemon does. With `masked` they wear a simulated mask, one for the whole track.
 */
export async function walkBy(task: Omit<WalkTask, 'kind'>, tools: WalkTools): Promise<WalkOutcome> {
  const { file, name, seed, plan, masked } = task;
  return await withPicture(file, tools, async (picture) => {
    const shown = masked ? await maskOn(picture, `${seed} ${name}`, tools) : picture;
    if (!shown) return { looks: null, reason: 'no face was found' };
    try {
      return { looks: await walk(shown, { seed, name, plan }, tools), reason: null };
    } finally {
      if (shown !== picture) shown.release();
    }
  });
}

async function walk(
  picture: Picture,
  { seed, name, plan }: Pick<WalkTask, 'seed' | 'name' | 'plan'>,
  { analyser, decode, encode }: WalkTools,
): Promise<(StreamLook | null)[]> {
  const masks = new MaskMemory();
  const looks: (StreamLook | null)[] = [];
  for (const [index, frame] of walkFrames(picture, plan, seedOf(seed, name)).entries()) {
    const [rgb] = await picture.cut([{ matrix: frame.matrix, ...plan.frame, colour: 'rgb' }]);
    if (!rgb) throw new Error('a picture gave no crop');
    spoil(rgb, plan.frame, frame, seedOf(seed + index, name));
    const seen = await decode(await encode(rgb, plan.frame, '.jpg', frame.jpegQuality), `${name} ${index}`);
    try {
      const chosen = chooseFace(await analyser.detect(seen), seen, 'largest');
      const [face] = chosen ? await analyser.describe(seen, [chosen]) : [];
      if (!face) {
        looks.push(null);
        continue;
      }
      const mask = masks.see(TRACK, face.mask);
      const [embedding = null] = await analyser.embed(seen, [{ ...face, mask }]);
      // Of the mask what the models say: the pipeline remembers by itself.
      looks.push({ face, embedding, encodedAs: mask });
    } finally {
      seen.release();
    }
  }
  return looks;
}

async function maskOn(picture: StoredPicture, seed: string, tools: WalkTools): Promise<StoredPicture | null> {
  const chosen = chooseFace(await tools.analyser.detect(picture), picture, 'central');
  const [face] = chosen ? await tools.analyser.describe(picture, [chosen]) : [];
  return face ? await tools.simulateMask(picture, face, seed) : null;
}

async function withPicture<T extends object>(
  file: string,
  { decode }: WalkTools,
  use: (picture: StoredPicture) => Promise<T>,
): Promise<T | { templates: null; looks: null; reason: string }> {
  let picture: StoredPicture;
  try {
    picture = await decode(await readFile(file), file);
  } catch (error) {
    if (error instanceof EyelineError && error.code !== 'PICTURE_REFUSED') throw error;
    return { templates: null, looks: null, reason: messageOf(error) };
  }
  try {
    return await use(picture);
  } finally {
    picture.release();
  }
}
