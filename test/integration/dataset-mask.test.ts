import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { decodePicture, encodeJpeg, encodePicture } from '../../src/capture/opencv-picture.ts';
import { addDataset } from '../../src/commands/dataset.ts';
import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { createModelStore } from '../../src/inference/store.ts';
import { commandContext } from '../rig/command-context.ts';
import { MODELS_DIR } from '../rig/config.ts';

/** The command on the project's photos, by real processes with the real models. */
let folder: string;
let faces: string;
let people: string;
let out: string;
let rounds = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eyeline-dataset-'));
  const store = await createModelStore({ dir: MODELS_DIR, extraManifest: null, logger: silentLogger });
  await store.pull([...store.modelIds, ...store.pictureIds]);
  faces = join(folder, 'in');
  people = join(folder, 'people');
  const put = async (name: string, bytes: Uint8Array) => {
    await mkdir(dirname(join(faces, name)), { recursive: true });
    await writeFile(join(faces, name), bytes);
  };
  // Small enough to be quick: half their size and less.
  for (const [index, id] of ['sample1', 'sample2', 'sample3'].entries()) {
    const picture = await decodePicture(await readFile(await store.file(id)), id);
    const scale = 480 / Math.max(picture.width, picture.height);
    const size = { width: Math.round(picture.width * scale), height: Math.round(picture.height * scale) };
    const rgb = await picture.fit(size);
    picture.release();
    await put(`person ${index}/${id}.jpg`, await encodeJpeg(rgb, size));
    if (index === 0) await put('person 0/more/again.PNG', await encodePicture(rgb, size, '.png'));
  }
  const grey = await encodeJpeg(new Uint8Array(120 * 90 * 3).fill(128), { width: 120, height: 90 });
  await put('nobody/wall.jpg', grey);
  await put('nobody/torn.jpg', Buffer.from('ffd8ffe000104a46', 'hex'));
  await put('nobody/read me.txt', Buffer.from('not a picture'));
  await mkdir(people);
});

afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(() => {
  out = join(folder, `out ${rounds++}`);
});

async function run(...args: string[]) {
  const recorded = commandContext({ env: { ...process.env, EYELINE_MODELS_DIR: MODELS_DIR } });
  const { context, printed, warned } = recorded;
  const program = new Command('eyeline')
    .exitOverride()
    .configureOutput({ writeErr: (text) => warned.push(text), writeOut: (text) => printed.push(text) });
  addDataset(program, context, systemClock);
  await program.parseAsync(['dataset', 'mask', ...args], { from: 'user' });
  return { printed, warned, status: recorded.status };
}

async function filesOf(folder: string): Promise<Map<string, string>> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const hashes = await Promise.all(
    files.map(async (file) => {
      const hash = createHash('sha256')
        .update(await readFile(file))
        .digest('hex');
      return [file.slice(folder.length + 1), hash] as const;
    }),
  );
  return new Map(hashes.sort(([a], [b]) => (a < b ? -1 : 1)));
}

describe('eyeline dataset mask', () => {
  it('masks a tree, keeps its names, counts what it left out, and does the same again', async () => {
    const { printed, status } = await run(faces, out, '--json', '--workers', '2');
    const summary = JSON.parse(printed.join('\n'));
    expect(summary).toMatchObject({
      pictures: 6,
      masked: 4,
      withoutFace: 1,
      unreadable: [{ picture: 'nobody/torn.jpg', reason: expect.stringContaining('torn.jpg') }],
      notPictures: 1,
      notReached: 0,
      workers: 2,
      seed: 1,
      preview: null,
    });
    expect(summary.picturesPerSecond).toBeGreaterThan(0);
    expect(status).toBe(0);
    const written = await filesOf(out);
    expect([...written.keys()]).toEqual([
      'person 0/more/again.PNG',
      'person 0/sample1.jpg',
      'person 1/sample2.jpg',
      'person 2/sample3.jpg',
    ]);
    // The same masks by one process as by two.
    await run(faces, `${out} again`, '--workers', '1');
    expect(await filesOf(`${out} again`)).toEqual(written);
    // The largest face is another picture now, and only a part of it.
    const [before, after] = await Promise.all(
      [faces, out].map(async (from) => {
        const picture = await decodePicture(await readFile(join(from, 'person 0/more/again.PNG')), from);
        const rgb = await picture.fit(picture);
        picture.release();
        return rgb;
      }),
    );
    const changed = after?.filter((value, index) => value !== before?.[index]).length ?? 0;
    expect(after).toHaveLength(before?.length ?? 0);
    expect(changed).toBeGreaterThan(200);
    expect(changed).toBeLessThan((before?.length ?? 0) / 3);
  });

  it('draws what is asked for, and writes a preview', async () => {
    const sheet = join(folder, 'sheet.png');
    const args = ['--type', 'n95,gas', '--fit', 'high', '--colour', 'red,#112233', '--preview', sheet, '--limit', '5'];
    const { printed } = await run(faces, out, ...args);
    const picture = await decodePicture(await readFile(sheet), 'sheet');
    // One pair of 180 pixels across, with 6 around; two rows, one for each type.
    expect(picture).toMatchObject({ width: 372, height: 378 });
    picture.release();
    expect(printed.at(0)).toMatch(/^unreadable {2}.*nobody\/torn\.jpg: not a picture/);
    expect(printed.join('\n')).toMatch(/3 of 5 pictures masked in .*: .*(n95|gas).* \(3 worn\)/);
    expect(printed.join('\n')).toContain(`preview         ${sheet}`);
  });

  it('takes only plain pictures where there are masked ones beside them', async () => {
    await mkdir(join(people, 'anna', 'plain'), { recursive: true });
    await mkdir(join(people, 'anna', 'masked'), { recursive: true });
    for (const kind of ['plain', 'masked']) {
      await copyFile(join(faces, 'person 0/sample1.jpg'), join(people, 'anna', kind, '1.jpg'));
    }
    await run(people, out);
    expect([...(await filesOf(out)).keys()]).toEqual(['anna/plain/1.jpg']);
  });
});

describe('eyeline dataset mask refuses', () => {
  it('a folder without pictures', async () => {
    const empty = join(folder, 'empty');
    await mkdir(empty, { recursive: true });
    await expect(run(empty, out)).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('holds no pictures'),
    });
    await expect(run(join(folder, 'nowhere'), out)).rejects.toMatchObject({ code: 'USAGE' });
  });

  it('folders that hold one another, and leaves both as they are', async () => {
    const before = await filesOf(faces);
    for (const [from, to, message] of [
      [faces, join(faces, 'masked'), 'masked is in'],
      [faces, folder, 'in is in'],
      [faces, faces, 'is in'],
    ] as const) {
      await expect(run(from, to, '--force')).rejects.toMatchObject({
        code: 'USAGE',
        message: expect.stringContaining(message),
      });
    }
    expect(await filesOf(faces)).toEqual(before);
  });

  it('to write into a folder that is not empty, unless forced', async () => {
    await mkdir(out);
    await writeFile(join(out, 'mine.txt'), 'keep');
    await expect(run(faces, out)).rejects.toMatchObject({ code: 'USAGE', message: expect.stringContaining('--force') });
    await run(faces, out, '--force', '--limit', '4');
    expect([...(await filesOf(out)).keys()]).toEqual(['mine.txt', 'person 0/more/again.PNG', 'person 0/sample1.jpg']);
  });

  it('a place that cannot be written', async () => {
    const file = join(folder, 'a file');
    await writeFile(file, '');
    await expect(run(faces, join(file, 'out'))).rejects.toMatchObject({ code: 'OUTPUT_UNWRITABLE' });
    await expect(run(faces, out, '--preview', join(file, 'sheet.png'))).rejects.toMatchObject({
      code: 'OUTPUT_UNWRITABLE',
    });
  });

  it('to begin without its models', async () => {
    const config = join(folder, 'eyeline.yaml');
    await writeFile(config, 'models:\n  detector: no-such-model\n');
    await expect(run(faces, out, '--config', config)).rejects.toMatchObject({ code: 'MODEL_UNKNOWN' });
  });

  it.each([
    [['--type', 'paper'], '"paper" is none of surgical, kn95, n95, cloth, gas'],
    [['--fit', 'normal,askew'], '"askew" is none of high, normal, low, loose'],
    [['--colour', '#12'], '"#12" is neither #rrggbb nor one of white'],
    [['--seed', '-1'], 'whole number'],
    [['--workers', '0'], 'whole number'],
    [['--preview', 'sheet.gif'], 'must end in .jpg, .jpeg or .png'],
  ])('%j', async (args, message) => {
    await expect(run(faces, out, ...args)).rejects.toThrow(message);
  });
});
