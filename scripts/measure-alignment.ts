/**
 * Measures the two ways of alignment against each other: by OpenCV next to the frame, and in the encoder's graph.
 * Closeness on the pictures of a folder a person (crops in grey levels, embeddings by their cosine), and what embedding 1, 2,
 * 4 and 8 faces of a 1280x720 frame takes, from the camera's process to the features, as the daemon does it.
 *
 *   node --import tsx scripts/measure-alignment.ts [--people DIR] [--pictures 300] [--provider cpu] [--threads 1,2] [--json]
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { CameraSupervisor } from '../src/capture/camera-supervisor.ts';
import { cameraForker } from '../src/capture/fork-camera.ts';
import { decodePicture } from '../src/capture/opencv-picture.ts';
import { loadConfig } from '../src/config/load.ts';
import { systemClock } from '../src/core/clock.ts';
import type { Affine } from '../src/core/geometry.ts';
import { silentLogger } from '../src/core/logger.ts';
import type { Frame } from '../src/core/picture.ts';
import { alignToTemplate } from '../src/faces/align.ts';
import { cosine } from '../src/faces/embedding.ts';
import { cropEmbedder, frameEmbedder } from '../src/faces/face-embedder.ts';
import { fuseAlignment } from '../src/inference/graph/align-crop.ts';
import { prepareGraph } from '../src/inference/graph/prepare.ts';
import { InferenceThread } from '../src/inference/inference-thread.ts';
import { ModelBatcher } from '../src/inference/model-batcher.ts';
import { openGraph } from '../src/inference/onnxruntime-model.ts';
import { PROVIDERS } from '../src/inference/providers.ts';
import { createModelStore } from '../src/inference/store.ts';
import { openFaceAnalyser } from '../src/wiring/open-faces.ts';
import { passThrough, passThroughEntry } from '../test/inference/graphs.ts';

const FACES = [1, 2, 4, 8];
const ROUNDS = 41;

const { values } = parseArgs({
  options: {
    people: { type: 'string' },
    pictures: { type: 'string', default: '300' },
    provider: { type: 'string', default: 'cpu' },
    threads: { type: 'string', default: '1,2' },
    config: { type: 'string' },
    json: { type: 'boolean' },
  },
});
const provider = PROVIDERS.find((it) => it === values.provider);
if (!provider) throw new Error(`--provider must be one of ${PROVIDERS.join(', ')}`);
const { config } = await loadConfig({ ...(values.config ? { file: values.config } : {}), env: process.env });
const store = await createModelStore({
  dir: config.models.dir,
  extraManifest: config.models.manifest,
  logger: silentLogger,
});

const closeness = values.people ? await measureCloseness(values.people, Number(values.pictures)) : null;
const speed = await measureSpeed(values.threads.split(',').map(Number));
if (values.json) console.log(JSON.stringify({ provider, closeness, speed }));
else {
  if (closeness) console.table([closeness]);
  console.table(speed);
}

/** Every face of the pictures, cut out and embedded both ways. */
async function measureCloseness(people: string, most: number) {
  const inference = { ...config.inference, providers: [provider ?? 'cpu'] };
  const byCrops = await openFaceAnalyser({ ...config, inference: { ...inference, alignment: 'opencv' } }, silentLogger);
  const byFrames = await openFaceAnalyser({ ...config, inference: { ...inference, alignment: 'graph' } }, silentLogger);
  const { width, height } = store.entry(config.models.encoder).input;
  const entry = passThroughEntry(width, height);
  const through = fuseAlignment(prepareGraph(passThrough(width, height), entry), entry);
  const cutter = await openGraph(through, { ...inference, threads: 1 }, 'crops');

  const grey = { bytes: 0, sum: 0, differing: 0, most: 0 };
  const likeness: number[] = [];
  let pictures = 0;
  for (const path of await picturesOf(people)) {
    if (pictures === most) break;
    const picture = await decodePicture(await readFile(path), path);
    const faces = await byCrops.analyser.describe(picture, await byCrops.analyser.detect(picture));
    const alignments = faces.map(({ landmarks }) => alignToTemplate(landmarks.five, width));
    if (alignments.length > 0) {
      pictures++;
      const expected = await picture.cut(alignments.map((matrix) => ({ matrix, width, height, colour: 'rgb' })));
      const bgr = await picture.pixels();
      const { embedding } = await cutter.run([
        { type: 'uint8', data: bgr, shape: [picture.height, picture.width, 3] },
        { type: 'float32', data: Float32Array.from(alignments.flat()), shape: [alignments.length, 2, 3] },
      ]);
      for (const [at, byte] of Buffer.concat(expected).entries()) {
        const off = Math.abs(byte - (embedding?.data[at] ?? Number.NaN));
        grey.bytes++;
        grey.sum += off;
        if (off !== 0) grey.differing++;
        grey.most = Math.max(grey.most, off);
      }
      const [first, second] = [
        await byCrops.analyser.embed(picture, faces),
        await byFrames.analyser.embed(picture, faces),
      ];
      for (const [index, one] of first.entries()) {
        const other = second[index];
        if (one && other) likeness.push(cosine(one.embedding, other.embedding));
        else if (one || other) likeness.push(Number.NaN);
      }
    }
    picture.release();
  }
  await Promise.all([byCrops.close(), byFrames.close(), cutter.release()]);
  return {
    pictures,
    faces: likeness.length,
    greyLevelsMean: round(grey.sum / grey.bytes, 5),
    greyLevelsMost: grey.most,
    bytesDiffering: round(grey.differing / grey.bytes, 5),
    cosineMean: round(likeness.reduce((sum, value) => sum + value, 0) / likeness.length, 7),
    cosineLeast: round(Math.min(...likeness), 7),
  };
}

async function picturesOf(people: string): Promise<string[]> {
  const found: string[] = [];
  for (const person of (await readdir(people)).sort()) {
    for (const file of (await readdir(join(people, person))).sort()) found.push(join(people, person, file));
  }
  return found;
}

/** Median milliseconds a frame; `over` is what the pixels take from the camera's process. */
async function measureSpeed(threadCounts: readonly number[]) {
  await store.pull(['sample6']);
  const photo = await store.file('sample6');
  const picture = await decodePicture(await readFile(photo), photo);
  const chain = await openFaceAnalyser(config, silentLogger);
  const found = await chain.analyser.describe(picture, await chain.analyser.detect(picture));
  const toFrame = picture.width / 1280;
  picture.release();
  await chain.close();
  const alignments = Array.from({ length: Math.max(...FACES) }, (_, index): Affine => {
    const face = found[index % found.length];
    const [a, b, c, d, e, f]: Affine = face ? alignToTemplate(face.landmarks.five, chain.cropSize) : [1, 0, 0, 0, 1, 0];
    return [a * toFrame, b * toFrame, c, d * toFrame, e * toFrame, f];
  });

  const rows: Record<string, number>[] = [];
  await withFrame(photo, async (frame) => {
    for (const threads of threadCounts) {
      const thread = new InferenceThread(silentLogger);
      const options = { ...config.inference, providers: [provider ?? 'cpu'], threads };
      const encoder = new ModelBatcher(await thread.open(store, config.models.encoder, options), systemClock);
      const aligning = await thread.openAligning(store, config.models.encoder, options);
      const { width, height } = aligning.input;
      const ways = { opencv: cropEmbedder(encoder.lane('')), graph: frameEmbedder(aligning) };
      for (const count of FACES) {
        const some = alignments.slice(0, count);
        const cuts = some.map((matrix) => ({ matrix, width, height, colour: 'rgb' }) as const);
        const [opencv, graph, opencvOver, graphOver] = await mediansOf([
          () => ways.opencv.embed(frame, some),
          () => ways.graph.embed(frame, some),
          () => frame.cut(cuts),
          () => frame.pixels(),
        ]);
        rows.push({ threads, faces: count, opencv, graph, opencvOver, graphOver } as Record<string, number>);
      }
      await encoder.close();
      await aligning.close();
      await thread.close();
    }
  });
  return rows;
}

/** Takes turns, so that what else the machine does hits all alike. */
async function mediansOf(tasks: readonly (() => Promise<unknown>)[]): Promise<number[]> {
  const times = tasks.map((): number[] => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, task] of tasks.entries()) {
      const started = performance.now();
      await task();
      times[index]?.push(performance.now() - started);
    }
  }
  return times.map((list) => round(list.sort((a, b) => a - b)[ROUNDS >> 1] ?? Number.NaN, 2));
}

/** Holds one frame of a camera's own process that shows the photo, 1280 pixels wide. */
async function withFrame(photo: string, work: (frame: Frame) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'eyeline-alignment-'));
  const clip = join(folder, 'clip.mkv');
  const filter = 'scale=1280:720:force_original_aspect_ratio=increase,crop=1280:720:0:0,format=yuv420p';
  const encode = ['-loop', '1', '-i', photo, '-t', '2', '-r', '10', '-vf', filter, '-c:v', 'libx264', clip];
  await promisify(execFile)('ffmpeg', ['-v', 'error', ...encode]);
  const supervisor = new CameraSupervisor({
    camera: {
      id: 'still',
      source: clip,
      backend: 'auto',
      transport: 'tcp',
      fps: 1,
      loop: true,
      openTimeoutMs: 60_000,
      stallTimeoutMs: 60_000,
      enabled: true,
    },
    detectorInput: { width: 320, height: 240 },
    retry: { firstDelayMs: 1000, maxDelayMs: 1000, factor: 1, jitter: 0 },
    clock: systemClock,
    random: Math.random,
    // Why a camera fails matters here as well.
    logger: { ...silentLogger, warn: (_, message) => console.error(message) },
    spawn: cameraForker(process.env),
  });
  supervisor.start();
  try {
    for await (const frame of supervisor.frames()) {
      await work(frame);
      frame.release();
      break;
    }
  } finally {
    await supervisor.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function round(value: number, digits: number): number {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}
