/**
 * Measures how often the face chain finds the face of a tight crop, by the border put around the crop: the default of
 * `eyeline eval identify --pad`. Crops are made of the first picture of each person of a folder: the box of the detector,
 * with and without a simulated mask, stretched to a square as face data sets come.
 *
 *   node --import tsx scripts/measure-padding.ts --people ../shared/data/lfw/train [--limit 1000]
 */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { openFaceAnalyser } from '../src/app.ts';
import { decodePicture, rgbPicture } from '../src/capture/opencv-picture.ts';
import { simulateMask } from '../src/commands/eval/simulate-mask.ts';
import { configSchema } from '../src/config/schema.ts';
import { boxToCrop } from '../src/core/geometry.ts';
import { silentLogger } from '../src/core/logger.ts';
import type { Picture } from '../src/core/picture.ts';
import { chooseFace } from '../src/evaluation/analysed-face-source.ts';
import { PaddedPicture } from '../src/evaluation/padded-picture.ts';
import { readPeopleFolder } from '../src/evaluation/people-folder.ts';

const PADS = [0, 0.1, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.75, 1];
const SIDES = [128, 160];

const { values } = parseArgs({ options: { people: { type: 'string' }, limit: { type: 'string', default: '1000' } } });
if (!values.people) throw new Error('--people DIR is missing');
const { people } = await readPeopleFolder(values.people);
const { analyser, close } = await openFaceAnalyser(configSchema.parse({}), silentLogger);
const found = new Map<string, number>();
let crops = 0;

/** Looks for the face in the box of `picture`, cut out and stretched, at every border. */
async function look(kind: string, picture: Picture, box: Parameters<typeof boxToCrop>[0]): Promise<void> {
  for (const side of SIDES) {
    const size = { width: side, height: side };
    const [pixels] = await picture.cut([{ ...size, matrix: boxToCrop(box, size), colour: 'rgb' }]);
    if (!pixels) throw new Error('no crop');
    const crop = rgbPicture(pixels, size);
    for (const pad of PADS) {
      const faces = await analyser.detect(new PaddedPicture(crop, pad));
      const key = `${kind} ${side} ${pad}`;
      // Half of the crop's side: the face and not a nostril.
      if (faces.some((face) => face.box.width > side / 2)) found.set(key, (found.get(key) ?? 0) + 1);
    }
    crop.release();
  }
}

for (const { plain } of people.slice(0, Number(values.limit))) {
  const file = plain[0] ?? '';
  const picture = await decodePicture(await readFile(file), file);
  const chosen = chooseFace(await analyser.detect(picture), picture, 'central');
  const [face] = chosen ? await analyser.describe(picture, [chosen]) : [];
  if (face) {
    crops++;
    await look('plain ', picture, face.box);
    const masked = await simulateMask(picture, face, file.split('/').at(-1) ?? '');
    await look('masked', masked, face.box);
    masked.release();
  }
  picture.release();
}
await close();

console.log(`${crops} people; share of crops whose face is found`);
console.log(['pad           ', ...PADS].join('\t'));
for (const kind of ['plain ', 'masked']) {
  for (const side of SIDES) {
    const shares = PADS.map((pad) => ((found.get(`${kind} ${side} ${pad}`) ?? 0) / crops).toFixed(3));
    console.log([`${kind} ${side} px`, ...shares].join('\t'));
  }
}
