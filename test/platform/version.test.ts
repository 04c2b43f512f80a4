import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { packageRevision } from '../../src/platform/version.ts';

const git = (folder: string, ...args: string[]) =>
  execFileSync('git', ['-C', folder, '-c', 'user.name=a', '-c', 'user.email=a@b', ...args], { encoding: 'utf8' });

/** A folder of its own with a commit. */
async function repository(): Promise<{ readonly folder: string; readonly revision: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'eyeline-revision-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  git(folder, 'init', '--quiet');
  git(folder, 'commit', '--quiet', '--allow-empty', '-m', folder);
  return { folder, revision: git(folder, 'rev-parse', '--short=12', 'HEAD').trim() };
}

const asRoot = (folder: string) => pathToFileURL(`${folder}/`);

it("is the package's, not that of the folder it is run in", async () => {
  const { folder, revision } = await repository();
  expect(await packageRevision(asRoot(folder))).toBe(revision);
});

it('is known of a worktree', async () => {
  const { folder, revision } = await repository();
  git(folder, 'worktree', 'add', '--quiet', 'beside');
  expect(await packageRevision(asRoot(join(folder, 'beside')))).toBe(revision);
});

it('is that of no repository the package is installed in', async () => {
  const { folder } = await repository();
  const installed = join(folder, 'node_modules/eyeline');
  await mkdir(installed, { recursive: true });
  expect(await packageRevision(asRoot(installed))).toBeNull();
});
