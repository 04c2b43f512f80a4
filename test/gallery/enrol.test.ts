import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { EyelineError } from '../../src/core/errors.ts';
import { type EnrolmentOptions, type EnrolmentOutcome, enrolPictures } from '../../src/gallery/enrol.ts';
import { DIMENSION, FakeFaceChain, type MadeFace, madePicture } from './fake-face-chain.ts';
import { openStore, temporaryFolder } from './gallery-rig.ts';

const ENCODER = { fingerprint: 'encoder-a', dimension: DIMENSION };

function rig() {
  const folder = temporaryFolder();
  const store = openStore();
  const chain = new FakeFaceChain();
  const picture = (name: string, content: readonly MadeFace[] | string, salt = 0) => {
    const file = join(folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, typeof content === 'string' ? content : madePicture(content, salt));
    return file;
  };
  const enrol = (pictures: [person: string, file: string][], changes: Partial<EnrolmentOptions> = {}) =>
    enrolPictures({
      pictures: pictures.map(([person, file]) => ({ person, file })),
      store,
      decode: chain.decode,
      faces: chain,
      encoders: [ENCODER],
      limits: { minFacePx: 60, minQuality: 0.3 },
      threshold: 0.45,
      ...changes,
    });
  return { store, chain, picture, enrol };
}

it('enrols what serves and refuses the rest, each with file, person and reason', async () => {
  const { store, chain, picture, enrol } = rig();
  const good = picture('a1.jpg', [{ who: 0 }]);
  const nobody = picture('empty.jpg', []);
  const group = picture('group.jpg', [{ who: 0 }, { who: 3, heightPx: 180 }]);
  const far = picture('far.jpg', [{ who: 0, heightPx: 50 }]);
  const poor = picture('poor.jpg', [{ who: 0, quality: { score: 0.1, exposure: 0.1 } }]);
  const text = picture('notes.txt', 'not a picture at all');
  const other = picture('a2.jpg', [{ who: 0, lean: 0.2 }]);
  const files = [good, nobody, group, far, poor, text, `${text}.missing`, other];
  const outcomes: EnrolmentOutcome[] = [];
  const result = await enrol(
    files.map((file) => ['Anna', file]),
    { onProgress: (outcome) => outcomes.push(outcome) },
  );

  const anna = { id: 'anna', name: 'Anna' };
  expect(result.enrolled).toEqual([
    { file: good, person: anna, quality: 0.9, warnings: [] },
    { file: other, person: anna, quality: 0.9, warnings: [] },
  ]);
  expect(result.refused.map(({ file, code, person }) => [file, code, person])).toEqual([
    [nobody, 'NO_FACE', 'Anna'],
    [group, 'SEVERAL_FACES', 'Anna'],
    [far, 'FACE_TOO_SMALL', 'Anna'],
    [poor, 'QUALITY_TOO_LOW', 'Anna'],
    [text, 'NOT_A_PICTURE', 'Anna'],
    [`${text}.missing`, 'UNREADABLE', 'Anna'],
  ]);
  expect(result.refused[1]?.reason).toBe('2 faces were found: cut out the one that is meant');
  expect(result.refused[5]?.reason).toContain('ENOENT');
  expect(result.people).toEqual([anna]);
  expect(outcomes.map((it) => ('enrolled' in it ? it.enrolled.file : it.refused.file))).toEqual(files);
  expect(store.loadTemplates(ENCODER).owners).toHaveLength(2);
  expect(chain).toMatchObject({ open: 0, mostOpen: 1 });
});

it('makes nobody of pictures that are all refused', async () => {
  const { store, picture, enrol } = rig();
  const result = await enrol([['Anna', picture('1.jpg', [])]]);
  expect(result.people).toEqual([]);
  expect(store.listPeople()).toEqual([]);
  expect(store.version()).toBe(0);
});

it('does not enrol the same picture twice, whatever it is called, and does not decode it again', async () => {
  const { store, chain, picture, enrol } = rig();
  const first = picture('1.jpg', [{ who: 0 }]);
  const copy = picture('copy-of-1.jpg', [{ who: 0 }]);
  const result = await enrol([
    ['Anna', first],
    ['Anna', copy],
  ]);
  expect(result.refused).toEqual([
    { code: 'ALREADY_ENROLLED', file: copy, person: 'Anna', reason: 'the same picture is enrolled already' },
  ]);
  expect(chain.decoded).toEqual(['1.jpg']);

  chain.encoders = [{ fingerprint: 'encoder-b', part: 'full' }];
  const encoders = [{ ...ENCODER, fingerprint: 'encoder-b' }];
  expect((await enrol([['Anna', first]], { encoders })).enrolled).toHaveLength(1);
  expect(store.listPeople()).toMatchObject([{ id: 'anna', templates: 2, encoders: ['encoder-a', 'encoder-b'] }]);
});

it('stores a template by each encoder, and adds what is missing when the same picture comes again', async () => {
  const { store, chain, picture, enrol } = rig();
  const upper = { ...ENCODER, fingerprint: 'encoder-u' };
  const file = picture('1.jpg', [{ who: 2 }]);
  expect((await enrol([['Anna', file]])).enrolled).toHaveLength(1);
  chain.encoders.push({ fingerprint: upper.fingerprint, part: 'upper' });
  const both = { encoders: [ENCODER, upper] };
  // Neither like somebody else nor unlike itself, though it is compared with what was enrolled before.
  expect((await enrol([['Anna', file]], both)).enrolled).toMatchObject([{ file, warnings: [] }]);
  expect((await enrol([['Anna', file]], both)).refused).toMatchObject([{ code: 'ALREADY_ENROLLED' }]);
  expect(store.listPeople()).toMatchObject([{ id: 'anna', templates: 2, encoders: ['encoder-a', 'encoder-u'] }]);
  const at = (vectors: Float32Array) => vectors.indexOf(1);
  expect(at(store.loadTemplates(ENCODER, 'full').vectors)).toBe(2);
  expect(at(store.loadTemplates(upper, 'upper').vectors)).toBe(DIMENSION - 3);
});

it('takes of a face with a mask the upper part alone, where it can, and says so', async () => {
  const { store, chain, picture, enrol } = rig();
  const upper = { ...ENCODER, fingerprint: 'encoder-u' };
  chain.encoders.push({ fingerprint: upper.fingerprint, part: 'upper' });
  const masked = picture('m.jpg', [{ who: 1, mask: 'worn' }]);
  const both = { encoders: [ENCODER, upper] };
  const warnings = [{ code: 'MASK_WORN', message: 'shows a mask: enrol a picture without one too' }];
  expect((await enrol([['Anna', masked]], both)).enrolled).toMatchObject([{ file: masked, warnings }]);
  expect(store.listPeople()).toMatchObject([{ templates: 1, encoders: ['encoder-u'] }]);
  expect((await enrol([['Anna', masked]], both)).refused).toMatchObject([{ code: 'ALREADY_ENROLLED' }]);
  chain.encoders.pop();
  expect((await enrol([['Ben', masked]])).enrolled).toMatchObject([{ warnings }]);
});

it('warns when a picture is more like somebody else, enrolled before or just now', async () => {
  const { picture, enrol } = rig();
  await enrol([['Anna', picture('a.jpg', [{ who: 0 }])]]);
  const result = await enrol([
    ['Ben', picture('b.jpg', [{ who: 3 }])],
    ['Twin', picture('t.jpg', [{ who: 0, lean: 0.6 }])],
    ['Cleo', picture('c.jpg', [{ who: 3 }], 1)],
  ]);
  expect(result.enrolled.map(({ warnings }) => warnings)).toEqual([
    [],
    [
      {
        code: 'LOOKS_LIKE_SOMEBODY_ELSE',
        message: 'looks like Anna (anna, similarity 0.80): the two may be taken for each other',
      },
    ],
    [
      {
        code: 'LOOKS_LIKE_SOMEBODY_ELSE',
        message: 'looks like Ben (ben, similarity 1.00): the two may be taken for each other',
      },
    ],
  ]);
});

it('warns when a picture is unlike all others of its person', async () => {
  const { picture, enrol } = rig();
  await enrol([['Anna', picture('1.jpg', [{ who: 0 }])]]);
  const result = await enrol([
    ['Anna', picture('2.jpg', [{ who: 4 }])],
    ['Anna', picture('3.jpg', [{ who: 4, lean: 0.3 }])],
  ]);
  expect(result.enrolled.map(({ warnings }) => warnings)).toEqual([
    [
      {
        code: 'UNLIKE_OWN_PICTURES',
        message: 'is unlike the other pictures of Anna (best similarity 0.00): is it the same person?',
      },
    ],
    [],
  ]);
});

it('gives pictures back when reading faces fails, and goes on', async () => {
  const { chain, picture, enrol } = rig();
  chain.failure = new Error('odd picture');
  const file = picture('1.jpg', [{ who: 0 }]);
  expect((await enrol([['Anna', file]])).refused).toEqual([
    { code: 'NOT_A_PICTURE', file, person: 'Anna', reason: 'no faces can be looked for in it: odd picture' },
  ]);
  expect(chain.open).toBe(0);
});

it('ends at once when the models or the gallery fail', async () => {
  const { store, chain, picture, enrol } = rig();
  const file = picture('1.jpg', [{ who: 0 }]);
  chain.failure = new EyelineError('MODEL_UNSUPPORTED', 'broken model');
  await expect(enrol([['Anna', file]])).rejects.toThrow('broken model');
  expect(chain.open).toBe(0);
  chain.failure = null;
  await expect(enrol([['Anna', file]], { encoders: [{ ...ENCODER, dimension: 9 }] })).rejects.toThrow(
    'has 8 numbers, expected 9',
  );
  expect(store.version()).toBe(0);
});

it('begins no picture once it is told to stop', async () => {
  const { picture, enrol } = rig();
  const stop = new AbortController();
  const result = await enrol(
    [
      ['Anna', picture('1.jpg', [{ who: 0 }])],
      ['Ben', picture('2.jpg', [{ who: 1 }])],
    ],
    { signal: stop.signal, onProgress: () => stop.abort() },
  );
  expect(result.people.map(({ id }) => id)).toEqual(['anna']);
});

it('refuses a name that is none', async () => {
  const { picture, enrol } = rig();
  const result = await enrol([[' ', picture('1.jpg', [{ who: 0 }])]]);
  expect(result.refused).toMatchObject([{ code: 'NOT_A_NAME', person: ' ' }]);
});
