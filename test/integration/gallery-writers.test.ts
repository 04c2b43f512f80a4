import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { openStore, temporaryFolder } from '../gallery/gallery-rig.ts';

const WRITER = fileURLToPath(new URL('./gallery-writer.ts', import.meta.url));
const PEOPLE = 15;

it('lets several processes create and fill the same gallery at once', async () => {
  const file = join(temporaryFolder(), 'gallery.sqlite');
  const children = ['a', 'b', 'c'].map((prefix) => {
    const child = fork(WRITER, [file, prefix, String(PEOPLE)], { execArgv: ['--import', 'tsx'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    return child;
  });
  const statuses = await Promise.all(children.map(async (child) => (await once(child, 'close'))[0]));
  expect(statuses).toEqual([0, 0, 0]);
  const store = openStore(file);
  expect(store.listPeople().map((it) => it.templates)).toEqual(Array.from({ length: 3 * PEOPLE }, () => 3));
  expect(store.version()).toBe(2 * 3 * PEOPLE);
});
