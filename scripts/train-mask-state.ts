/**
 * Trains the mask-state model on pictures of people without masks, on which masks are drawn, and on photographs of people with
 * real masks; writes the ONNX file and its card.
 *
 *   node --import tsx scripts/train-mask-state.ts --plain DIR[,DIR…] --real DIR --out models/mask-state.onnx \
 *     [--cache FILE] [--steps N] [--batch N] [--seed N] [--people N] [--limit N] [--real-share X] [--threads N]
 *
 * `--plain`: folders with a folder a person, of which the first `--people` are taken, `--limit` pictures of each; `--real`: a folder of pictures whose largest face wears a mask. A twentieth of the
 * people is held out and judged by. The same pictures and options give the same file on the same machine.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { decodePicture, type OpencvPicture, rgbPicture } from '../src/capture/opencv-picture.ts';
import { configSchema } from '../src/config/schema.ts';
import { type Box, boxToCrop } from '../src/core/geometry.ts';
import { silentLogger } from '../src/core/logger.ts';
import { seededRandom, seedOf } from '../src/core/seeded-random.ts';
import { PaddedPicture } from '../src/evaluation/padded-picture.ts';
import { requireIbug } from '../src/faces/landmarks.ts';
import type { MaskFit } from '../src/faces/mask/mask-spec.ts';
import { putMaskOn } from '../src/faces/mask/put-mask-on.ts';
import { randomMask } from '../src/faces/mask/random-mask.ts';
import { openGraph } from '../src/inference/onnxruntime-model.ts';
import { maskNetworkFile } from '../src/training/mask-state/mask-network.ts';
import { type MaskExample, PATCH_EXTENT, PATCH_PX } from '../src/training/mask-state/mask-samples.ts';
import { trainMaskState } from '../src/training/mask-state/train-mask-state.ts';
import { openFaceAnalyser } from '../src/wiring/open-faces.ts';

const { values } = parseArgs({
  options: {
    plain: { type: 'string' },
    real: { type: 'string' },
    out: { type: 'string' },
    cache: { type: 'string' },
    steps: { type: 'string', default: '2500' },
    batch: { type: 'string', default: '96' },
    seed: { type: 'string', default: '1' },
    people: { type: 'string', default: '1500' },
    limit: { type: 'string', default: '2' },
    threads: { type: 'string', default: '1' },
    'real-share': { type: 'string', default: '0.3' },
  },
});
if (!values.plain || !values.out) throw new Error('--plain and --out are missing');
const [steps = 0, batch = 0, seed = 1, people, limit, threads = 1] = [
  values.steps,
  values.batch,
  values.seed,
  values.people,
  values.limit,
  values.threads,
].map(Number);
/** How a mask is worn, by state. */
const FITS: readonly [state: number, fits: readonly MaskFit[]][] = [
  [1, ['high', 'normal']],
  [2, ['low']],
];
const HELD_SHARE = 20;

const chain = await openFaceAnalyser(configSchema.parse({ models: { maskState: null } }), silentLogger, {
  runIn: 'this-thread',
});
const examples: MaskExample[] = [];
const counts = { pictures: 0, withoutFace: 0 };
const startedMs = performance.now();
const META = 5;
if (values.cache && existsSync(values.cache)) readCache(await readFile(values.cache));
else {
  let group = 0;
  for (const folder of values.plain.split(',')) {
    for (const person of (await readdir(folder)).sort().slice(0, people)) {
      group++;
      // Many pictures of one person teach little.
      for (const file of (await readdir(join(folder, person))).sort().slice(0, limit)) {
        await addPlain(join(folder, person, file), group);
      }
    }
  }
  for (const file of values.real ? (await readdir(values.real, { recursive: true })).sort() : []) {
    if (/\.(jpe?g|png)$/i.test(file)) await addReal(join(values.real ?? '', file), ++group);
  }
  if (values.cache) await writeFile(values.cache, cacheOf(examples));
}
await chain.close();
console.error(`${examples.length} faces in ${((performance.now() - startedMs) / 1000).toFixed(0)} s`, counts);

const isHeld = ({ group }: MaskExample) => seedOf(7, String(group)) % HELD_SHARE === 0;
const train = examples.filter((example) => !isHeld(example));
const held = examples.filter(isHeld);
let mean = 0;
const result = await trainMaskState({
  train,
  held,
  steps,
  batch,
  learningRate: 0.002,
  seed,
  realShare: Number(values['real-share']),
  open: (onnx, name) => openGraph(onnx, { providers: ['cpu'], threads, steady: true }, name),
  onStep: (step, loss) => {
    mean = step === 1 ? loss : 0.98 * mean + 0.02 * loss;
    if (step % 100 === 0)
      console.error(`step ${step}: loss ${mean.toFixed(4)}, ${((performance.now() - startedMs) / 1000).toFixed(0)} s`);
  },
});
const onnx = maskNetworkFile(result.values);
await writeFile(values.out, onnx);
console.log(
  JSON.stringify({
    file: values.out,
    bytes: onnx.length,
    sha256: createHash('sha256').update(onnx).digest('hex'),
    trainedOn: train.length,
    real: train.filter(({ real }) => real).length,
    held: held.length,
    confusion: result.held,
    steps,
    batch,
    seed,
    seconds: Math.round((performance.now() - startedMs) / 1000),
  }),
);

async function addPlain(file: string, group: number): Promise<void> {
  counts.pictures++;
  if (counts.pictures % 200 === 0)
    console.error(`${counts.pictures} pictures, ${((performance.now() - startedMs) / 1000).toFixed(0)} s`);
  const picture = await decodePicture(await readFile(file), file);
  try {
    const face = await largestFace(picture);
    if (!face) {
      counts.withoutFace++;
      return;
    }
    await add(picture, face.box, 0, group, false);
    const size = { width: picture.width, height: picture.height };
    const rgb = await picture.fit(size);
    for (const [state, fits] of FITS) {
      const spec = randomMask(seededRandom(seedOf(state, file)), { fits });
      const masked = rgbPicture(putMaskOn(rgb, size, requireIbug(face.landmarks), spec).rgb, size);
      // Where the detector finds it with the mask on; where it does not, about where it was.
      const found = await largestFace(masked);
      await add(masked, found && overlaps(found.box, face.box) ? found.box : face.box, state, group, false);
      masked.release();
    }
  } finally {
    picture.release();
  }
}

async function addReal(file: string, group: number): Promise<void> {
  counts.pictures++;
  const picture = await decodePicture(await readFile(file), file);
  try {
    const found = await largestFace(picture);
    if (found) await add(picture, found.box, 1, group, true);
    else counts.withoutFace++;
  } finally {
    picture.release();
  }
}

/** The largest face; where there is none, of the picture with a border. */
async function largestFace(picture: OpencvPicture) {
  for (const looked of [picture, new PaddedPicture(picture, 0.35)]) {
    const found = (await chain.analyser.detect(looked)).sort((a, b) => b.box.width - a.box.width).slice(0, 1);
    const [face] = await chain.analyser.describe(looked, found);
    if (!face) continue;
    if (looked === picture) return face;
    const [left, top] = [Math.round(picture.width * 0.35), Math.round(picture.height * 0.35)];
    return { ...face, box: { ...face.box, x: face.box.x - left, y: face.box.y - top } };
  }
  return null;
}

async function add(picture: OpencvPicture, box: Box, state: number, group: number, real: boolean): Promise<void> {
  const more = (PATCH_EXTENT - 1) / 2;
  const around = {
    x: box.x - more * box.width,
    y: box.y - more * box.height,
    width: box.width * PATCH_EXTENT,
    height: box.height * PATCH_EXTENT,
  };
  const size = { width: PATCH_PX, height: PATCH_PX };
  const [patch] = await picture.cut([{ ...size, matrix: boxToCrop(around, size), colour: 'grey' }]);
  if (patch) examples.push({ patch: new Uint8Array(patch), state, group, real });
}

function overlaps(a: Box, b: Box): boolean {
  return Math.hypot(a.x + a.width / 2 - b.x - b.width / 2, a.y + a.height / 2 - b.y - b.height / 2) < b.width / 2;
}

function cacheOf(all: readonly MaskExample[]): Uint8Array {
  const bytes = Buffer.alloc(all.length * (META + PATCH_PX ** 2));
  all.forEach(({ patch, state, group, real }, index) => {
    const at = index * (META + PATCH_PX ** 2);
    bytes.writeUInt8(state + (real ? 8 : 0), at);
    bytes.writeUInt32LE(group, at + 1);
    bytes.set(patch, at + META);
  });
  return bytes;
}

function readCache(bytes: Buffer): void {
  for (let at = 0; at < bytes.length; at += META + PATCH_PX ** 2) {
    const flags = bytes.readUInt8(at);
    const patch = new Uint8Array(bytes.subarray(at + META, at + META + PATCH_PX ** 2));
    examples.push({ patch, state: flags & 7, group: bytes.readUInt32LE(at + 1), real: flags >= 8 });
  }
}
