import { expect, it } from 'vitest';
import { sampleThreadsWithin, withinCores } from '../../src/commands/train/within-cores.ts';
import { testConfig } from '../rig/config.ts';

it.each([
  [2, 1, 1],
  [2, 2, 2],
  [2, 4, 2],
  [1, 4, 1],
])('%i threads that make batches are on %i cores %i', (sampleThreads, cores, threads) => {
  expect(sampleThreadsWithin({ sampleThreads }, cores)).toBe(threads);
});

it.each([0, 3])('models are run on the cores of a training, whatever the daemon has (%i)', async (threads) => {
  const config = await testConfig({ threads });
  const { inference, ...rest } = withinCores(config, 2);
  expect(inference).toEqual({ ...config.inference, threads: 2 });
  expect({ ...rest, inference: config.inference }).toEqual(config);
});
