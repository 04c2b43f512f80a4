import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runProgram } from '../rig/program.ts';

describe('the command line', () => {
  let cwd: string;
  beforeAll(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'eyeline-cli-'));
    await writeFile(join(cwd, 'bad.yaml'), 'mqtt:\n  urll: mqtt://x\nrecognition:\n  threshold: 0.48\n');
  });
  afterAll(() => rm(cwd, { recursive: true, force: true }));

  const commands = ['run', 'check-config', 'enroll', 'gallery', 'models', 'dataset', 'doctor', 'demo'];
  it.each(commands)('%s has --help', async (command) => {
    const { code, stdout } = await runProgram([command, '--help'], { cwd });
    expect(stdout).toContain(`Usage: eyeline ${command}`);
    expect(code).toBe(0);
  });

  it.each([
    [['fly'], "unknown command 'fly'"],
    [['run', '--fast'], "unknown option '--fast'"],
    [['demo', '--seconds', 'soon'], 'must be 1 to 86400'],
    [['dataset', 'mask', 'nowhere', 'out'], 'folder nowhere cannot be read'],
    [['dataset', 'mask', 'a', 'b', '--type', 'paper'], '"paper" is none of surgical'],
  ])('%j ends with 2 and one clear line', async (args, message) => {
    const { code, stderr } = await runProgram(args, { cwd });
    expect(stderr).toContain(message);
    expect(stderr.split('\n').filter((line) => line.startsWith('eyeline: '))).toHaveLength(1);
    expect(code).toBe(2);
  });

  it('a wrong configuration ends every command that needs it with 3, all errors at once', async () => {
    for (const command of [['run'], ['check-config'], ['gallery', 'list']]) {
      const { code, stderr } = await runProgram([...command, '-c', 'bad.yaml'], { cwd });
      expect(stderr).toContain('mqtt.urll');
      expect(stderr).toContain('recognition.threshold');
      expect(code).toBe(3);
    }
  });

  it('missing models end with 4 and say what to do', async () => {
    const env = { EYELINE_MODELS_DIR: join(cwd, 'no-models') };
    const { code, stderr } = await runProgram(['run'], { cwd, env });
    expect(stderr).toContain('MODEL_MISSING');
    expect(stderr).toContain('eyeline models pull');
    expect(code).toBe(4);
  });
});
