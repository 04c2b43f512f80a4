/**
 * Measures what the closer look of a detector (`detection.closerLook`) finds: scenes of 1280x720 are laid out of faces of people who
 * are held out of training, with masks on, from 11 pixels on; in every third scene all heads are covered. Told is the share of faces
 * found at the score at which so many of 1,000 scenes have a false find, and how well boxes cover the faces. `--light` is the share of
 * scenes in another light.
 *
 *   eyeline train masked-detector --data ../shared/data/lfw/train ../shared/data/celeba/train   # prepares them; Ctrl-C when it trains
 *   node --import tsx scripts/measure-closer-look.ts --prepared runs/cache/SET [--detector rfb-320-masked] [--light 0] [--scenes 360]
 */
import { parseArgs } from 'node:util';
import { loadOpencv } from '../src/capture/opencv.ts';
import { rgbPicture } from '../src/capture/opencv-picture.ts';
import { splitOf } from '../src/commands/train/split-faces.ts';
import { configSchema } from '../src/config/schema.ts';
import { loadRecipe } from '../src/config/training-recipe.ts';
import { type Box, iou } from '../src/core/geometry.ts';
import { silentLogger } from '../src/core/logger.ts';
import type { FaceAnalyser } from '../src/faces/face-analyser.ts';
import { detectorSampler, KNOWN_FACES } from '../src/training/data/detector-sampler.ts';
import { FaceStore } from '../src/training/data/face-store.ts';
import { type PixelScale, readPlanes } from '../src/training/data/sampler.ts';
import { openFaceAnalyser } from '../src/wiring/open-faces.ts';

const SIZE = { width: 1280, height: 720 };
const PIXELS: PixelScale = { colour: 'rgb', mean: [127, 127, 127], scale: [1 / 128, 1 / 128, 1 / 128] };
/** Scenes made at once: each is ten megabytes, twice. */
const BATCH = 4;
const SMALL_PX = 80;
const RATES = [1, 3, 10];
/** Overlaps from which a find is of a face, and up to which it is of none. */
const [ON_FACE, BESIDE] = [0.4, 0.15];
/** Scores from here on count, and what the reference is so sure of is a face of somebody in the background. */
const [LOW, SURE] = [0.05, 0.5];

const { values } = parseArgs({
  options: {
    prepared: { type: 'string' },
    detector: { type: 'string', default: 'rfb-320-masked' },
    light: { type: 'string', default: '0' },
    scenes: { type: 'string', default: '360' },
  },
});
if (!values.prepared) throw new Error('--prepared DIR is missing');
loadOpencv().setNumThreads(1);
const faces = await FaceStore.open(values.prepared);
const { recipe } = await loadRecipe('masked-detector');
if (recipe.kind !== 'detector') throw new Error('masked-detector is no recipe for a detector');
const sampler = detectorSampler(faces, {
  faces: splitOf(faces, recipe).validation,
  batch: BATCH,
  seed: recipe.seed + 1,
  input: SIZE,
  pixels: PIXELS,
  masked: 1,
  tight: 0,
  several: 1,
  empty: 0,
  faceless: 0.3,
  degradation: { ...recipe.degradation, lightShare: Number(values.light) },
});

async function chain(detector: string, most: number): Promise<FaceAnalyser> {
  const config = configSchema.parse({ models: { detector }, detection: { minFacePx: 1, closerLook: { most } } });
  return (await openFaceAnalyser(config, silentLogger, { runIn: 'this-thread', lowScore: LOW })).analyser;
}

interface Found {
  readonly scores: { score: number; small: boolean }[];
  readonly overlaps: number[];
  /** Best false find of each scene. */
  readonly wrong: number[];
}

const reference = await chain('rfb-320', 0);
const looks = [0, configSchema.parse({}).detection.closerLook.most];
const chains = await Promise.all(looks.map((most) => chain(values.detector, most)));
const found: Found[] = looks.map(() => ({ scores: [], overlaps: [], wrong: [] }));
const length = 3 * SIZE.width * SIZE.height;

for (let number = 0; number < Number(values.scenes) / BATCH; number++) {
  const { input, plain, known, covered } = sampler.batch(number);
  if (!input || !plain || !known || !covered) throw new Error('a batch lacks a part');
  for (let row = 0; row < BATCH; row++) {
    const picture = (planes: typeof input) =>
      rgbPicture(readPlanes(planes.data as Float32Array, PIXELS, SIZE, row * length).rgb, SIZE);
    const [masked, bare] = [picture(input), picture(plain)];
    const heads = boxesOf(covered.data as Float32Array, row);
    const there = boxesOf(known.data as Float32Array, row);
    const strangers = (await reference.detect(bare))
      .filter(({ box, score }) => score >= SURE && heads.every((head) => iou(head, box) <= BESIDE))
      .map(({ box }) => box);
    for (const [which, { scores, overlaps, wrong }] of found.entries()) {
      const finds = (await chains[which]?.detect(masked)) ?? [];
      for (const face of there) {
        const [best] = finds.filter(({ box }) => iou(box, face) > ON_FACE);
        scores.push({ score: best?.score ?? 0, small: Math.min(face.width, face.height) < SMALL_PX });
        if (best) overlaps.push(iou(best.box, face));
      }
      const beside = finds.filter(({ box }) => [...there, ...strangers].every((face) => iou(face, box) < BESIDE));
      wrong.push(beside[0]?.score ?? 0);
    }
    masked.release();
    bare.release();
  }
}

for (const [which, { scores, overlaps, wrong }] of found.entries()) {
  wrong.sort((a, b) => b - a);
  const rates = RATES.map((per1000) => {
    const threshold = wrong[Math.floor((per1000 * wrong.length) / 1000)] ?? 0;
    const share = (of: typeof scores) => percent(of.filter(({ score }) => score > threshold).length / of.length);
    return `${share(scores)}, below ${SMALL_PX} px ${share(scores.filter(({ small }) => small))} at ${per1000} in 1000 (score ${threshold.toFixed(3)})`;
  });
  const overlap = overlaps.reduce((sum, value) => sum + value, 0) / overlaps.length;
  console.log(
    `${looks[which] === 0 ? 'one look   ' : 'closer look'} ${rates.join('; ')}; boxes overlap ${overlap.toFixed(3)}`,
  );
}
console.log(`${found[0]?.scores.length} faces in ${found[0]?.wrong.length} scenes`);
process.exit(0);

/** Boxes of a scene, pixels; corners in 0..1 in rows of KNOWN_FACES, zeros where there is none. */
function boxesOf(corners: Float32Array, row: number): Box[] {
  const boxes: Box[] = [];
  for (let at = row * KNOWN_FACES; at < (row + 1) * KNOWN_FACES; at++) {
    const [left = 0, top = 0, right = 0, bottom = 0] = corners.subarray(4 * at, 4 * at + 4);
    if (right <= left) continue;
    boxes.push({
      x: left * SIZE.width,
      y: top * SIZE.height,
      width: (right - left) * SIZE.width,
      height: (bottom - top) * SIZE.height,
    });
  }
  return boxes;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
