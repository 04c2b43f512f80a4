/**
 * Measures how the boxes of detectors differ from those of rfb-320: by how much theirs must grow on each side, in shares
 * of their own size, to be the same; medians over the pictures of a folder a person in which both see one face. What
 * landmark models are given must look like what they were trained on.
 *
 *   node --import tsx scripts/measure-boxes.ts --people ../shared/data/lfw/train [--limit 500] [--detectors a,b]
 */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { decodePicture } from '../src/capture/opencv-picture.ts';
import { configSchema } from '../src/config/schema.ts';
import { silentLogger } from '../src/core/logger.ts';
import { quantile, rounded } from '../src/core/statistics.ts';
import { readPeopleFolder } from '../src/evaluation/people-folder.ts';
import { chooseFace } from '../src/pictures/read-face.ts';
import { openFaceAnalyser } from '../src/wiring/open-faces.ts';

const SIDES = ['left', 'top', 'right', 'bottom'] as const;

const { values } = parseArgs({
  options: {
    people: { type: 'string' },
    limit: { type: 'string', default: '500' },
    detectors: { type: 'string', default: 'blazeface-back,mtcnn' },
  },
});
if (!values.people) throw new Error('--people DIR is missing');
const { people } = await readPeopleFolder(values.people);
const chainOf = (detector: string) => openFaceAnalyser(configSchema.parse({ models: { detector } }), silentLogger);
const reference = await chainOf('rfb-320');
for (const detector of values.detectors.split(',')) {
  const other = await chainOf(detector);
  const grow = new Map(SIDES.map((side) => [side, [] as number[]]));
  for (const { plain } of people.slice(0, Number(values.limit))) {
    const file = plain[0] ?? '';
    const picture = await decodePicture(await readFile(file), file);
    const wanted = chooseFace(await reference.analyser.detect(picture), picture, 'central')?.box;
    const found = chooseFace(await other.analyser.detect(picture), picture, 'central')?.box;
    picture.release();
    if (!wanted || !found) continue;
    grow.get('left')?.push((found.x - wanted.x) / found.width);
    grow.get('top')?.push((found.y - wanted.y) / found.height);
    grow.get('right')?.push((wanted.x + wanted.width - found.x - found.width) / found.width);
    grow.get('bottom')?.push((wanted.y + wanted.height - found.y - found.height) / found.height);
  }
  const medians = SIDES.map((side) => `${side} ${rounded(quantile(grow.get(side) ?? [], 0.5) ?? Number.NaN, 3)}`);
  console.log(`${detector}: ${medians.join(', ')} (${grow.get('left')?.length} faces)`);
  await other.close();
}
await reference.close();
