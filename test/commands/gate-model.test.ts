import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { installIfBetter } from '../../src/commands/train/gate-model.ts';
import { configSchema } from '../../src/config/schema.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { sha256 } from '../../src/inference/files.ts';
import { createModelStore } from '../../src/inference/store.ts';
import { RunFolder } from '../../src/training/run/run-folder.ts';

const OWN = 'landmarks-68';
let dir = '';
let manifest = '';

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'eyeline-gate-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  manifest = join(dir, 'own.json');
  await writeFile(join(dir, 'own.onnx'), 'a model of the user');
  const own = {
    id: OWN,
    role: 'landmarks',
    source: 'file:own.onnx',
    sha256: sha256('a model of the user'),
    licence: 'MIT',
    input: { width: 64, height: 64, channels: 1, colour: 'grey', mean: 0, scale: 1 },
    outputs: [{ name: 'points', shape: [136] }],
  };
  await writeFile(manifest, JSON.stringify({ models: [own] }));
});

/** Installs the bytes of a run that was better; gives what was printed, and the model that the configuration names then. */
async function install(bytes: string, landmarks: string) {
  const config = configSchema.parse({ models: { dir: join(dir, 'models'), manifest, landmarks } });
  const open = () =>
    createModelStore({ dir: config.models.dir, extraManifest: manifest, logger: silentLogger, env: {} });
  const store = await open();
  const folder = new RunFolder(join(dir, bytes));
  await folder.begin({});
  await folder.writeModel(new TextEncoder().encode(bytes));
  const judged = (error: number) => ({ score: -error, figures: { maskedError: error, plainError: error } });
  const { input, outputs } = store.entry(landmarks);
  const outcome = {
    end: 'done' as const,
    state: { step: 1, best: null, withoutGain: 0, elapsedMs: 0 },
    inUse: judged(0.2),
    best: judged(0.1),
    report: null,
    contract: { input, outputs },
    people: { fold: 0, trainedOn: [], heldOut: [] },
  };
  const printed: string[] = [];
  const context = { print: (line: string) => printed.push(line), warn: () => {} };
  const { inUse } = outcome;
  await installIfBetter({ name: 'a test', kind: 'landmarks', folder, outcome, inUse, config, store }, context);
  return { printed, store: await open() };
}

it('installs beside a model of the user, and says which setting to change', async () => {
  const { printed, store } = await install('first', OWN);
  expect(printed[0]).toContain(`installed as ${OWN}-trained since models.manifest has a ${OWN} of its own: `);
  expect(printed[0]).not.toContain('when it is started again');
  expect(printed.slice(1)).toEqual([`  set models.landmarks: ${OWN}-trained`]);
  expect(store.entry(OWN).sha256).toBe(sha256('a model of the user'));
  expect(store.entry(`${OWN}-trained`).sha256).toBe(sha256('first'));

  // Not configured, it was not what the second was compared with, and gives way to it.
  const again = await install('second', OWN);
  expect(again.printed.slice(1)).toEqual([`  set models.landmarks: ${OWN}-trained`]);
  expect(again.store.entry(`${OWN}-trained`).sha256).toBe(sha256('second'));

  const configured = await install('third', `${OWN}-trained`);
  expect(configured.printed).toEqual([expect.stringMatching(/installed as landmarks-68-trained: .* started again$/)]);
  expect(configured.store.entry(`${OWN}-trained`).sha256).toBe(sha256('third'));
  const { models } = JSON.parse(await readFile(join(dir, 'models/trained.json'), 'utf8'));
  expect(models).toHaveLength(1);
});
