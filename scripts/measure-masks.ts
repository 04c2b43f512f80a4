/**
 * Measures what simulated masks do to the chain: the share of faces that the detector still finds at the configured
 * threshold, and how far the eye centres move, in distances between the eyes. The largest face of each picture counts;
 * pictures are a seeded sample of a folder and those in it.
 *
 *   node --import tsx scripts/measure-masks.ts --pictures DIR [--sample 300] [--seed 1] [--config FILE]
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { decodePicture, rgbPicture } from '../src/capture/opencv-picture.ts';
import { loadConfig } from '../src/config/load.ts';
import { iou } from '../src/core/geometry.ts';
import { silentLogger } from '../src/core/logger.ts';
import { seededRandom, seedOf } from '../src/core/seeded-random.ts';
import { requireIbug } from '../src/faces/landmarks.ts';
import { putMaskOn } from '../src/faces/mask/put-mask-on.ts';
import { randomMask } from '../src/faces/mask/random-mask.ts';
import { findPictureTree } from '../src/pictures/picture-tree.ts';
import { openFaceAnalyser } from '../src/wiring/open-faces.ts';

/** Boxes that overlap more than this are of the same face. */
const SAME_FACE_IOU = 0.3;

const { values } = parseArgs({
  options: {
    pictures: { type: 'string' },
    sample: { type: 'string', default: '300' },
    seed: { type: 'string', default: '1' },
    config: { type: 'string' },
  },
});
if (!values.pictures) throw new Error('--pictures DIR is missing');
const seed = Number(values.seed);
const { config } = await loadConfig({ ...(values.config ? { file: values.config } : {}), env: process.env });
const chain = await openFaceAnalyser(config, silentLogger);
const { pictures } = await findPictureTree(values.pictures);
const sample = pictures
  .map((picture) => ({ picture, rank: seedOf(seed, picture) }))
  .sort((a, b) => a.rank - b.rank)
  .slice(0, Number(values.sample));

const groups = new Map<string, { faces: number; found: number; moved: number[]; ms: number }>();
for (const { picture: name, rank } of sample) {
  const picture = await decodePicture(await readFile(join(values.pictures, name)), name);
  const [largest] = (await chain.analyser.detect(picture)).sort(
    (a, b) => b.box.width * b.box.height - a.box.width * a.box.height,
  );
  const [face] = largest ? await chain.analyser.describe(picture, [largest]) : [];
  if (!face) continue;
  const spec = randomMask(seededRandom(rank));
  const size = { width: picture.width, height: picture.height };
  const rgb = await picture.fit(size);
  const started = performance.now();
  const { rgb: masked, mask } = putMaskOn(rgb, size, requireIbug(face.landmarks), spec);
  const ms = performance.now() - started;
  const covered = rgbPicture(masked, size);
  const [again] = (await chain.analyser.detect(covered))
    .filter(({ box }) => iou(box, face.box) > SAME_FACE_IOU)
    .sort((a, b) => iou(b.box, face.box) - iou(a.box, face.box));
  const [seen] = again ? await chain.analyser.describe(covered, [again]) : [];
  for (const key of ['all', `type ${mask.type}`, `state ${mask.state}`]) {
    const group = groups.get(key) ?? { faces: 0, found: 0, moved: [], ms: 0 };
    groups.set(key, group);
    group.faces++;
    group.ms += ms;
    if (!seen) continue;
    group.found++;
    const [left, right] = face.landmarks.five;
    const [leftNow, rightNow] = seen.landmarks.five;
    const apart = Math.hypot(right.x - left.x, right.y - left.y);
    group.moved.push(
      Math.hypot(leftNow.x - left.x, leftNow.y - left.y) / apart,
      Math.hypot(rightNow.x - right.x, rightNow.y - right.y) / apart,
    );
  }
  picture.release();
  covered.release();
}
await chain.close();

const rounded = (value: number) => Math.round(value * 1e4) / 1e4;
for (const [key, { faces, found, moved, ms }] of [...groups].sort()) {
  const sorted = moved.sort((a, b) => a - b);
  const quantile = (share: number) => rounded(sorted[Math.floor(share * sorted.length)] ?? Number.NaN);
  console.log(
    JSON.stringify({
      masks: key,
      faces,
      foundShare: rounded(found / faces),
      eyesMoved: { median: quantile(0.5), p90: quantile(0.9) },
      msPerFace: rounded(ms / faces),
    }),
  );
}
