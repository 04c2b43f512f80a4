import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configSchema } from '../../src/config/schema.ts';
import { holdsEngine, makeEngineFolder } from '../../src/inference/engine-cache.ts';
import { trivialGraph } from '../../src/inference/graph/trivial.ts';
import { openGraph, supportedProviders } from '../../src/inference/onnxruntime-model.ts';
import {
  DEFAULT_SETTINGS,
  engineFolder,
  nativeEnvironment,
  providerAttempts,
} from '../../src/inference/provider-options.ts';
import { PROVIDERS, type Provider } from '../../src/inference/providers.ts';

const cuda = (deviceId: number) => ({ name: 'cuda', deviceId });
const tensorrt = (deviceId: number) => ({ name: 'tensorrt', deviceId });

describe('providerAttempts', () => {
  it.each<[Provider[], number, unknown[]]>([
    [['cpu'], 0, [['cpu', ['cpu'], undefined]]],
    [
      ['cuda', 'cpu'],
      1,
      [
        ['cuda', [cuda(1)], 'cpu'],
        ['cpu', ['cpu'], undefined],
      ],
    ],
    [
      ['tensorrt', 'cuda', 'cpu'],
      0,
      [
        ['tensorrt', [tensorrt(0), cuda(0)], 'cuda'],
        ['cuda', [cuda(0)], 'cpu'],
        ['cpu', ['cpu'], undefined],
      ],
    ],
    [
      ['tensorrt', 'cpu'],
      2,
      [
        ['tensorrt', [tensorrt(2)], 'cpu'],
        ['cpu', ['cpu'], undefined],
      ],
    ],
    [
      ['cuda', 'tensorrt'],
      0,
      [
        ['cuda', [cuda(0)], 'tensorrt'],
        ['tensorrt', [tensorrt(0)], undefined],
      ],
    ],
    [
      ['webgpu', 'cpu'],
      3,
      [
        ['webgpu', ['webgpu'], 'cpu'],
        ['cpu', ['cpu'], undefined],
      ],
    ],
  ])('%j on device %i', (providers, device, expected) => {
    const attempts = providerAttempts(providers, { device });
    expect(attempts.map(({ provider, entries, next }) => [provider, entries, next])).toEqual(expected);
  });
});

describe('nativeEnvironment', () => {
  const settings = { device: 0, fp16: true, engineCache: '/cache', tensorrtWorkspaceMb: 512 };

  it.each([
    [
      'with a cache',
      settings,
      '/cache/encoder/abc',
      {
        ORT_TENSORRT_FP16_ENABLE: '1',
        ORT_TENSORRT_MAX_WORKSPACE_SIZE: '536870912',
        ORT_TENSORRT_ENGINE_CACHE_ENABLE: '1',
        ORT_TENSORRT_TIMING_CACHE_ENABLE: '1',
        ORT_TENSORRT_CACHE_PATH: '/cache/encoder/abc',
      },
    ],
    [
      'without',
      { ...settings, fp16: false, tensorrtWorkspaceMb: 8192 },
      null,
      {
        ORT_TENSORRT_FP16_ENABLE: '0',
        ORT_TENSORRT_MAX_WORKSPACE_SIZE: '8589934592',
        ORT_TENSORRT_ENGINE_CACHE_ENABLE: '0',
        ORT_TENSORRT_TIMING_CACHE_ENABLE: '0',
      },
    ],
  ])('tells TensorRT all of it, %s', (_, given, engines, expected) => {
    expect(nativeEnvironment('tensorrt', given, engines)).toEqual(expected);
  });

  it.each(['cuda', 'webgpu', 'cpu'] as const)('tells %s nothing', (provider) => {
    expect(nativeEnvironment(provider, settings, '/cache/x')).toEqual({});
  });
});

describe('engineFolder', () => {
  const graph = { model: 'mobilefacenet-512', sha256: 'ab12'.repeat(16), runtimeVersion: '1.30.0', fp16: false };

  it('says what the engines are for', () => {
    expect(engineFolder('/var/engines', graph)).toBe('/var/engines/mobilefacenet-512/ab12ab12ab12ab12-ort1.30.0-fp32');
  });

  it.each([
    ['weights', { sha256: 'cd34'.repeat(16) }],
    ['ONNX Runtime', { runtimeVersion: '1.31.0' }],
    ['precision', { fp16: true }],
    ['model', { model: 'own' }],
  ])('is another for another %s', (_, change) => {
    expect(engineFolder('/var/engines', { ...graph, ...change })).not.toBe(engineFolder('/var/engines', graph));
  });
});

describe('the folder for engines', () => {
  let dir = '';
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'eyeline-engines-'));
  });
  afterEach(() => rm(dir, { recursive: true }));
  const about = { model: 'tiny', provider: 'tensorrt', runtimeVersion: '1.30.0' } as const;

  it('is made for a graph, the same for its bytes and its file, and seen to fill', async () => {
    const settings = { ...DEFAULT_SETTINGS, engineCache: join(dir, 'not', 'yet') };
    const folder = (await makeEngineFolder(trivialGraph(), about, settings)) ?? '';
    await writeFile(join(dir, 'graph.onnx'), trivialGraph());
    expect(await makeEngineFolder(join(dir, 'graph.onnx'), about, settings)).toBe(folder);
    expect(await readdir(folder)).toEqual([]);
    expect(await holdsEngine(folder)).toBe(false);
    await writeFile(join(folder, 'TensorrtExecutionProvider_cache_sm87.timing'), '');
    expect(await holdsEngine(folder)).toBe(false);
    await writeFile(join(folder, 'TensorrtExecutionProvider_TRTKernel_graph_x_1_0_0_fp16_sm87.engine'), '');
    expect(await holdsEngine(folder)).toBe(true);
  });

  it('is not made for other providers, nor where none is configured', async () => {
    const settings = { ...DEFAULT_SETTINGS, engineCache: dir };
    expect(await makeEngineFolder(trivialGraph(), { ...about, provider: 'cuda' }, settings)).toBeNull();
    expect(await makeEngineFolder(trivialGraph(), about, { ...settings, engineCache: null })).toBeNull();
    expect(await readdir(dir)).toEqual([]);
  });
});

it('has the defaults of the configuration, but for the folder', () => {
  const { device, engineCache, fp16, tensorrtWorkspaceMb } = configSchema.parse({}).inference;
  expect({ device, fp16, tensorrtWorkspaceMb, engineCache: null }).toEqual(DEFAULT_SETTINGS);
  expect(engineCache).toBe('data/engines');
});

it('sets the environment of a session when it is made', async () => {
  if (!(await supportedProviders()).includes('tensorrt')) return;
  const dir = await mkdtemp(join(tmpdir(), 'eyeline-engines-'));
  const { ORT_TENSORRT_CACHE_PATH: before } = process.env;
  const options = { providers: ['tensorrt' as const], threads: 1, engineCache: dir, fp16: true };
  // Without a GPU it fails, but only once the library looks for its provider.
  await openGraph(trivialGraph(), options, 'trivial').then(
    (graph) => graph.release(),
    () => undefined,
  );
  const { ORT_TENSORRT_CACHE_PATH: folder = '', ORT_TENSORRT_FP16_ENABLE } = process.env;
  await rm(dir, { recursive: true });
  expect(before).not.toBe(folder);
  expect(folder.startsWith(join(dir, 'trivial'))).toBe(true);
  expect(ORT_TENSORRT_FP16_ENABLE).toBe('1');
});

// The binding checks what it is told before it loads a provider, so this holds on machines without a GPU as well.
it('tells the binding nothing it does not understand', async () => {
  const supported = await supportedProviders();
  const tried = PROVIDERS.filter((provider) => supported.includes(provider));
  expect(tried).toContain('cpu');
  for (const provider of tried) {
    const options = { providers: [provider, 'cuda' as const].slice(0, provider === 'tensorrt' ? 2 : 1), threads: 1 };
    const reason = await openGraph(trivialGraph(), options, 'trivial').then(
      (graph) => graph.release().then(() => ''),
      (error: unknown) => String(error),
    );
    expect(reason).not.toMatch(/Invalid argument|unrecognized|unsupported/);
  }
});
