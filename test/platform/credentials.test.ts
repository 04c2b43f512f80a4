import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readCredentials, readSecret } from '../../src/platform/credentials.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eyeline-secret-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function secretFile(name: string, text: string, mode = 0o600): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  await chmod(path, mode);
  return path;
}

it('takes a secret in the clear, of a variable, of a file, of systemd', async () => {
  expect(await readSecret('plain', {})).toBe('plain');
  expect(await readSecret({ env: 'P' }, { P: 'of env' })).toBe('of env');
  expect(await readSecret({ file: await secretFile('a', 'of file\n') }, {})).toBe('of file');
  expect(await readSecret({ credential: 'a' }, { CREDENTIALS_DIRECTORY: folder })).toBe('of file');
});

it.each([
  ['two newlines\n\n', 'two newlines\n'],
  ['windows\r\n', 'windows'],
  [' blanks ', ' blanks '],
])('%j is the secret %j', async (text, secret) => {
  expect(await readSecret({ file: await secretFile('trim', text) }, {})).toBe(secret);
});

it('warns when others may read the file', async () => {
  for (const [mode, count] of [
    [0o600, 0],
    [0o400, 0],
    [0o640, 1],
    [0o604, 1],
  ] as const) {
    const warnings: string[] = [];
    const file = await secretFile('mode', 'hunter2', mode);
    await readSecret({ file }, {}, (message) => warnings.push(message));
    expect(warnings).toEqual(Array(count).fill(`secret file ${file} can be read by others (chmod 600 ${file})`));
  }
});

it('names what cannot be read', async () => {
  const missing = join(folder, 'missing');
  const empty = await secretFile('empty', '\n');
  const code = 'SECRET_UNREADABLE';
  await expect(readSecret({ file: missing }, {})).rejects.toMatchObject({
    code,
    message: `secret file ${missing} cannot be read (ENOENT)`,
  });
  await expect(readSecret({ file: empty }, {})).rejects.toMatchObject({
    code,
    message: `secret file ${empty} is empty`,
  });
  await expect(readSecret({ env: 'P' }, {})).rejects.toMatchObject({
    code,
    message: 'environment variable P is not set',
  });
  await expect(readSecret({ credential: 'c' }, {})).rejects.toMatchObject({
    code,
    message: 'systemd credential "c": not started by systemd with credentials',
  });
  await expect(readSecret({ credential: 'c' }, { CREDENTIALS_DIRECTORY: folder })).rejects.toMatchObject({
    code,
    message: 'systemd credential "c" cannot be read (ENOENT)',
  });
});

it('fetches user name and password of a camera', async () => {
  const credentials = { username: 'u', password: { env: 'P' } };
  expect(await readCredentials({ id: 'door', credentials }, { P: 'p' })).toEqual({ username: 'u', password: 'p' });
  expect(await readCredentials({ id: 'door', credentials: null }, {})).toBeNull();
  await expect(readCredentials({ id: 'door', credentials }, {})).rejects.toMatchObject({
    code: 'SECRET_UNREADABLE',
    message: 'camera door: environment variable P is not set',
  });
});
