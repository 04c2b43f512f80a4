/**
 * Measures how often the face chain finds the face of a tight crop, and its eyes, by the border put around the crop: the
 * default of `eyeline eval identify --pad`. Crops are made of the first picture of each person of a folder: the box of the
 * detector, with and without a simulated mask, stretched to a square as face data sets come. The eyes are found when both
 * are within a tenth of their distance of where they are in the whole picture, without a mask.
 *
 *   node --import tsx scripts/measure-padding.ts --people ../shared/data/lfw/train [--limit 1000]
 */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { decodePicture, rgbPicture } from '../src/capture/opencv-picture.ts';
import { configSchema } from '../src/config/schema.ts';
import { apply, boxToCrop, type Point } from '../src/core/geometry.ts';
import { silentLogger } from '../src/core/logger.ts';
import type { Picture } from '../src/core/picture.ts';
import { PaddedPicture } from '../src/evaluation/padded-picture.ts';
import { readPeopleFolder } from '../src/evaluation/people-folder.ts';
import type { Face } from '../src/faces/face-analyser.ts';
import { chooseFace } from '../src/pictures/read-face.ts';
import { simulateMask } from '../src/pictures/simulate-mask.ts';
import { openFaceAnalyser } from '../src/wiring/open-faces.ts';

const PADS = [0, 0.1, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.75, 1];
const SIDES = [128, 160];
/** Share of the distance between the eyes. */
const EYES_WITHIN = 0.1;

const { values } = parseArgs({ options: { people: { type: 'string' }, limit: { type: 'string', default: '1000' } } });
if (!values.people) throw new Error('--people DIR is missing');
const { people } = await readPeopleFolder(values.people);
const { analyser, close } = await openFaceAnalyser(configSchema.parse({}), silentLogger);
const faces = new Map<string, number>();
const eyes = new Map<string, number>();
let crops = 0;

/** Looks for a face known from the whole picture in the crop of its box, at every border. */
async function look(kind: string, picture: Picture, known: Face): Promise<void> {
  for (const side of SIDES) {
    const size = { width: side, height: side };
    const matrix = boxToCrop(known.box, size);
    const [pixels] = await picture.cut([{ ...size, matrix, colour: 'rgb' }]);
    if (!pixels) throw new Error('no crop');
    const [left, right] = known.landmarks.five.map((point) => apply(matrix, point));
    const crop = rgbPicture(pixels, size);
    for (const pad of PADS) {
      const padded = new PaddedPicture(crop, pad);
      const chosen = chooseFace(await analyser.detect(padded), padded, 'largest');
      // Half of the crop's side: the face and not a nostril.
      if (!chosen || chosen.box.width < side / 2) continue;
      count(faces, `${kind} ${side} ${pad}`);
      const [face] = await analyser.describe(padded, [chosen]);
      if (!face || !left || !right) continue;
      const border = Math.round(side * pad);
      const [foundLeft, foundRight] = face.landmarks.five;
      const off = (found: Point, truth: Point) => Math.hypot(found.x - border - truth.x, found.y - border - truth.y);
      const limit = EYES_WITHIN * Math.hypot(right.x - left.x, right.y - left.y);
      if (off(foundLeft, left) <= limit && off(foundRight, right) <= limit) count(eyes, `${kind} ${side} ${pad}`);
    }
    crop.release();
  }
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

for (const { plain } of people.slice(0, Number(values.limit))) {
  const file = plain[0] ?? '';
  const picture = await decodePicture(await readFile(file), file);
  const chosen = chooseFace(await analyser.detect(picture), picture, 'central');
  const [face] = chosen ? await analyser.describe(picture, [chosen]) : [];
  if (face) {
    crops++;
    await look('plain ', picture, face);
    const masked = await simulateMask(picture, face, file.split('/').at(-1) ?? '', { rgbPicture });
    await look('masked', masked, face);
    masked.release();
  }
  picture.release();
}
await close();

for (const [what, counts] of [
  ['face', faces],
  ['face and its eyes', eyes],
] as const) {
  console.log(`share of ${crops} crops whose ${what} is found, by border`);
  console.log(['             ', ...PADS].join('\t'));
  for (const kind of ['plain ', 'masked']) {
    for (const side of SIDES) {
      const shares = PADS.map((pad) => ((counts.get(`${kind} ${side} ${pad}`) ?? 0) / crops).toFixed(3));
      console.log([`${kind} ${side} px`, ...shares].join('\t'));
    }
  }
}
