import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Logger } from '../../src/core/logger.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { writeFileAtomic } from '../../src/inference/files.ts';
import { fingerprintOf, type Manifest } from '../../src/inference/manifest.ts';
import { evaluateGraph, openOnnxModel } from '../../src/inference/onnxruntime-model.ts';
import { ModelStore } from '../../src/inference/store.ts';
import { tinyEmbedder, tinyEntry } from './graphs.ts';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'eyeline-store-'));
});
afterEach(async () => {
  await rm(dir, { recursive: true });
});

const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** A store whose manifest has the model `tiny` and the picture `photo`, both from files. */
async function makeStore({
  graph = tinyEmbedder({ input: [1, 3, 9, 8], flatten: [1, -1] }),
  logger = silentLogger,
} = {}) {
  const source = { kind: 'file', path: join(dir, 'tiny.onnx') } as const;
  const photo = { kind: 'file', path: join(dir, 'photo.jpg') } as const;
  await writeFile(source.path, graph);
  await writeFile(photo.path, 'a picture');
  const model = tinyEntry({ source, sha256: hash(graph) });
  const manifest: Manifest = {
    models: new Map([['tiny', model]]),
    pictures: new Map([
      [
        'photo',
        { id: 'photo', source: photo, sha256: hash(Buffer.from('a picture')), licence: 'MIT', description: '' },
      ],
    ]),
  };
  const options = { dir: join(dir, 'store'), manifest, logger, env: {}, evaluate: evaluateGraph };
  return { store: new ModelStore(options), model, source, photo, options };
}

it('pulls, and then needs the source no more', async () => {
  const { store, model, source, photo } = await makeStore();
  const steps: string[] = [];
  await store.pull(['tiny', 'photo'], { onProgress: ({ phase, ids }) => steps.push(`${phase} ${ids.join()}`) });
  expect(steps).toEqual(['prepare tiny', 'ready tiny', 'ready photo']);
  await rm(source.path);
  await rm(photo.path);
  await store.pull(['tiny', 'photo']);
  await store.verify(['tiny', 'photo']);
  expect(await readFile(await store.file('photo'), 'utf8')).toBe('a picture');
  expect(await store.file('photo')).toMatch(/\.jpg$/);
  expect((await store.list()).map(({ id, kind, state }) => [id, kind, state])).toEqual([
    ['tiny', 'encoder', 'ready'],
    ['photo', 'picture', 'ready'],
  ]);
  const opened = await openOnnxModel(store, 'tiny', { providers: ['cpu'], threads: 1, logger: silentLogger });
  expect(opened.fingerprint).toBe(fingerprintOf(model));
  await opened.close();
});

it('takes in what a file: source names when it is first used', async () => {
  const { store, source } = await makeStore();
  expect(await readFile(await store.sourceFile('tiny'))).toEqual(await readFile(source.path));
  await rm(source.path);
  const opened = await openOnnxModel(store, 'tiny', { providers: ['cpu'], threads: 1, logger: silentLogger });
  await opened.close();
});

it.each(['sources', 'prepared'])(
  'refuses a changed byte in %s, with both hashes, until it is pulled again',
  async (folder) => {
    const warnings: string[] = [];
    const logger: Logger = { ...silentLogger, warn: (_fields, message) => warnings.push(message) };
    const { store } = await makeStore({ logger });
    await store.pull();
    const name = (await readdir(join(store.dir, folder))).find((it) => it.endsWith('.onnx')) ?? '';
    const path = join(store.dir, folder, name);
    const bytes = await readFile(path);
    const expected = hash(bytes);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    await writeFile(path, bytes);
    const refusal = {
      code: 'MODEL_CORRUPT',
      message: `tiny: ${path}: expected sha256 ${expected}, found ${hash(bytes)}`,
    };
    await expect(store.file('tiny')).rejects.toMatchObject(refusal);
    await expect(store.verify()).rejects.toMatchObject(refusal);
    expect((await store.list())[0]?.state).toBe('corrupt');
    await store.pull();
    expect(warnings).toHaveLength(1);
    await store.verify();
  },
);

it('notices a prepared graph that was changed together with its record', async () => {
  const { store } = await makeStore();
  await store.pull();
  const path = await store.file('tiny');
  const other = Buffer.concat([await readFile(path), Buffer.of(0x30, 1)]);
  await writeFile(path, other);
  await writeFile(path.replace(/onnx$/, 'json'), JSON.stringify({ sha256: hash(other) }));
  await expect(store.verify()).rejects.toMatchObject({ code: 'MODEL_CORRUPT' });
});

it('prepares again what an interrupted preparation left', async () => {
  const { store } = await makeStore();
  await store.pull();
  const path = await store.file('tiny');
  await writeFile(path, 'half of a gra');
  await rm(path.replace(/onnx$/, 'json'));
  expect(await store.file('tiny')).toBe(path);
  await store.verify();
});

it('refuses a source that is not what the manifest says, and leaves nothing behind', async () => {
  const { store, source, model } = await makeStore();
  await writeFile(source.path, 'something else');
  await expect(store.pull()).rejects.toMatchObject({
    code: 'MODEL_CORRUPT',
    message: `tiny: file:${source.path}: expected sha256 ${model.sha256}, found ${hash(Buffer.from('something else'))}`,
  });
  expect(await readdir(store.dir)).toEqual([]);
});

it('names what it cannot fetch and what it does not know', async () => {
  const { store, source } = await makeStore();
  await rm(source.path);
  await expect(store.pull()).rejects.toMatchObject({
    code: 'MODEL_UNFETCHABLE',
    message: expect.stringContaining(`tiny: file:${source.path} cannot be read`),
  });
  await expect(store.pull(['huge'])).rejects.toMatchObject({
    code: 'MODEL_UNKNOWN',
    message: '"huge" is not in the manifest, which has tiny, photo',
  });
  expect(() => store.entry('photo')).toThrow(expect.objectContaining({ code: 'MODEL_UNKNOWN' }));
});

it('keeps a graph that does not fit out of the cache', async () => {
  const { store } = await makeStore({ graph: tinyEmbedder({ input: [1, 3, 8, 9], flatten: [1, -1] }) });
  await expect(store.pull()).rejects.toMatchObject({ code: 'MODEL_UNSUPPORTED' });
  await expect(readdir(join(store.dir, 'prepared'))).rejects.toMatchObject({ code: 'ENOENT' });
});

it('is not harmed by many pulls at once', async () => {
  const { options } = await makeStore();
  await Promise.all(Array.from({ length: 6 }, () => new ModelStore(options).pull(['tiny', 'photo'])));
  await new ModelStore(options).verify(['tiny', 'photo']);
  expect(await readdir(options.dir)).toEqual(expect.arrayContaining(['prepared', 'sources']));
  expect(await readdir(options.dir)).toHaveLength(2);
  expect(await readdir(join(options.dir, 'prepared'))).toHaveLength(2);
});

it('stops when told to', async () => {
  const { store } = await makeStore();
  const stop = new AbortController();
  stop.abort(new Error('enough'));
  await expect(store.pull(['tiny'], { signal: stop.signal })).rejects.toThrow('enough');
});

it('never leaves part of a file under its name', async () => {
  const path = join(dir, 'file');
  await writeFile(path, 'before');
  // A string with a lone surrogate is written; an object is not: the write fails after the temporary file was made.
  await expect(writeFileAtomic(path, Object(1))).rejects.toThrow();
  expect(await readFile(path, 'utf8')).toBe('before');
  expect(await readdir(dir)).toEqual(['file']);
});

it('says which folder cannot be used when the system refuses it', async () => {
  const { options } = await makeStore();
  await writeFile(join(dir, 'plain'), '');
  const folder = join(dir, 'plain', 'models');
  const store = new ModelStore({ ...options, dir: folder });
  for (const use of [() => store.pull(), () => store.file('tiny'), () => store.list()]) {
    await expect(use()).rejects.toMatchObject({
      code: 'OUTPUT_UNWRITABLE',
      message: expect.stringContaining(`models in ${folder}: ENOTDIR`),
    });
  }
});

it('takes the weights beside a model in as well when it is used without a pull', async () => {
  const { options, model } = await makeStore();
  const weights = { kind: 'file', path: join(dir, 'weights.bin') } as const;
  await writeFile(weights.path, 'some weights');
  const sha256 = hash(Buffer.from('some weights'));
  const apart = { ...model, format: 'tfjs', weights: { source: weights, sha256 } } as const;
  const manifest = { ...options.manifest, models: new Map([['tiny', apart]]) };
  const store = new ModelStore({ ...options, manifest });
  // Both are there; that the first is no such model is found next.
  await expect(store.file('tiny')).rejects.toMatchObject({ code: 'MODEL_UNSUPPORTED' });
  expect(await readdir(join(store.dir, 'sources'))).toContain(`${sha256}.bin`);
});
