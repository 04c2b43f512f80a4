/**
 * Measures how an encoder's similarities come out on a folder a person: every picture against every other, for the
 * `calibration` of a manifest. Of several faces in a picture the one nearest its centre counts; pictures without a face,
 * and faces the daemon would not look at, are left out and counted.
 *
 *   node --import tsx scripts/measure-encoder.ts --people DIR [--config FILE] [--part full|upper]
 *
 * With `--part upper` it measures `models.upperEncoder` on faces without a mask.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { decodePicture } from '../src/capture/opencv-picture.ts';
import { loadConfig } from '../src/config/load.ts';
import { silentLogger } from '../src/core/logger.ts';
import type { Detection } from '../src/faces/detect.ts';
import { openFaceAnalyser } from '../src/wiring/open-faces.ts';

const RATES = [1e-2, 1e-3, 1e-4, 1e-5];
/** Similarities are counted in steps of this. */
const STEP = 0.0005;
const STEPS = Math.round(2 / STEP) + 1;

const { values } = parseArgs({
  options: { people: { type: 'string' }, config: { type: 'string' }, part: { type: 'string', default: 'full' } },
});
if (!values.people) throw new Error('--people DIR is missing');
const { config } = await loadConfig({ ...(values.config ? { file: values.config } : {}), env: process.env });
const chain = await openFaceAnalyser(config, silentLogger);

const embeddings: Float32Array[] = [];
const owners: number[] = [];
const left = { withoutFace: 0, poor: 0 };
const people = (await readdir(values.people)).sort();
for (const [owner, person] of people.entries()) {
  for (const file of (await readdir(join(values.people, person))).sort()) {
    const path = join(values.people, person, file);
    const picture = await decodePicture(await readFile(path), path);
    const offCentre = ({ box }: Detection) =>
      Math.hypot(box.x + (box.width - picture.width) / 2, box.y + (box.height - picture.height) / 2);
    const central = (await chain.analyser.detect(picture)).sort((a, b) => offCentre(a) - offCentre(b)).slice(0, 1);
    const faces = await chain.analyser.describe(picture, central);
    const good = faces.filter(({ quality }) => quality.score >= config.recognition.minQuality);
    const [made = []] = await chain.analyser.embedTemplates(picture, good);
    picture.release();
    const embedding = made.find(({ part }) => part === values.part)?.embedding;
    if (embedding) {
      embeddings.push(embedding);
      owners.push(owner);
    } else if (faces.length > 0) left.poor++;
    else left.withoutFace++;
  }
}
await chain.close();

const counts = { same: new Float64Array(STEPS), different: new Float64Array(STEPS) };
embeddings.forEach((first, a) => {
  for (let b = a + 1; b < embeddings.length; b++) {
    const second = embeddings[b] ?? first;
    let score = 0;
    for (let at = 0; at < first.length; at++) score += (first[at] ?? 0) * (second[at] ?? 0);
    const kind = owners[a] === owners[b] ? 'same' : 'different';
    const step = Math.min(STEPS - 1, Math.max(0, Math.floor((score + 1) / STEP)));
    counts[kind][step] = (counts[kind][step] ?? 0) + 1;
  }
});
const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0);
const [same, different] = [sum(counts.same), sum(counts.different)];
const points = RATES.map((rate) => {
  let step = STEPS;
  let accepted = 0;
  while (step > 0 && accepted + (counts.different[step - 1] ?? 0) <= rate * different) {
    accepted += counts.different[--step] ?? 0;
  }
  const threshold = Math.round((step * STEP - 1) * 1e4) / 1e4;
  return { threshold, far: rate, tar: Math.round((sum(counts.same.subarray(step)) / same) * 1e4) / 1e4 };
});
console.log(
  JSON.stringify({ people: people.length, pictures: embeddings.length, left, same, different, points }, null, 2),
);
