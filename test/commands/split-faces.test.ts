import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { begunSplit, requireFold, splitOf } from '../../src/commands/train/split-faces.ts';
import type { StoredFace } from '../../src/training/data/face-store.ts';
import type { TrainedPeople } from '../../src/training/data/trained-people.ts';
import type { PictureSplit } from '../../src/training/data/training-pictures.ts';
import { RunFolder } from '../../src/training/run/run-folder.ts';

const VALIDATION = { share: 0.1, everySteps: 1, patience: 1, faces: 10, fold: 0 };
const recipe = (fold = 0) => ({ kind: 'landmarks', seed: 1, validation: { ...VALIDATION, fold } }) as const;
const face = (person: number, worn = false): StoredFace => ({
  file: `${person}`,
  person,
  part: 0,
  offset: 0,
  width: 1,
  height: 1,
  masks: [],
  ...(worn && { worn: true as const }),
});
const facesOf = (people: number) => ({ faces: Array.from({ length: people }, (_, person) => face(person)) });
/** Folders of people whose names sort as those of a growing folder do: who comes later is not the last. */
const names = (people: number) => Array.from({ length: people }, (_, at) => `/people/${at}`).sort();

function knownBy({ train, validation }: PictureSplit, folders: readonly string[], fold = 0): TrainedPeople {
  const of = (faces: readonly number[]) => faces.map((at) => folders[at] ?? '');
  return { fold, trainedOn: of(train), heldOut: of(validation) };
}

it('holds the same people out when one is added to whom the model in use was trained on', () => {
  const [before, after] = [names(300), names(301)];
  const known = knownBy(splitOf(facesOf(300), recipe(), { of: 300 }), before);
  expect(known.heldOut).toHaveLength(30);
  const judged = (options: object) =>
    splitOf(facesOf(301), recipe(), { of: 301, ...options }).validation.map((at) => after[at] ?? '');
  // Dealt anew, most would have been seen.
  const seen = judged({}).filter((person) => known.trainedOn.includes(person));
  expect(seen.length).toBeGreaterThan(20);
  expect(judged({ folders: after, before: known })).toEqual(expect.arrayContaining([...known.heldOut]));
  expect(judged({ folders: after, before: known }).filter((person) => known.trainedOn.includes(person))).toEqual([]);
});

it('parts people with real masks alone by what is known of them, too', () => {
  const folders = ['a', 'b', 'c', 'd', 'worn/e', 'worn/f'];
  const faces = folders.map((name, person) => face(person, name.startsWith('worn')));
  const before = { fold: 0, trainedOn: ['a', 'b', 'worn/e'], heldOut: ['c', 'd', 'worn/f'] };
  expect(splitOf({ faces }, recipe(), { folders, before })).toEqual({ train: [0, 1, 4], validation: [2, 3, 5] });
  const worn = { faces: faces.slice(4).map((it) => ({ ...it, person: it.person - 4 })) };
  expect(splitOf(worn, recipe(), { folders: folders.slice(4), before })).toEqual({ train: [0], validation: [1] });
});

it('goes on with the split that was begun', async () => {
  const begun = async (record: object) => {
    const path = await mkdtemp(join(tmpdir(), 'eyeline-split-'));
    onTestFinished(() => rm(path, { recursive: true, force: true }));
    const folder = new RunFolder(path);
    await folder.begin(record);
    return folder;
  };
  const written = await begun({ data: { heldOut: [3, 5] } });
  const six = facesOf(6);
  expect(await begunSplit(six, recipe(), { folder: written, of: 6 })).toEqual({
    train: [0, 1, 2, 4],
    validation: [3, 5],
  });
  const ofClassifier = await begun({ data: {} });
  const classifier = { ...recipe(), kind: 'classifier' } as const;
  const pictures = { faces: [0, 0, 1, 1].map((person) => face(person)) };
  expect(await begunSplit(pictures, classifier, { folder: ofClassifier, of: 2 })).toEqual(
    splitOf(pictures, classifier),
  );
});

it.each([
  [{ asked: 9 }, null],
  [{ asked: 10 }, 'there is no fold 10: a share of 0.1 held out makes folds 0 to 9'],
  [{ inRecipe: 12 }, 'there is no fold 12'],
  [{ before: 0 }, null],
  [{ before: 3 }, null],
  [{ before: 3, asked: 3 }, null],
  [
    { before: 3, asked: 0 },
    'fold 0 would hold out people whom it was trained on: it was installed with fold 3 held out',
  ],
  [{ before: 0, asked: 1 }, 'fold 1 would hold out people'],
  [{ before: 0, inRecipe: 1 }, 'fold 1 would hold out people'],
] as const)('fold: %j', (given: { asked?: number; before?: number; inRecipe?: number }, message) => {
  const before = given.before === undefined ? null : { fold: given.before, trainedOn: [], heldOut: [] };
  const ask = () => requireFold(recipe(given.inRecipe), given.asked, { id: 'it', before });
  if (message === null) ask();
  else expect(ask).toThrow(expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(message) }));
});

it('asks for a fold there is, of a classifier as well, which is compared with no model in use', () => {
  requireFold(recipe(9), undefined, null);
  expect(() => requireFold(recipe(), 10, null)).toThrow('there is no fold 10');
});
