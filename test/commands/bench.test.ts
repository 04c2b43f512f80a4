import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findPictureFiles } from '../../src/commands/bench/picture-tree.ts';
import { usageOf } from '../../src/commands/bench/process-usage.ts';
import { table } from '../../src/commands/bench/tables.ts';

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'eyeline-bench-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  return dir;
}

describe('findPictureFiles', () => {
  it('finds pictures at any depth, in order, and nothing else', async () => {
    const dir = await folder();
    await mkdir(join(dir, 'b', 'deep'), { recursive: true });
    for (const name of ['b/deep/2.PNG', 'b/1.jpg', 'a.webp', 'notes.txt', 'b/x.jpg.part']) {
      await writeFile(join(dir, name), '');
    }
    expect(await findPictureFiles(dir)).toEqual(['a.webp', 'b/1.jpg', 'b/deep/2.PNG'].map((name) => join(dir, name)));
  });

  it('takes some at even distances', async () => {
    const dir = await folder();
    const names = Array.from({ length: 10 }, (_, index) => `${index}.jpg`);
    for (const name of names) await writeFile(join(dir, name), '');
    expect(await findPictureFiles(dir, 5)).toEqual(['0', '2', '4', '6', '8'].map((name) => join(dir, `${name}.jpg`)));
    expect(await findPictureFiles(dir, 99)).toHaveLength(10);
  });

  it('says when there are none, or no folder', async () => {
    const dir = await folder();
    await expect(findPictureFiles(dir)).rejects.toMatchObject({ code: 'USAGE', message: /holds no pictures/ });
    await expect(findPictureFiles(join(dir, 'gone'))).rejects.toMatchObject({
      code: 'USAGE',
      message: /cannot be read/,
    });
  });
});

describe('usageOf', () => {
  it('adds up a process and its children, and knows what the runtime says of this one', async () => {
    const usage = await usageOf(process.pid);
    const own = process.memoryUsage.rss() / 2 ** 20;
    expect(usage.processes).toBeGreaterThanOrEqual(1);
    expect(usage.rssMb).toBeGreaterThan(own * 0.8);
    expect(usage.pssMb).toBeGreaterThan(0);
    expect(usage.pssMb).toBeLessThanOrEqual(usage.rssMb);
    const { user, system } = process.cpuUsage();
    expect(usage.cpuMs).toBeGreaterThan(((user + system) / 1000) * 0.8);
  });

  it('knows nothing of a process that is gone', async () => {
    expect(await usageOf(2 ** 22 + 1)).toEqual({ processes: 0, rssMb: 0, pssMb: 0, cpuMs: 0 });
  });
});

it('prints tables that line up', () => {
  expect(
    table(
      ['what', 'ms'],
      [
        ['detect', 2.5],
        ['a', null],
      ],
    ),
  ).toEqual(['| what   |  ms |', '|--------|-----|', '| detect | 2.5 |', '| a      |   - |']);
});
