import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import {
  type ModelsOfRun,
  requireSameData,
  requireSameModels,
  requireSamePreparation,
  requireSameSettings,
  requireUnseen,
} from '../../src/commands/train/same-run.ts';
import { loadRecipe, parseRecipe, type TrainingRecipe } from '../../src/config/training-recipe.ts';
import { PREPARATION } from '../../src/training/data/prepare-set.ts';
import { RunFolder } from '../../src/training/run/run-folder.ts';

const SHIPPED = [
  'masked-detector',
  'masked-landmarks',
  'masked-encoder',
  'mask-state',
  'classifier-head',
  'hariri-bof',
  'siamese-triplet',
] as const;

async function begun(record: object): Promise<RunFolder> {
  const path = await mkdtemp(join(tmpdir(), 'eyeline-same-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  const folder = new RunFolder(path);
  await folder.begin(record);
  return folder;
}

it.each(SHIPPED)('%s goes on with the settings it began with, and with a description of other words', async (name) => {
  const { recipe } = await loadRecipe(name);
  const folder = await begun({ settings: recipe });
  await requireSameSettings(folder, recipe);
  await requireSameSettings(folder, { ...recipe, description: 'the same' });
});

it.each([
  ['masked-encoder', { steps: 1300 }, 'steps was 1000, is 1300'],
  ['masked-encoder', { cut: null }, 'cut was "Conv_8", is null'],
  ['masked-encoder', { blankFrom: [57, 63] }, 'blankFrom was [57,64], is [57,63]'],
  ['siamese-triplet', { seed: 9 }, 'seed was 1, is 9'],
] as const)('%s is refused %j', async (name, change, said) => {
  const { recipe } = await loadRecipe(name);
  const folder = await begun({ settings: recipe });
  const other = parseRecipe(JSON.stringify({ ...recipe, ...change }), 'a test');
  await expect(requireSameSettings(folder, other)).rejects.toThrow(
    `${folder.path} was begun with other settings: ${said}: put`,
  );
  await expect(requireSameSettings(folder, other)).rejects.toMatchObject({ code: 'USAGE' });
});

it('names all that differs, inner keys as well, and of another kind nothing else', async () => {
  const { recipe } = await loadRecipe('masked-detector');
  const folder = await begun({ settings: recipe });
  const { optimiser, validation } = recipe;
  const changed = { ...recipe, optimiser: { ...optimiser, peak: 0.1 }, validation: { ...validation, fold: 2 } };
  await expect(requireSameSettings(folder, changed)).rejects.toThrow(
    'optimiser.peak was 0.0005, is 0.1; validation.fold was 0, is 2: ',
  );
  const { recipe: landmarks } = await loadRecipe('masked-landmarks');
  await expect(requireSameSettings(folder, landmarks)).rejects.toThrow(
    'settings: kind was "detector", is "landmarks": ',
  );
});

it('a key that came later counts as its default', async () => {
  const { recipe } = await loadRecipe('masked-landmarks');
  const { eyes: _, ...older } = recipe as Extract<TrainingRecipe, { kind: 'landmarks' }>;
  const { lightShare: __, ...degradation } = older.degradation;
  const folder = await begun({ settings: { ...older, degradation } });
  await requireSameSettings(folder, recipe);
  await expect(
    requireSameSettings(folder, { ...recipe, degradation: { ...degradation, lightShare: 0.4 } } as TrainingRecipe),
  ).rejects.toThrow('lightShare was 0, is 0.4');
});

const MODEL = { id: 'one', sha256: 'a'.repeat(64) };
const OTHER = { id: 'two', sha256: 'b'.repeat(64) };
it.each(['model', 'landmarks', 'encoder', 'network'] as const)('is refused another %s', async (part) => {
  const folder = await begun({ model: MODEL, [part]: MODEL });
  await requireSameModels(folder, { [part]: MODEL } satisfies ModelsOfRun);
  await expect(requireSameModels(folder, { [part]: OTHER })).rejects.toThrow(
    `begun with another ${part}: one (SHA-256 aaaaaaaaaaaa…), not two (bbbbbbbbbbbb…)`,
  );
});

it('does not mind another model in use where it is not built on it', async () => {
  await requireSameModels(await begun({ model: MODEL }), {});
});

it('is refused other pictures', async () => {
  const folder = await begun({ data: { fingerprint: 'x' } });
  await requireSameData(folder, 'x');
  await expect(requireSameData(folder, 'y')).rejects.toThrow('was begun with other pictures');
});

it('is not compared with a model that was trained on people it holds out', () => {
  const folder = new RunFolder('runs/one');
  const inUse = { fold: 0, trainedOn: ['/people/ann', '/people/bob'], heldOut: ['/people/cid'] };
  requireUnseen(folder, ['/people/ann'], null);
  requireUnseen(folder, ['/people/cid', '/people/dan'], inUse);
  expect(() => requireUnseen(folder, ['/people/ann', '/people/cid'], inUse)).toThrow(
    'the model in use was trained on 1 of the 2 people whom runs/one holds out',
  );
});

it('is refused faces that a version before prepared, and says which remedy there is', async () => {
  await requireSamePreparation(await begun({ data: { fingerprint: 'x', preparation: PREPARATION } }));
  const before = await begun({ data: { fingerprint: 'x' } });
  await expect(requireSamePreparation(before)).rejects.toMatchObject({
    code: 'USAGE',
    message:
      `${before.path} was begun with faces that another version of eyeline prepared in another way: ` +
      'go on with that version, or begin a new run with another --out',
  });
});
