import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { classifierParts } from '../../src/commands/train/classifier-parts.ts';
import { parseRecipe, type RecipeOf } from '../../src/config/training-recipe.ts';
import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { InferenceThread } from '../../src/inference/inference-thread.ts';
import { ModelBatcher } from '../../src/inference/model-batcher.ts';
import { createModelStore } from '../../src/inference/store.ts';
import { MODELS_DIR, testConfig } from '../rig/config.ts';
import { withNoiseFaces } from '../training/noise-faces.ts';
import { openSession } from '../training/step-rig.ts';

it('a classifier asks its encoder on the cores it may use', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'eyeline-classifier-cores-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const settings = { kind: 'classifier', features: 'embedding', batch: 2, steps: 1, optimiser: { peak: 0.1 } };
  const recipe = parseRecipe(JSON.stringify(settings), 'recipe') as RecipeOf<'classifier'>;
  // All cores, unless told otherwise.
  const config = await testConfig({ threads: 0 });
  const store = await createModelStore({ dir: MODELS_DIR, extraManifest: null, logger: silentLogger });
  const thread = new InferenceThread(silentLogger);
  onTestFinished(() => thread.close());
  const landmarks = await thread.open(store, config.models.landmarks, { ...config.inference, threads: 1 });
  const opened = vi.spyOn(InferenceThread.prototype, 'open');
  onTestFinished(() => opened.mockRestore());
  await withNoiseFaces(4, { masked: true }, async (faces) => {
    const context = {
      config,
      store,
      faces,
      folder,
      split: { train: [], validation: [0, 1, 2, 3] },
      signal: new AbortController().signal,
      open: openSession,
      block: null,
      cores: 1,
      openModel: async () => new ModelBatcher(landmarks, systemClock).lane(''),
      say: () => {},
    };
    const { classes } = await classifierParts(recipe, context, context.split);
    expect(classes).toBe(2);
  });
  expect(opened).toHaveBeenCalled();
  for (const [, model, { threads }] of opened.mock.calls) expect({ model, threads }).toEqual({ model, threads: 1 });
});
