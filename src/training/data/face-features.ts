import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { boxToCrop } from '../../core/geometry.ts';
import { collectYoungGarbage } from '../../core/young-garbage.ts';
import { type AlignmentPoints, alignBy } from '../../faces/align.ts';
import { unitEmbedding } from '../../faces/embedding.ts';
import { bridgePoints, decodeLandmarks, fivePoints } from '../../faces/landmarks.ts';
import { onlyOutput } from '../../faces/model-output.ts';
import { writeFileAtomic } from '../../inference/files.ts';
import type { ModelEntry } from '../../inference/manifest.ts';
import type { VisionModel } from '../../inference/vision-model.ts';
import { writable } from '../writable.ts';
import { cutSmoothly, type FaceAlignments, MARK_VALUES, marksOf } from './encoder-sampler.ts';
import type { FaceStore } from './face-store.ts';
import { normal, sampleRandom } from './sampler.ts';
import { greyOf, type RgbImage, warp } from './warp.ts';

/** Faces a call of a model gets at once. */
const BATCH = 64;
/** A box found under a mask is not the one found without: off by so much, as a share of its size. */
const BOX_DEVIATION = 0.03;

export interface FeatureOptions {
  readonly folder: string;
  readonly signal: AbortSignal;
}

/**
 * What each prepared face is aligned by, as the landmarks in use see them, plain and under each mask; kept beside the faces, and
 * read from there the next time. Training an encoder on them shows it the alignment it will get. Throws OUTPUT_UNWRITABLE.
 */
export async function alignmentsOf(
  store: FaceStore,
  landmarker: VisionModel,
  { folder, signal }: FeatureOptions,
): Promise<FaceAlignments> {
  const starts = new Uint32Array(store.faces.length);
  let variants = 0;
  store.faces.forEach(({ masks }, face) => {
    starts[face] = variants;
    variants += 1 + masks.length;
  });
  const file = join(folder, `marks-${landmarker.fingerprint.slice(0, 16)}.f32`);
  const known = await readFloats(file, variants * MARK_VALUES);
  if (known) return { starts, points: known };
  const points = new Float32Array(variants * MARK_VALUES);
  const { width, height } = landmarker.input;
  for (let from = 0; from < store.faces.length; from += BATCH) {
    signal.throwIfAborted();
    const crops: Uint8Array[] = [];
    const places: { start: number; box: { x: number; y: number; width: number; height: number } }[] = [];
    for (let face = from; face < Math.min(from + BATCH, store.faces.length); face++) {
      const chip = store.read(face);
      const masks = store.faces[face]?.masks ?? [];
      const add = (image: RgbImage, variant: number) => {
        const random = sampleRandom(0, variant, face);
        const { box } = chip;
        const moved = {
          x: box.x + normal(random) * BOX_DEVIATION * box.width,
          y: box.y + normal(random) * BOX_DEVIATION * box.height,
          width: box.width * (1 + normal(random) * BOX_DEVIATION),
          height: box.height * (1 + normal(random) * BOX_DEVIATION),
        };
        const crop = warp(image, boxToCrop(moved, { width, height }), { width, height });
        crops.push(landmarker.input.channels === 1 ? greyOf(crop) : crop.rgb);
        places.push({ start: ((starts[face] ?? 0) + variant) * MARK_VALUES, box: moved });
      };
      add(chip, 0);
      for (const which of masks.keys()) add(store.withMask(face, chip, which), which + 1);
    }
    const output = onlyOutput(landmarker, await landmarker.run(crops));
    places.forEach(({ start, box }, row) => {
      const landmarks = decodeLandmarks(output, row, box);
      const marks = [...fivePoints(landmarks), ...bridgePoints(landmarks)];
      points.set(
        marks.flatMap(({ x, y }) => [x, y]),
        start,
      );
    });
    collectYoungGarbage();
  }
  await writeFloats(file, points);
  return { starts, points };
}

/**
 * What an encoder says of each plain face, unit length, one after another; kept beside the faces as the points are. Throws
 * OUTPUT_UNWRITABLE.
 */
export async function embeddingsOf(
  store: FaceStore,
  encoder: VisionModel,
  { embedding: dimension = 0, alignedBy = 'five' }: Pick<ModelEntry, 'embedding' | 'alignedBy'>,
  alignments: FaceAlignments,
  landmarks: string,
  { folder, signal }: FeatureOptions,
): Promise<Float32Array> {
  const name = `embeddings-${encoder.fingerprint.slice(0, 16)}-${landmarks.slice(0, 16)}.f32`;
  const file = join(folder, name);
  const known = await readFloats(file, store.faces.length * dimension);
  if (known) return known;
  const embeddings = new Float32Array(store.faces.length * dimension);
  const { width, height } = encoder.input;
  for (let from = 0; from < store.faces.length; from += BATCH) {
    signal.throwIfAborted();
    const crops: Uint8Array[] = [];
    for (let face = from; face < Math.min(from + BATCH, store.faces.length); face++) {
      const matrix = alignBy(alignedBy, marksOf(alignments, face, 0), width);
      crops.push(cutSmoothly(store.read(face), matrix, { width, height }).rgb);
    }
    const output = onlyOutput(encoder, await encoder.run(crops));
    crops.forEach((_, row) => {
      const unit = unitEmbedding(output, row);
      if (unit) embeddings.set(unit, (from + row) * dimension);
    });
    collectYoungGarbage();
  }
  await writeFloats(file, embeddings);
  return embeddings;
}

/** The crops of one face. */
export interface AlignedCrops {
  readonly crops: Readonly<Partial<Record<AlignmentPoints, Uint8Array>>>;
}

/**
 * Aligned crops of all faces, plain and under each mask, so many at a time, in the order of `FaceAlignments`: RGB, `cropPx` squared, one
 * by each of the points asked for.
 */
export function* alignedCrops(
  store: FaceStore,
  alignments: FaceAlignments,
  faces: readonly number[],
  { cropPx, alignedBy }: { readonly cropPx: number; readonly alignedBy: readonly AlignmentPoints[] },
): Generator<{ readonly aligned: AlignedCrops[]; readonly rows: number[] }> {
  const size = { width: cropPx, height: cropPx };
  for (let from = 0; from < faces.length; from += BATCH) {
    const aligned: AlignedCrops[] = [];
    const rows: number[] = [];
    for (const face of faces.slice(from, from + BATCH)) {
      const chip = store.read(face);
      const add = (image: RgbImage, variant: number) => {
        const marks = marksOf(alignments, face, variant);
        const cut = (points: AlignmentPoints) => cutSmoothly(image, alignBy(points, marks, cropPx), size).rgb;
        aligned.push({ crops: Object.fromEntries(alignedBy.map((points) => [points, cut(points)])) });
        rows.push((alignments.starts[face] ?? 0) + variant);
      };
      add(chip, 0);
      for (const which of store.faces[face]?.masks.keys() ?? []) add(store.withMask(face, chip, which), which + 1);
    }
    yield { aligned, rows };
    collectYoungGarbage();
  }
}

/** What `writeFloats` kept; null when there is none of so many numbers. */
export async function readFloats(file: string, length: number): Promise<Float32Array | null> {
  const bytes = await readFile(file).catch(() => null);
  if (bytes?.length !== length * 4) return null;
  return new Float32Array(new Uint8Array(bytes).buffer);
}

/** Keeps numbers in a file, all of them or none. Throws OUTPUT_UNWRITABLE. */
export async function writeFloats(file: string, values: Float32Array): Promise<void> {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  await writable(dirname(file), () => writeFileAtomic(file, bytes));
}
