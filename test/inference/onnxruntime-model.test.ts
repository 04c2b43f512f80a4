import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import type { Logger } from '../../src/core/logger.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { node } from '../../src/inference/graph/nodes.ts';
import { prepareGraph } from '../../src/inference/graph/prepare.ts';
import { ModelBatcher } from '../../src/inference/model-batcher.ts';
import { openOnnxModel, probeProviders, supportedProviders } from '../../src/inference/onnxruntime-model.ts';
import { probeProvider } from '../../src/inference/providers.ts';
import { filesOf, tinyEmbedder, tinyEmbedding } from './graphs.ts';
import { TINY_SIZE, tinyBytes, tinyModel, useTinyModelFile } from './tiny-model.ts';

const { dir, files } = useTinyModelFile();
const picture = (seed: number) => Uint8Array.from(tinyBytes(seed));
const openBare = (options: Partial<Parameters<typeof openOnnxModel>[2]> = {}) =>
  openOnnxModel(files(), 'tiny', { providers: ['cpu'], threads: 1, logger: silentLogger, ...options });
/** The model as its users have it. */
const open = async () => {
  const batcher = new ModelBatcher(await openBare(), systemClock);
  return { run: batcher.lane('test').run, close: () => batcher.close() };
};

it.each([1, 3, 4, 5, 11])('gives a row a picture, in order, for a batch of %i', async (count) => {
  const model = await open();
  const pictures = Array.from({ length: count }, (_, index) => picture(index));
  const { embedding } = await model.run(pictures);
  expect(embedding?.shape).toEqual([count, 4]);
  expect(embedding?.data).toHaveLength(count * 4);
  for (const [row, bytes] of pictures.entries()) {
    for (const [column, value] of tinyEmbedding([...bytes]).entries()) {
      expect(embedding?.data[row * 4 + column]).toBeCloseTo(value, 1);
    }
  }
  await model.close();
});

it('keeps runs that overlap apart', async () => {
  const model = await open();
  const results = await Promise.all([0, 1, 2, 3].map((seed) => model.run([picture(seed), picture(seed + 10)])));
  for (const [seed, { embedding }] of results.entries()) {
    expect(embedding?.data[0]).toBeCloseTo(tinyEmbedding([...picture(seed)])[0] ?? 0, 1);
    expect(embedding?.data[4]).toBeCloseTo(tinyEmbedding([...picture(seed + 10)])[0] ?? 0, 1);
  }
  await model.close();
});

it('refuses a picture of another size, and takes the next', async () => {
  const model = await open();
  await expect(model.run([picture(0), new Uint8Array(TINY_SIZE - 1)])).rejects.toThrow(
    new RangeError(`model tiny: picture 1 has ${TINY_SIZE - 1} bytes; 9x8x3 are ${TINY_SIZE}`),
  );
  expect((await model.run([picture(0)])).embedding?.shape).toEqual([1, 4]);
  await model.close();
});

it('finishes what runs before it closes, and runs no more', async () => {
  const model = await open();
  const running = model.run(Array<Uint8Array>(9).fill(picture(1)));
  await model.close();
  expect((await running).embedding?.shape).toEqual([9, 4]);
  await expect(model.run([picture(0)])).rejects.toThrow('model tiny is closed');
});

it('takes the next provider where one does not work, with one line each', async () => {
  const lines: string[] = [];
  const say = (_fields: object, message: string) => lines.push(message);
  const logger: Logger = { debug() {}, info: say, warn: say, error: say };
  const model = await openBare({
    providers: ['tensorrt', 'cuda', 'cpu'],
    logger,
    probe: async (provider) => ({ provider, works: false, reason: `no ${provider} here`, elapsedMs: 1 }),
  });
  expect(model.provider).toBe('cpu');
  expect(lines).toEqual([
    'model tiny: provider tensorrt does not work (no tensorrt here); trying cuda',
    'model tiny: provider cuda does not work (no cuda here); trying cpu',
    'model tiny runs on cpu',
  ]);
  await model.close();
});

it('names every provider and reason when none works', async () => {
  const probe = async (provider: 'cuda') => ({ provider, works: false, reason: 'no device', elapsedMs: 1 });
  await expect(openBare({ providers: ['cuda'], probe: probe as never })).rejects.toMatchObject({
    code: 'PROVIDER_UNAVAILABLE',
    message: 'model tiny: no provider works: cuda: no device',
  });
  const broken = join(dir(), 'broken.onnx');
  await writeFile(broken, 'no graph');
  await expect(
    openOnnxModel(filesOf(tinyModel, broken), 'tiny', { providers: ['cpu'], threads: 1, logger: silentLogger }),
  ).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE', message: expect.stringContaining('cpu: ') });
});

it('does not take a provider that computes no numbers', async () => {
  const zero = [node('Sub', ['product', 'product'], 'zero'), node('Div', ['product', 'zero'], 'embedding')];
  const file = join(dir(), 'infinite.onnx');
  await writeFile(file, prepareGraph(tinyEmbedder({ input: [1, 9, 8, 3], flatten: [1, -1], tail: zero }), tinyModel));
  await expect(
    openOnnxModel(filesOf(tinyModel, file), 'tiny', { providers: ['cpu'], threads: 1, logger: silentLogger }),
  ).rejects.toMatchObject({ message: expect.stringContaining('output embedding holds no finite numbers') });
});

it('finds that a provider works whose process does not end', async () => {
  // As a driver that hangs on its way out.
  const stay = join(dir(), 'stay.cjs');
  await writeFile(stay, 'setInterval(() => {}, 1000);');
  vi.stubEnv('NODE_OPTIONS', `--require=${stay}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(await probeProvider('cpu')).toMatchObject({ provider: 'cpu', works: true, reason: null });
}, 30_000);

it('tries providers in processes of their own', async () => {
  expect(await supportedProviders()).toContain('cpu');
  const [cpu] = await probeProviders(['cpu']);
  expect(cpu).toMatchObject({ provider: 'cpu', works: true, reason: null });
  const refused = await probeProvider('nonsense' as never);
  expect(refused).toMatchObject({ works: false, reason: 'not a provider' });
});

it('loads the runtime only when a model is opened', () => {
  const script = `
    import '${new URL('../../src/inference/onnxruntime-model.ts', import.meta.url)}';
    import '${new URL('../../src/inference/store.ts', import.meta.url)}';
    const maps = (await import('node:fs')).readFileSync('/proc/self/maps', 'utf8');
    console.log(maps.includes('libonnxruntime'));
  `;
  const out = execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  expect(out.trim()).toBe('false');
});
