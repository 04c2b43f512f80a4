import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../config/schema.ts';
import { EyelineError } from '../../core/errors.ts';
import { seededRandom } from '../../core/seeded-random.ts';
import { quantile, rounded } from '../../core/statistics.ts';
import { normalise } from '../../faces/embedding.ts';
import { HnswWriter, openHnswIndex } from '../../gallery/search/usearch-hnsw-index.ts';
import { type GallerySnapshot, snapshotOf } from '../../gallery/snapshot.ts';
import { createBlock, withIndex } from '../../gallery/template-block.ts';
import { PicturePool } from '../../pictures/picture-pool.ts';
import type { CommandContext } from '../command.ts';

/** Cosine of a template with the embedding it was made of: two pictures of one person are about as far apart. */
const TEMPLATE_COSINE = 0.7;
/** Cosine of a probe with the template looked for. */
const PROBE_COSINE = 0.7;
const RANDOM_BASES = 5000;
const RANDOM_DIMENSION = 512;
const PROBES = 500;
const EXACT_PROBES = 200;
/** People a decision needs: the most alike and those next to them. */
const CLOSEST = 8;
/** Threads that fill an empty graph do not see each other's rows, and leave some that no search reaches. */
const ROWS_ON_ONE_CORE = 1024;
/** Embeddings in the clear belong in memory. */
const MEMORY = '/dev/shm';

export interface GalleryBenchOptions {
  /** Templates. */
  readonly size: number;
  /** Unit-length embeddings the templates are made of; random ones where there are none. */
  readonly real: readonly Float32Array[];
  readonly seed: number;
}

interface Times {
  readonly p50: number;
  readonly p95: number;
}

export interface GalleryBenchResult {
  readonly templates: number;
  readonly dimension: number;
  /** Embeddings of real pictures that the templates were made of; 0 when they were made of random numbers. */
  readonly realEmbeddings: number;
  readonly exactMs: Times;
  readonly hnswMs: Times;
  /** Share of the probes for which the graph finds the template that is most alike. */
  readonly recallAt1: number;
  /** Share of the eight most alike it finds. */
  readonly recallAt8: number;
  /** What a snapshot with exact search adds, and what the graph adds to that. */
  readonly memoryMb: number;
  readonly hnswMemoryMb: number;
  readonly buildMs: { readonly exact: number; readonly hnsw: number };
}

/**
 * Search among `size` templates made of real embeddings: each is one of them turned by a random angle of a fixed cosine, and
 * so is each probe of a template. One thread searches; the graph is built on all cores.
 */
export function benchGallery({ size, real, seed }: GalleryBenchOptions): GalleryBenchResult {
  const random = seededRandom(seed);
  const dimension = real[0]?.length ?? RANDOM_DIMENSION;
  const bases = real.length > 0 ? real : Array.from({ length: RANDOM_BASES }, () => randomUnit(dimension, random));
  const vectors = new Float32Array(size * dimension);
  for (let row = 0; row < size; row++) {
    vectors.set(turned(bases[row % bases.length] ?? new Float32Array(), TEMPLATE_COSINE, random), row * dimension);
  }
  const probes = Array.from({ length: PROBES }, () =>
    turned(rowOf(vectors, Math.floor(random() * size), dimension), PROBE_COSINE, random),
  );

  const people = Array.from({ length: size }, (_, index) => ({ id: `p${index}`, name: '' }));
  const owners = Uint32Array.from({ length: size }, (_, row) => row);
  const before = memoryMb();
  const templates = { version: 1, encoder: 'bench', dimension, people, owners, vectors };
  const exact = timed(() => createBlock(templates));
  const afterExact = memoryMb();
  const search = snapshotOf({ version: 1, base: exact.result, changed: new Map() });
  const exactMs = times(probes.slice(0, EXACT_PROBES), (probe) => search.search(probe, 1));
  const truth = probes.map((probe) => idsOf(search, probe));

  const values = exact.result.rows?.values ?? new Int8Array();
  const hnsw = timed(() => graphOf(values, dimension));
  const afterHnsw = memoryMb();
  const byGraph = snapshotOf({ version: 1, base: withIndex(exact.result, hnsw.result), changed: new Map() });
  const hnswMs = times(probes, (probe) => byGraph.search(probe, 1));
  let first = 0;
  let among = 0;
  for (const [at, probe] of probes.entries()) {
    const found = idsOf(byGraph, probe);
    const right = truth[at] ?? [];
    if (found[0] === right[0]) first++;
    among += right.filter((id) => found.includes(id)).length;
  }
  return {
    templates: size,
    dimension,
    realEmbeddings: real.length,
    exactMs,
    hnswMs,
    recallAt1: rounded(first / probes.length, 4),
    recallAt8: rounded(among / (probes.length * CLOSEST), 4),
    // The templates themselves were there before: they are part of a snapshot all the same.
    memoryMb: rounded(afterExact - before + vectors.byteLength / 2 ** 20, 1),
    hnswMemoryMb: rounded(afterHnsw - afterExact, 1),
    buildMs: { exact: rounded(exact.ms, 0), hnsw: rounded(hnsw.ms, 0) },
  };
}

/** Embeddings of the faces of pictures. Pictures that cannot be read or show none are left out. */
export async function embedPictures(
  config: Config,
  files: readonly string[],
  { env, signal }: Pick<CommandContext, 'env' | 'signal'>,
): Promise<Float32Array[]> {
  if (files.length === 0) return [];
  const { models, inference, detection } = config;
  const pool = new PicturePool(
    { models, inference, detection },
    { workers: availableParallelism(), batching: 'fastest', env },
  );
  await pool.start();
  try {
    const embeddings: Float32Array[] = [];
    const tasks = files.map((file) => ({ kind: 'read' as const, file, upTo: 'embed' as const }));
    for await (const { faces } of pool.run(tasks, signal)) {
      for (const { embedding } of faces) if (embedding) embeddings.push(embedding);
    }
    if (embeddings.length === 0)
      throw new EyelineError('NOTHING_TO_EVALUATE', 'no face was found to make templates of');
    return embeddings;
  } finally {
    await pool.close();
  }
}

export function randomUnit(dimension: number, random: () => number): Float32Array {
  return normalise(Float32Array.from({ length: dimension }, () => random() + random() + random() - 1.5));
}

/** A unit vector whose cosine with `vector` (unit length as well) is `cosine`, in a random direction. */
function turned(vector: Float32Array, cosine: number, random: () => number): Float32Array {
  const noise = vector.map(() => random() + random() + random() - 1.5);
  const along = noise.reduce((sum, value, i) => sum + value * (vector[i] ?? 0), 0);
  const across = noise.map((value, i) => value - along * (vector[i] ?? 0));
  const scale = Math.sqrt(1 - cosine * cosine) / Math.hypot(...across);
  return across.map((value, i) => cosine * (vector[i] ?? 0) + scale * value);
}

function idsOf(snapshot: GallerySnapshot, probe: Float32Array): string[] {
  return snapshot.search(probe, CLOSEST).map(({ person }) => person.id);
}

/** As the daemon makes it, but, once it has begun, on all cores. */
function graphOf(values: Int8Array, dimension: number) {
  const writer = new HnswWriter(dimension);
  const begun = ROWS_ON_ONE_CORE * dimension;
  writer.add(values.subarray(0, begun), 1);
  if (values.length > begun) writer.add(values.subarray(begun), availableParallelism());
  const file = join(MEMORY, `eyeline-graph-${randomUUID()}`);
  try {
    writer.save(file);
    return openHnswIndex(file, dimension);
  } finally {
    rmSync(file, { force: true });
  }
}

function rowOf(vectors: Float32Array, row: number, dimension: number): Float32Array {
  return vectors.subarray(row * dimension, (row + 1) * dimension);
}

function times(probes: readonly Float32Array[], search: (probe: Float32Array) => void): Times {
  const all = probes.map((probe) => timed(() => search(probe)).ms);
  return { p50: rounded(quantile(all, 0.5) ?? 0, 3), p95: rounded(quantile(all, 0.95) ?? 0, 3) };
}

function timed<T>(work: () => T): { readonly result: T; readonly ms: number } {
  const started = performance.now();
  const result = work();
  return { result, ms: performance.now() - started };
}

function memoryMb(): number {
  return process.memoryUsage().rss / 2 ** 20;
}
