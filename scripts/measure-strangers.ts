/**
 * How often strangers reach the scores that stand for a false accept rate: what is claimed, checked on people and masks it was not
 * measured on.
 *
 *   node --import tsx scripts/measure-strangers.ts --encoder ID --probes DIR[:masked|:plain] --templates DIR[:plain]
 *     [--mask worn|none] [--limit 2000]
 *
 * With a kind, a folder holds a folder a person, with `masked/` and `plain/` in it: tight crops. Without one, pictures at even
 * distances from everything below it; those of one folder are taken for one person where both sides are the same folder.
 * Prints, for each rate, the score and the share of comparisons of different people that reach it.
 */
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { openEvaluation } from '../src/commands/eval/open-evaluation.ts';
import { TIGHT_CROP_PAD } from '../src/commands/eval/tight-crops.ts';
import { loadConfig } from '../src/config/load.ts';
import { silentLogger } from '../src/core/logger.ts';
import { cropsTaken } from '../src/evaluation/face-source.ts';
import { readPeopleFolder } from '../src/evaluation/people-folder.ts';
import { cosine } from '../src/faces/embedding.ts';
import { curveFor, scoreAtRate } from '../src/faces/score-calibration.ts';
import { fingerprintOf } from '../src/inference/manifest.ts';
import { calibrationOf } from '../src/inference/manifest-calibration.ts';
import { createModelStore } from '../src/inference/store.ts';
import { evenly, findPictureTree } from '../src/pictures/picture-tree.ts';

const RATES = [1e-2, 1e-3, 1e-4, 1e-5];

const { values } = parseArgs({
  options: {
    encoder: { type: 'string', default: 'mobilefacenet-512-upper' },
    probes: { type: 'string' },
    templates: { type: 'string' },
    mask: { type: 'string', default: 'worn' },
    limit: { type: 'string', default: '2000' },
  },
});
const { probes, templates, mask } = values;
if (!probes || !templates) throw new Error('--probes and --templates are needed');
if (mask !== 'worn' && mask !== 'none') throw new Error('--mask must be worn or none');

const { config } = await loadConfig({ env: process.env });
const store = await createModelStore({
  dir: config.models.dir,
  extraManifest: config.models.manifest,
  logger: silentLogger,
  env: process.env,
});
const entry = store.entry(values.encoder);
const curve = curveFor(calibrationOf(entry, fingerprintOf(entry), new Map()), mask);
if (!curve) throw new Error(`${values.encoder} has no measured scores`);
const evaluation = await openEvaluation(
  {},
  {
    env: process.env,
    print: console.log,
    warn: () => {},
    signal: new AbortController().signal,
    exitWith: () => {},
    interactive: false,
  },
);
try {
  const encoder = await evaluation.models.encoder(values.encoder);
  const embedded = async (side: string) => {
    const [dir = '', kind] = side.split(':');
    const pictures =
      kind === 'masked' || kind === 'plain'
        ? (await readPeopleFolder(dir)).people.flatMap((it) => it[kind].map((file) => ({ person: it.person, file })))
        : evenly((await findPictureTree(dir)).pictures, Number(values.limit)).map((name) => ({
            person: dirname(name),
            file: join(dir, name),
          }));
    const read = await evaluation.shelf.read(
      pictures.map(({ file }) => file),
      { choose: kind ? 'largest' : 'central', pad: kind ? TIGHT_CROP_PAD : 0, ...cropsTaken(encoder), mask: null },
      () => {},
    );
    const found = read.flatMap(({ face }, index) => (face ? [{ face, picture: pictures[index] }] : []));
    const vectors = await encoder.embed(found.map(({ face }) => face));
    return found.flatMap(({ picture }, index) => {
      const vector = vectors[index];
      return vector && picture ? [{ person: `${resolve(dir)}/${picture.person}`, vector }] : [];
    });
  };
  const [looked, enrolled] = [await embedded(probes), await embedded(templates)];
  const scores = looked.flatMap((one) =>
    enrolled.filter(({ person }) => person !== one.person).map(({ vector }) => cosine(one.vector, vector)),
  );
  console.log(
    `${looked.length} probes, ${enrolled.length} templates, ${scores.length} comparisons of different people`,
  );
  for (const rate of RATES) {
    const score = scoreAtRate(curve, rate);
    const share = scores.filter((it) => it >= score).length / scores.length;
    console.log(`${rate.toExponential(0)} claimed at ${score.toFixed(3)}: ${share.toExponential(1)}`);
  }
} finally {
  await evaluation.close();
}
