import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { prepareGraph } from '../../src/inference/graph/prepare.ts';
import { filesOf, tinyEmbedder, tinyEntry } from './graphs.ts';

/** Bytes of one picture for the tiny model. */
export const TINY_SIZE = 8 * 9 * 3;

/** No normalisation: the embedding is a known sum over the bytes. */
export const tinyModel = tinyEntry({ input: { ...tinyEntry().input, mean: [0, 0, 0], scale: [1, 1, 1] } });

/** A picture for the tiny model, another one a seed. */
export const tinyBytes = (seed: number): number[] =>
  Array.from({ length: TINY_SIZE }, (_, index) => (index * 13 + seed * 59) % 256);

/** Writes the tiny model to a file for the tests of a suite; gives its folder, and what a store would say of it. */
export function useTinyModelFile(): { readonly files: () => ReturnType<typeof filesOf>; readonly dir: () => string } {
  let dir = '';
  let path = '';
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'eyeline-tiny-'));
    path = join(dir, 'tiny.onnx');
    // Channels last, so that the flattened picture is the bytes in their order.
    await writeFile(path, prepareGraph(tinyEmbedder({ input: [1, 9, 8, 3], flatten: [1, -1] }), tinyModel));
  });
  afterAll(async () => {
    await rm(dir, { recursive: true });
  });
  return { files: () => filesOf(tinyModel, path), dir: () => dir };
}
