import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const CHILD = fileURLToPath(new URL('../../src/inference/provider-child.ts', import.meta.url));

it('running a model leaves nothing behind: the telemetry of ONNX Runtime stays off', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'eyeline-telemetry-'));
  try {
    const env: NodeJS.ProcessEnv = { PATH: process.env.PATH, HOME: folder, TMPDIR: folder };
    const child = fork(CHILD, ['cpu'], { execArgv: ['--import', import.meta.resolve('tsx')], env });
    const [[answer], [code]] = await Promise.all([once(child, 'message'), once(child, 'close')]);
    expect([answer, code]).toEqual([null, 0]);
    const left = await readdir(folder, { recursive: true });
    // The loader of the test keeps its cache there.
    expect(left.filter((name) => !name.startsWith('tsx-'))).toEqual([]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
