import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Template } from '../../src/gallery/template.ts';
import { createLogger, logDestination } from '../../src/platform/logger.ts';
import { device, fleet } from '../gallery/fleet-device.ts';
import { given, NOW, person } from '../gallery/fleet-rig.ts';
import { ManualClock, openStore, template, temporaryFolder } from '../gallery/gallery-rig.ts';

const DIMENSION = 512;
const DISK_KB = 8192;
const canMount = process.getuid?.() === 0 && process.platform === 'linux';

/** A unit vector that no compression makes small. */
function anyone(): Float32Array {
  const values = Array.from(randomBytes(DIMENSION), (byte) => byte - 127.5);
  const norm = Math.hypot(...values);
  return Float32Array.from(values, (value) => value / norm);
}

const crowd = (letter: string, count: number) =>
  Array.from({ length: count }, (_, i) => {
    const templates: Template[] = [given(anyone(), { pictureSha256: randomBytes(32).toString('hex') })];
    return person(`${letter}${String(i).padStart(3, '0')}`, 0, { templates });
  });

/** A file system of 8 MB in memory, and how to leave so much of it free. */
function smallDisk() {
  const disk = join(temporaryFolder(), 'disk');
  mkdirSync(disk);
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_KB}k`, 'tmpfs', disk]);
  // SQLite's statements hold the file until they are collected.
  onTestFinished(() => void execFileSync('umount', ['-l', disk]));
  const filler = join(disk, 'filler');
  const leave = (kb: number) => {
    rmSync(filler, { force: true });
    const { bavail, bsize } = statfsSync(disk);
    writeFileSync(filler, Buffer.alloc(Math.max(0, bavail * bsize - kb * 1024)));
  };
  return { disk, leave, clear: () => rmSync(filler, { force: true }) };
}

describe.skipIf(!canMount)('a full disk (as root: mounts a small file system)', () => {
  it('a version that does not fit is refused, and the gallery stays as it was', async () => {
    const { disk, leave, clear } = smallDisk();
    const { keys, put, release, server } = await fleet();
    const store = openStore(join(disk, 'gallery.sqlite'), new ManualClock(NOW));
    // As if there had been enough when it began: somebody else fills the disk meanwhile.
    const room = { freeBytes: async () => Number.POSITIVE_INFINITY };
    const changes = { gallery: store, folder: join(disk, 'sync'), encoder: null, ...room };
    const door = device(keys, server.url, changes);
    await put(crowd('a', 20));
    await release();
    await door.sync();
    const before = store.changesSince(0);
    expect(before.people).toHaveLength(20);

    await put(crowd('b', 300), ['a000']);
    const { bundles } = await release();
    const fullKb = Math.ceil((bundles[0]?.bytes ?? 0) / 1024);
    const refusedAt: number[] = [];
    // From a disk on which nothing fits, over one that holds the bundle but not the gallery with it, to one that has room.
    for (const kb of [0, 32, fullKb / 2, fullKb, fullKb + 64, fullKb * 1.5, fullKb * 2, fullKb * 2.5].map(Math.round)) {
      leave(kb);
      const failure = await door.sync().then(
        () => null,
        (error: unknown) => error,
      );
      if (failure === null) break;
      refusedAt.push(kb);
      expect(failure, `${kb} kB`).toMatchObject({ code: 'SYNC_NO_SPACE' });
      expect(store.changesSince(0), `${kb} kB`).toEqual(before);
    }
    // The bundle alone had room, what it makes of the gallery had not.
    expect(refusedAt.at(-1)).toBeGreaterThan(fullKb);
    clear();
    await door.sync();
    const ids = store.listPeople().map(({ id }) => id);
    expect([ids.length, ids.includes('a000'), ids.includes('b299')]).toEqual([319, false, true]);
    // What was read is what is on the disk.
    const again = openStore(join(disk, 'gallery.sqlite'), new ManualClock(NOW));
    expect(again.listPeople()).toEqual(store.listPeople());
  });

  it('by itself a device asks first whether there is room', async () => {
    const { disk, leave } = smallDisk();
    const { keys, put, release, server } = await fleet();
    const store = openStore(join(disk, 'gallery.sqlite'), new ManualClock(NOW));
    const door = device(keys, server.url, { gallery: store, folder: join(disk, 'sync'), encoder: null });
    await put(crowd('a', 3));
    await release();
    leave(2000);
    await expect(door.sync()).rejects.toMatchObject({ code: 'SYNC_NO_SPACE' });
    await expect(door.sync()).rejects.toThrow(/needs \d+ MB of disk, 3 MB are free/);
    expect(server.requests.filter(({ path }) => path.startsWith('/bundles/'))).toEqual([]);
  });

  it('an enrolment that does not fit changes nothing and says why', () => {
    const { disk, leave, clear } = smallDisk();
    const file = join(disk, 'gallery.sqlite');
    const store = openStore(file);
    const anna = store.ensurePerson('Anna');
    store.addTemplates(anna.id, [template(anyone())]);
    const before = store.changesSince(0);
    leave(0);
    let enrolled = 0;
    const fill = () => {
      // What the journal has room for already may still go in: until it has not.
      for (let i = 0; i < 10_000; i++) {
        store.atOnce(() => {
          const { id } = store.ensurePerson(`Ben ${i}`);
          for (let j = 0; j < 5; j++) store.addTemplates(id, [template(anyone())]);
        });
        enrolled++;
      }
    };
    expect(fill).toThrow(/cannot be written: the disk is full/);
    // All of each person, or nothing.
    const people = store.changesSince(0).people;
    expect(people).toHaveLength(before.people.length + enrolled);
    for (const { name, templates } of people) expect(templates, name).toHaveLength(name === 'Anna' ? 1 : 5);
    expect(store.loadTemplates({ fingerprint: 'encoder-a', dimension: DIMENSION }).owners).toHaveLength(
      1 + 5 * enrolled,
    );
    clear();
    store.addTemplates(store.ensurePerson('Carl').id, [template(anyone())]);
    expect(openStore(file).listPeople()).toHaveLength(before.people.length + enrolled + 1);
  });

  it('a log on it loses nothing that fits into memory, and the program goes on', () => {
    const { disk, leave, clear } = smallDisk();
    const file = join(disk, 'eyeline.log');
    const fd = openSync(file, 'w');
    onTestFinished(() => closeSync(fd));
    const logger = createLogger({ level: 'info', destination: logDestination(fd) });
    const told = () => readFileSync(file, 'utf8').trim().split('\n');
    leave(0);
    // The first page may still have been taken; what does not fit any more waits.
    for (let line = 0; line < 100; line++) logger.info({ line, text: 'x'.repeat(1000) }, 'a line that waited');
    expect(told().length).toBeLessThan(100);
    clear();
    logger.info({ line: 100 }, 'there is room again');
    expect(told().map((line) => JSON.parse(line).line)).toEqual(Array.from({ length: 101 }, (_, line) => line));
  });
});
