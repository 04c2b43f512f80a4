import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { getPriority } from 'node:os';
import { expect, it, onTestFinished } from 'vitest';
import { lowerPriority } from '../../src/commands/train/lower-priority.ts';

/** A process that is so much nicer than this one and waits. */
async function waiting(nicer: number): Promise<{ readonly child: ChildProcess; readonly pid: number }> {
  const child = spawn('nice', ['-n', `${nicer}`, 'sh', '-c', 'echo up; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return { child, pid: child.pid ?? 0 };
}

it('is lowered to 10 unless told', async () => {
  const { pid } = await waiting(0);
  const before = getPriority(pid);
  lowerPriority(undefined, pid);
  expect(getPriority(pid)).toBe(Math.max(before, 10));
});

it('is left to a process that is nicer already', async () => {
  const { pid } = await waiting(15);
  const before = getPriority(pid);
  expect(before).toBeGreaterThanOrEqual(15);
  lowerPriority(undefined, pid);
  expect(getPriority(pid)).toBe(before);
});

it('is what was asked for', async () => {
  const { pid } = await waiting(0);
  lowerPriority(19, pid);
  expect(getPriority(pid)).toBe(19);
});

it('that the system refuses is told', async () => {
  const { child, pid } = await waiting(0);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(() => lowerPriority(5, pid)).toThrow(
    expect.objectContaining({ code: 'USAGE', message: expect.stringContaining('--nice 5 is refused by the system: ') }),
  );
});
