import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { expect, it, onTestFinished } from 'vitest';
import { registerTrain } from '../../src/commands/train.ts';
import { commandContext } from '../rig/command-context.ts';

/** Asks to go on with a run that is not there: what is refused before that is refused for its options. */
async function train(...args: string[]): Promise<void> {
  const out = await mkdtemp(join(tmpdir(), 'eyeline-train-command-'));
  onTestFinished(() => rm(out, { recursive: true, force: true }));
  const program = new Command('eyeline').exitOverride();
  registerTrain(program, commandContext().context);
  await program.parseAsync(['train', ...args, '--data', 'people', '--out', out, '--resume'], { from: 'user' });
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
