import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodePicture, encodeJpeg } from '../../capture/opencv-picture.ts';
import type { Box, Size } from '../../core/geometry.ts';
import type { Picture } from '../../core/picture.ts';
import { seededRandom } from '../../core/seeded-random.ts';
import type { Face, FaceAnalyser } from '../../faces/face-analyser.ts';
import { requireIbug } from '../../faces/landmarks.ts';
import { putMaskOn } from '../../faces/mask/put-mask-on.ts';
import { randomMask } from '../../faces/mask/random-mask.ts';
import type { Scene } from './clip.ts';

/** A photo of the clip, and who of the people in it (from the left, 0 first) is enrolled; the others are strangers. */
interface Cast {
  readonly photo: string;
  readonly seconds: number;
  readonly enrolled: Readonly<Record<number, string>>;
  /** Who wears a mask for some of the seconds. */
  readonly masked?: { readonly face: number; readonly fromS: number; readonly toS: number };
}

/** The photos are of `@vladmandic/face-api` (MIT); the names are made up. */
export const CASTS: readonly Cast[] = [
  { photo: 'sample6', seconds: 10, enrolled: { 1: 'Ada', 3: 'Grace' }, masked: { face: 1, fromS: 5, toS: 9 } },
  { photo: 'sample3', seconds: 8, enrolled: { 1: 'Edith' } },
  { photo: 'sample5', seconds: 8, enrolled: {} },
];

const MASK = randomMask(seededRandom(1), { types: ['surgical'], fits: ['normal'] });

/** Margin left around a face that is cut out to be enrolled, in shares of its box. */
const MARGIN = 0.35;

/**
 * Prepares what the demo shows: a folder a person with a portrait to enrol, and the scenes of the clip.
 *
 * @param photoOf gives the path of a photo by its id
 * @param folder  where portraits (`people/<name>/`) and masked photos go
 */
export async function stagePeople(
  analyser: FaceAnalyser,
  photoOf: (photo: string) => Promise<string>,
  folder: string,
): Promise<{ peopleDir: string; scenes: Scene[]; enrolled: string[] }> {
  const peopleDir = join(folder, 'people');
  const scenes: Scene[] = [];
  const enrolled: string[] = [];
  for (const { photo, seconds, enrolled: names, masked } of CASTS) {
    const file = await photoOf(photo);
    const picture = await decodePicture(await readFile(file), file);
    try {
      const faces = await analyser.describe(picture, await analyser.detect(picture));
      faces.sort((a, b) => a.box.x - b.box.x);
      for (const [index, name] of Object.entries(names)) {
        await savePortrait(picture, faceAt(faces, Number(index), photo).box, join(peopleDir, name), `${photo}.jpg`);
        enrolled.push(name);
      }
      if (!masked) {
        scenes.push({ picture: file, seconds });
        continue;
      }
      const covered = join(folder, `${photo}-masked.jpg`);
      const size = sizeOf(picture);
      const { landmarks } = faceAt(faces, masked.face, photo);
      const { rgb } = putMaskOn(await picture.fit(size), size, requireIbug(landmarks), MASK);
      await writeFile(covered, await encodeJpeg(rgb, size));
      scenes.push({ picture: file, seconds, masked: { picture: covered, fromS: masked.fromS, toS: masked.toS } });
    } finally {
      picture.release();
    }
  }
  return { peopleDir, scenes, enrolled };
}

async function savePortrait(picture: Picture, box: Box, folder: string, name: string): Promise<void> {
  const width = Math.round(box.width * (1 + 2 * MARGIN));
  const height = Math.round(box.height * (1 + 2 * MARGIN));
  const [left, top] = [Math.round(box.x - box.width * MARGIN), Math.round(box.y - box.height * MARGIN)];
  const [rgb] = await picture.cut([{ matrix: [1, 0, -left, 0, 1, -top], width, height, colour: 'rgb' }]);
  if (!rgb) throw new Error('a portrait was not cut');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, name), await encodeJpeg(rgb, { width, height }));
}

function faceAt(faces: readonly Face[], index: number, photo: string): Face {
  const face = faces[index];
  if (!face) throw new Error(`${photo} shows ${faces.length} faces, number ${index} is not among them`);
  return face;
}

function sizeOf({ width, height }: Size): Size {
  return { width, height };
}
