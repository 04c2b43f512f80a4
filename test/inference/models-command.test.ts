import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { registerModels } from '../../src/commands/models.ts';
import { commandContext } from '../rig/command-context.ts';
import { tinyEmbedder, tinyEntry } from './graphs.ts';

let dir = '';
let printed: string[] = [];
let status = 0;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'eyeline-models-'));
  const graph = tinyEmbedder({ input: [1, 3, 9, 8], flatten: [1, -1] });
  await writeFile(join(dir, 'own.onnx'), graph);
  const sha256 = createHash('sha256').update(graph).digest('hex');
  const entry = { ...tinyEntry(), id: 'own', source: 'file:own.onnx', sha256 };
  await writeFile(join(dir, 'own.json'), JSON.stringify({ models: [entry] }));
});

afterEach(async () => {
  await rm(dir, { recursive: true });
});

async function models(...args: string[]): Promise<void> {
  const program = new Command().exitOverride();
  const recorded = commandContext();
  registerModels(program, recorded.context);
  const places = ['--models-dir', join(dir, 'models'), '--manifest', join(dir, 'own.json')];
  try {
    await program.parseAsync(['models', ...args, ...places], { from: 'user' });
  } finally {
    ({ printed, status } = recorded);
  }
}

it('pulls, verifies and lists a model of ones own', async () => {
  await models('pull', 'own');
  expect(printed).toEqual(['preparing own', `1 ready in ${join(dir, 'models')}`]);
  await models('verify', 'own');
  expect([printed, status]).toEqual([['own: ok'], 0]);
  await models('list', '--json');
  const { items } = JSON.parse(printed.join('\n')) as { items: { id: string; state: string }[] };
  expect(items.find(({ id }) => id === 'own')).toMatchObject({ kind: 'encoder', state: 'ready', licence: 'MIT' });
  expect(items.find(({ id }) => id === 'rfb-320')).toMatchObject({ state: 'missing' });
  await models('list');
  expect(printed[0]).toMatch(/^ID +KIND +STATE +LICENCE +SOURCE$/);
});

it('names what is missing or changed, and ends with the status of that', async () => {
  await models('pull', 'own', '--json');
  expect(JSON.parse(printed.join('\n'))).toEqual({ dir: join(dir, 'models'), ready: ['own'] });
  const [name = ''] = await readdir(join(dir, 'models', 'sources'));
  await writeFile(join(dir, 'models', 'sources', name), 'changed');
  await models('verify', 'own', 'rfb-320', '--json');
  const { results } = JSON.parse(printed.join('\n')) as { results: unknown[] };
  expect(results).toMatchObject([
    { id: 'own', ok: false, code: 'MODEL_CORRUPT' },
    { id: 'rfb-320', ok: false, code: 'MODEL_MISSING' },
  ]);
  expect(status).toBe(4);
  await expect(models('verify', 'nothing')).rejects.toMatchObject({ code: 'MODEL_UNKNOWN' });
});
