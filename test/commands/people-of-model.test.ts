import { cp, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { installModel } from '../../src/commands/train/install-model.ts';
import { isInstalled, peopleOfModel } from '../../src/commands/train/people-of-model.ts';
import { BUILTIN_MANIFEST, loadManifest, TRAINED_MANIFEST } from '../../src/inference/manifest.ts';
import type { TrainedPeople } from '../../src/training/data/trained-people.ts';

const FIRST = { fold: 1, trainedOn: ['/people/ann', '/people/bob'], heldOut: ['/people/cid'] };
const builtin = await loadManifest(null);
const from = builtin.models.get('landmarks-68');
if (!from) throw new Error('landmarks-68 is missing');
let dir = '';

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'eyeline-people-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
});

/** Installs some bytes as a model; gives its entry. */
async function install(id: string, bytes: string, people: TrainedPeople) {
  const file = join(dir, 'model.onnx');
  await writeFile(file, bytes);
  await installModel(dir, {
    id,
    file,
    from: from as NonNullable<typeof from>,
    contract: contractOf(),
    recipe: 'a test',
    people,
  });
  const { models } = await loadManifest(null, BUILTIN_MANIFEST, join(dir, TRAINED_MANIFEST));
  const entry = models.get(id);
  if (!entry) throw new Error('it is not installed');
  return entry;
}

function contractOf() {
  const { input, outputs } = from as NonNullable<typeof from>;
  return { input, outputs };
}

it('is kept beside an installed model, readable by whom that is', async () => {
  const entry = await install('landmarks-68', 'one', FIRST);
  expect(await peopleOfModel(dir, entry)).toEqual(FIRST);
  const files = await readdir(join(dir, 'trained'));
  expect(files).toEqual([
    expect.stringMatching(/^landmarks-68\.[0-9a-f]{12}\.onnx$/),
    expect.stringMatching(/^landmarks-68\.[0-9a-f]{12}\.people\.json$/),
  ]);
  const modes = await Promise.all(files.map(async (file) => (await stat(join(dir, 'trained', file))).mode));
  expect(modes[1]).toBe(modes[0]);
});

it('is known by the bytes of the model, under another id as well, and not of other models', async () => {
  const entry = await install('landmarks-68', 'one', FIRST);
  const other = await install('mine', 'two', { fold: 0, trainedOn: ['/people/dan'], heldOut: [] });
  expect(await peopleOfModel(dir, { ...entry, id: 'another' })).toEqual(FIRST);
  expect((await peopleOfModel(dir, other))?.trainedOn).toEqual(['/people/dan']);
  expect(await peopleOfModel(dir, from)).toBeNull();
  const [name = ''] = (await readdir(join(dir, 'trained'))).filter(
    (it) => it.startsWith('mine.') && it.endsWith('.json'),
  );
  // Of other bytes whose hash begins alike.
  await cp(join(dir, 'trained', name), join(dir, 'trained', `x.${entry.sha256.slice(0, 12)}.people.json`));
  expect(await peopleOfModel(dir, entry)).toEqual(FIRST);
});

it('is nobody where nothing was installed, and tells which model was by a build before', async () => {
  expect(await peopleOfModel(join(dir, 'nowhere'), from)).toBeNull();
  const entry = await install('landmarks-68', 'one', FIRST);
  expect([isInstalled(dir, entry), isInstalled(dir, from)]).toEqual([true, false]);
});

it('names a file that is broken', async () => {
  const entry = await install('landmarks-68', 'one', FIRST);
  const file = join(dir, `trained/landmarks-68.${entry.sha256.slice(0, 12)}.people.json`);
  await writeFile(file, '{"model":1}');
  await expect(peopleOfModel(dir, entry)).rejects.toThrow(file);
  await expect(peopleOfModel(dir, entry)).rejects.toMatchObject({ code: 'MANIFEST_INVALID' });
});
