import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { expect, it, onTestFinished } from 'vitest';
import { registerCrops } from '../../src/commands/crops.ts';
import { sealCrop } from '../../src/privacy/sealed-crop.ts';
import { commandContext } from '../rig/command-context.ts';

const KEY = Buffer.alloc(32, 7);

/** A folder for crops and the command that exports them beside it. */
async function rig() {
  const dir = await mkdtemp(join(tmpdir(), 'eyeline-crops-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const [folder, out, key, config] = ['crops', 'out', 'crops.key', 'eyeline.yaml'].map((name) => join(dir, name)) as [
    string,
    string,
    string,
    string,
  ];
  await writeFile(key, KEY.toString('hex'), { mode: 0o600 });
  await writeFile(config, `privacy: { crops: { folder: ${folder}, key: { file: ${key} } } }\n`);
  const run = async () => {
    const recorded = commandContext();
    const program = new Command('eyeline').exitOverride();
    registerCrops(program, recorded.context);
    await program.parseAsync(['crops', 'export', out, '--config', config], { from: 'user' });
    return recorded;
  };
  return { folder, out, run };
}

it('exports what there is, though a crop is deleted meanwhile', async () => {
  const { folder, out, run } = await rig();
  expect((await run()).printed).toEqual([`0 pictures written to ${out}`]);
  await mkdir(join(folder, '2026-03-10'), { recursive: true });
  const names = ['2026-03-10/a.crop', '2026-03-10/c.crop'];
  for (const name of names) await writeFile(join(folder, name), sealCrop(Buffer.from(name), name, KEY));
  // Listed, and gone when it is read.
  await symlink('nowhere', join(folder, '2026-03-10', 'b.crop'));
  expect(await run()).toMatchObject({ printed: [`2 pictures written to ${out}`], warned: [], status: 0 });
  expect((await readdir(join(out, '2026-03-10'))).sort()).toEqual(['a.jpg', 'c.jpg']);
  expect(await readFile(join(out, '2026-03-10', 'c.jpg'), 'utf8')).toBe(names[1]);
});

it('says that the folder cannot be read', async () => {
  const { folder, run } = await rig();
  await writeFile(folder, 'in the way');
  await expect(run()).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringContaining(`${folder} cannot be read: ENOTDIR`),
  });
});
