import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { identityEvent } from '../../src/events/identity-event.ts';
import { runProgram } from '../rig/program.ts';

it('the demo knows its people, leaves strangers unknown and cleans up', async () => {
  const cwd = await mkdtemp(join(tmpdir(), 'eyeline-demo-test-'));
  try {
    const { code, stdout, stderr } = await runProgram(['demo', '--json', '--seconds', '40'], {
      cwd,
      env: { TMPDIR: cwd },
    });
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const { summary } = lines.at(-1);
    const events = lines.slice(0, -1).map((line) => identityEvent.parse(line));
    console.log(stderr, JSON.stringify(summary));
    expect(code).toBe(0);
    expect(summary.known.length).toBeGreaterThanOrEqual(2);
    expect(summary.unknown).toBeGreaterThanOrEqual(1);
    expect(events.length).toBe(summary.events);
    expect(events.every(({ late }) => !late)).toBe(true);
    expect(await readdir(cwd)).toEqual([]);
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
});
