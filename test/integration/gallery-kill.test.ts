import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { openGalleryStore } from '../../src/gallery/sqlite-gallery-store.ts';

const WRITER = fileURLToPath(new URL('./gallery-writer.ts', import.meta.url));
const ENCODER = { fingerprint: 'encoder-a', dimension: 512 };

function galleryFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'eyeline-gallery-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'gallery.sqlite');
}

function startWriter(file: string, prefix: string, limit?: number): ChildProcess {
  const args = ['--import', 'tsx', WRITER, file, prefix, ...(limit === undefined ? [] : [String(limit)])];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

it('loses nothing it acknowledged when the process is killed, again and again', async () => {
  const file = galleryFile();
  const acknowledged: string[] = [];
  for (let round = 0; round < 10; round++) {
    const child = startWriter(file, `round-${round}`);
    const closed = once(child, 'close');
    let lines = 0;
    for await (const line of createInterface({ input: child.stdout ?? process.stdin })) {
      acknowledged.push(line);
      // The writer goes on meanwhile, so the kill hits it anywhere in a change.
      if (++lines === 3 + round * 2) child.kill('SIGKILL');
    }
    expect((await closed)[1]).toBe('SIGKILL');
    expect(lines).toBeGreaterThanOrEqual(3);

    const store = openGalleryStore(file, { logger: silentLogger, clock: systemClock });
    const people = store.listPeople();
    const templates = store.loadTemplates(ENCODER);
    const whole = new Set(people.filter((it) => it.templates === 3).map(({ name }) => name));
    expect(acknowledged.filter((name) => !whole.has(name))).toEqual([]);
    // Each change counted exactly once, and none in part: a person and then all three templates, or none.
    expect(people.filter((it) => it.templates !== 3 && it.templates !== 0)).toEqual([]);
    expect(store.version()).toBe(people.length + whole.size);
    expect(templates.owners).toHaveLength(3 * whole.size);
    store.close();
  }
});

it('lets several processes create and fill the same gallery at once', async () => {
  const file = galleryFile();
  const children = ['a', 'b', 'c'].map((prefix) => startWriter(file, prefix, 15));
  for (const child of children) child.stdout?.resume();
  const statuses = await Promise.all(children.map(async (child) => (await once(child, 'close'))[0]));
  expect(statuses).toEqual([0, 0, 0]);
  const store = openGalleryStore(file, { logger: silentLogger, clock: systemClock });
  onTestFinished(() => store.close());
  expect(store.listPeople().map((it) => it.templates)).toEqual(Array.from({ length: 45 }, () => 3));
  expect(store.version()).toBe(90);
});
