import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { registerCheckConfig } from '../../src/commands/check-config.ts';
import { commandContext } from '../rig/command-context.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eyeline-check-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function check(text: string, ...flags: string[]) {
  const file = join(folder, 'a.yaml');
  await writeFile(file, text);
  const lines: string[] = [];
  const program = new Command().exitOverride();
  const recorded = commandContext();
  const say = (line: string) => lines.push(line);
  registerCheckConfig(program, { ...recorded.context, print: say, warn: say });
  await program.parseAsync(['check-config', '-c', file, ...flags], { from: 'user' });
  return { file, output: lines.join('\n'), status: recorded.status };
}

const GOOD = `
cameras:
  - {id: door, source: 'rtsp://u:hunter2@cam/1'}
  - {id: yard, source: /dev/video0, enabled: false}
mqtt: {password: hunter2}`;

it('sums a good file up, with warnings and without secrets', async () => {
  const { file, output, status } = await check(GOOD);
  expect(status).toBe(0);
  expect(output).toBe(`${file}: ok
  device   eyeline at site home
  camera   door rtsp://***@cam/1
  camera   yard (disabled) /dev/video0
  models   rfb-320-masked, landmarks-68-masked, mask-state, mobilefacenet-512, mobilefacenet-512-upper in data/models on cpu
  gallery  data/gallery.sqlite
  mqtt     mqtt://localhost:1883, topics eyeline/eyeline/…
warning: cameras[0].source: holds a user name or password; use cameras[0].credentials
warning: mqtt.password: is written in plain text; use {file: path}, {credential: name} or {env: NAME}`);
});

it('prints the whole configuration as JSON', async () => {
  const { output } = await check(GOOD, '--json');
  expect(JSON.parse(output)).toMatchObject({
    ok: true,
    config: { cameras: [{ source: 'rtsp://***@cam/1' }, {}], mqtt: { password: '***' }, log: { level: 'info' } },
    warnings: [expect.any(String), expect.any(String)],
  });
});

it('fails with every error', async () => {
  await expect(check('mqqt: 1\nlog: {level: loud}')).rejects.toMatchObject({
    exitCode: 3,
    message: expect.stringMatching(/:\n {2}log\.level: .*\n {2}mqqt: unknown key/),
  });
});

it('lists the errors as JSON', async () => {
  const { output, status } = await check('mqqt: 1', '--json');
  expect(status).toBe(3);
  expect(JSON.parse(output)).toMatchObject({
    ok: false,
    code: 'CONFIG_INVALID',
    errors: [{ path: 'mqqt', message: 'unknown key (did you mean "mqtt"?)' }],
  });
  const broken = await check('{', '--json');
  expect(JSON.parse(broken.output)).toMatchObject({ ok: false, code: 'CONFIG_UNREADABLE', errors: [] });
});
