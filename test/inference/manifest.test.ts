import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { BUILTIN_MANIFEST, fingerprintOf, loadManifest, parseManifest } from '../../src/inference/manifest.ts';

const SHA = 'a'.repeat(64);

/** A manifest entry of a user's own embedder, with some keys changed. */
function embedder(changes: object = {}): Record<string, unknown> {
  return {
    id: 'own',
    role: 'encoder',
    source: 'file:own.onnx',
    sha256: SHA,
    licence: 'proprietary',
    input: { width: 160, height: 96, channels: 3, colour: 'bgr', mean: [1, 2, 3], scale: 0.5 },
    outputs: [{ name: 'embedding', shape: [128] }],
    embedding: 128,
    ...changes,
  };
}

function messageFor(manifest: unknown): string {
  try {
    parseManifest(JSON.stringify(manifest), '/etc/own.json');
  } catch (error) {
    expect(error).toMatchObject({ code: 'MANIFEST_INVALID' });
    return error instanceof Error ? error.message : '';
  }
  return '';
}

it('reads the manifest that comes with the product', async () => {
  const { models, pictures } = await loadManifest(null);
  expect([...models.values()].map(({ id, role }) => `${id}: ${role}`)).toEqual([
    'rfb-320: detector',
    'rfb-320-masked: detector',
    'landmarks-68: landmarks',
    'landmarks-68-masked: landmarks',
    'mask-state: mask-state',
    'blazeface-back: detector',
    'mtcnn: detector',
    'mtcnn-rnet: refiner',
    'mtcnn-onet: landmarks',
    'facemesh-468: landmarks',
    'mobilefacenet-512: encoder',
    'mobilefacenet-512-upper: encoder',
    'minifasnet-liveness: liveness',
    'human-antispoof: liveness',
  ]);
  expect(models.get('blazeface-back')).toMatchObject({
    format: 'tfjs',
    weights: { source: { kind: 'npm', package: '@vladmandic/human', version: '3.3.6', path: 'models/blazeface.bin' } },
  });
  expect(models.get('mobilefacenet-512')).toMatchObject({
    source: { kind: 'npm', package: 'faceplugin-face-recognition-js', version: '0.0.1', path: 'model/fr_feature.onnx' },
    input: { width: 112, height: 112, mean: [127, 127, 127], scale: [1 / 128, 1 / 128, 1 / 128] },
    embedding: 512,
  });
  expect([...pictures.keys()]).toEqual(['sample1', 'sample2', 'sample3', 'sample4', 'sample5', 'sample6']);
});

it('lays a manifest of ones own over it, by id', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'eyeline-manifest-'));
  try {
    const file = join(dir, 'own.json');
    const other = embedder({ id: 'rfb-320' });
    await writeFile(file, JSON.stringify({ models: [embedder(), other], pictures: [] }));
    const { models, pictures } = await loadManifest(file);
    expect(models.size).toBe((await loadManifest(null)).models.size + 1);
    expect(models.get('rfb-320')?.embedding).toBe(128);
    expect(models.get('own')?.source).toEqual({ kind: 'file', path: join(dir, 'own.onnx') });
    expect(models.get('own')?.input.scale).toEqual([0.5, 0.5, 0.5]);
    expect(pictures.size).toBe(6);
  } finally {
    await rm(dir, { recursive: true });
  }
});

it('tells all errors at once, as path: message', () => {
  const message = messageFor({
    models: [
      embedder({ sha256: 'beef', colour: 'rgb', embedding: 127 }),
      embedder({
        role: 'detector',
        source: 'npm:left-pad@^1#model.onnx',
        input: { width: 4, height: 96, channels: 3, colour: 'grey', mean: [1, 2], scale: 0 },
      }),
    ],
    pictures: [{ id: 'p', source: 'npm:left-pad@1.3.0#a.jpg', sha256: SHA, licence: 'MIT' }],
    extra: true,
  });
  expect(message.split('\n').sort()).toEqual([
    '/etc/own.json: (root): Unrecognized key: "extra"',
    '/etc/own.json: models[0].embedding: must be the size of the first output: 128',
    '/etc/own.json: models[0].sha256: must be 64 lower-case hex digits, as sha256sum prints them',
    '/etc/own.json: models[0]: Unrecognized key: "colour"',
    '/etc/own.json: models[1].embedding: belongs to encoders only',
    '/etc/own.json: models[1].id: "own" is used twice',
    '/etc/own.json: models[1].input.colour: must be grey for 1 channel, rgb or bgr for 3',
    '/etc/own.json: models[1].input.mean: must be one number, or 3: one a channel',
    '/etc/own.json: models[1].input.scale: must not be 0',
    '/etc/own.json: models[1].input.width: Too small: expected number to be >=8',
    '/etc/own.json: models[1].integrity: is required for an npm: source',
    '/etc/own.json: models[1].source: must be npm:<package>@<exact version>#<path in the package>',
    '/etc/own.json: pictures[0].integrity: is required for an npm: source',
  ]);
});

it('tells what keys do not go together', () => {
  const shape = { role: 'detector', embedding: undefined };
  const weights = { source: 'npm:a@1.0.0#w.bin', sha256: SHA };
  const message = messageFor({
    models: [
      embedder({ ...shape, id: 'a', format: 'tfjs' }),
      embedder({ ...shape, id: 'b', format: 'onnx', weights, columnsFirst: true }),
      embedder({ ...shape, id: 'c', family: 'mtcnn' }),
      embedder({ ...shape, id: 'd', family: 'facemesh', stages: ['a', 'b'] }),
      embedder({ id: 'e', family: 'ibug' }),
    ],
  });
  expect(message.split('\n')).toEqual([
    '/etc/own.json: models[0].weights: is required for tfjs',
    '/etc/own.json: models[1].weights: belongs to tfjs only',
    '/etc/own.json: models[1].columnsFirst: belongs to tflite only',
    '/etc/own.json: models[1].integrity: is required for an npm: source',
    '/etc/own.json: models[2].stages: is required for mtcnn',
    '/etc/own.json: models[3].family: must be one of ultraface, blazeface, mtcnn',
    '/etc/own.json: models[3].stages: belongs to mtcnn only',
    '/etc/own.json: models[4].family: belongs to detectors, landmark and liveness models',
  ]);
});

it.each([
  ['http://example.org/m.onnx', 'must not be http: use https'],
  ['m.onnx', 'must begin with npm:, https:// or file:'],
  ['npm:a@1.0.0#../x', 'must name a file inside the package after #, without . or ..'],
  ['npm:a@1.0.0#/x', 'must name a file inside the package after #, without . or ..'],
  ['npm:a@latest#x', 'must be npm:<package>@<exact version>#<path in the package>'],
  ['file:', 'must name a file after file:'],
])('refuses the source %s', (source, problem) => {
  expect(messageFor({ models: [embedder({ source })] })).toContain(`/etc/own.json: models[0].source: ${problem}`);
});

it('names a manifest that is not there or not JSON', async () => {
  await expect(loadManifest('/nowhere/own.json')).rejects.toMatchObject({
    code: 'MANIFEST_INVALID',
    message: expect.stringContaining('/nowhere/own.json: cannot be read'),
  });
  expect(() => parseManifest('{', '/etc/own.json')).toThrow('/etc/own.json: not JSON');
  expect(readFileSync(BUILTIN_MANIFEST, 'utf8')).toContain('"rfb-320"');
});

it('gives another fingerprint for other weights, size or normalisation, not for other words', async () => {
  const read = (changes: object) => {
    const entry = parseManifest(JSON.stringify({ models: [embedder(changes)] }), '/own.json').models.get('own');
    return entry ? fingerprintOf(entry) : '';
  };
  const plain = read({});
  expect(plain).toMatch(/^[0-9a-f]{64}$/);
  expect(read({ description: 'x', licence: 'y', source: 'file:z' })).toBe(plain);
  expect(read({ sha256: 'b'.repeat(64) })).not.toBe(plain);
  expect(read({ input: { ...Object(embedder().input), mean: 0 } })).not.toBe(plain);
  expect(read({ input: { ...Object(embedder().input), colour: 'rgb' } })).not.toBe(plain);
});

it('tells encoders apart that are aligned otherwise: their embeddings do not compare', async () => {
  const { models } = await loadManifest(null);
  const entry = models.get('mobilefacenet-512');
  if (!entry) throw new Error('the encoder is missing');
  const own = fingerprintOf(entry);
  expect(fingerprintOf({ ...entry, alignedBy: 'five' })).toBe(own);
  expect(fingerprintOf({ ...entry, alignedBy: 'eyes-bridge' })).not.toBe(own);
  expect(fingerprintOf({ ...entry, mirrored: false })).toBe(own);
  expect(fingerprintOf({ ...entry, mirrored: true })).not.toBe(own);
  expect(models.get('mobilefacenet-512-upper')?.alignedBy).toBe('eyes-bridge');
});

it('tells upper-part encoders apart whose templates are made otherwise', async () => {
  const { models } = await loadManifest(null);
  const [entry, full] = ['mobilefacenet-512-upper', 'mobilefacenet-512'].map((id) => models.get(id));
  if (!entry || !full) throw new Error('an encoder is missing');
  const jointWith = { encoder: fingerprintOf(full), share: 0.5 };
  expect(entry.jointWith).toEqual(jointWith);
  const own = fingerprintOf(entry);
  expect(fingerprintOf({ ...entry, jointWith })).toBe(own);
  expect(fingerprintOf({ ...entry, jointWith: { ...jointWith, share: 0.4 } })).not.toBe(own);
  expect(fingerprintOf({ ...entry, jointWith: { ...jointWith, encoder: SHA } })).not.toBe(own);
  expect(fingerprintOf({ ...entry, jointWith: undefined })).not.toBe(own);
});

it('takes joint templates for upper-part encoders only', () => {
  const jointWith = { encoder: SHA, share: 0.5 };
  const message = messageFor({
    models: [
      embedder({ id: 'a', jointWith }),
      embedder({ id: 'b', part: 'upper', jointWith: { ...jointWith, share: 1.5 } }),
      embedder({ id: 'c', role: 'detector', embedding: undefined, jointWith }),
      embedder({ id: 'd', part: 'upper', jointWith }),
    ],
  });
  expect(message.split('\n')).toEqual([
    '/etc/own.json: models[0].jointWith: belongs to encoders for the upper part only (part: upper)',
    expect.stringContaining('/etc/own.json: models[1].jointWith.share: '),
    '/etc/own.json: models[2].jointWith: belongs to encoders only',
  ]);
});
