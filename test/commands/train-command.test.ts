import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { expect, it, onTestFinished } from 'vitest';
import { registerTrain } from '../../src/commands/train.ts';
import { commandContext } from '../rig/command-context.ts';

/** A folder that is removed afterwards. */
async function scratch(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'eyeline-train-command-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function run(...args: string[]): Promise<void> {
  const program = new Command('eyeline').exitOverride();
  registerTrain(program, commandContext().context);
  await program.parseAsync(['train', ...args], { from: 'user' });
}

/** Asks to go on with a run that is not there: what is refused before that is refused for its options. */
async function train(...args: string[]): Promise<void> {
  await run(...args, '--data', 'people', '--out', await scratch(), '--resume');
}

it.each(['masked-detector', 'masked-landmarks', 'mask-state'])('%s takes no landmarks', async (recipe) => {
  const refused = expect(train(recipe, '--landmarks', 'model.onnx')).rejects;
  await refused.toMatchObject({
    code: 'USAGE',
    message: `--landmarks is what faces are aligned by, for recipes of kind encoder, siamese, classifier; ${recipe} aligns none: leave it out`,
  });
});

it.each(['all', 'masked-encoder', 'siamese-triplet', 'classifier-head', 'hariri-bof'])(
  '%s takes landmarks',
  async (recipe) => {
    await expect(train(recipe, '--landmarks', 'model.onnx')).rejects.toThrow('holds no run to go on with');
  },
);

it.each([
  ['', 'taken'],
  ['/run', 'taken'],
])('says before it prepares anything that --out names a file%s', async (below, file) => {
  const folder = await scratch();
  await writeFile(join(folder, file), '');
  const out = join(folder, file) + below;
  await expect(run('all', '--data', 'no people', '--out', out)).rejects.toMatchObject({
    code: 'OUTPUT_UNWRITABLE',
    message: `${out}/masked-detector cannot be written: ${join(folder, file)} is no folder`,
  });
});
