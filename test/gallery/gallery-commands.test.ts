import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Command } from 'commander';
import { expect, it, onTestFinished } from 'vitest';
import { addEnroll } from '../../src/commands/enroll.ts';
import { registerGallery } from '../../src/commands/gallery.ts';
import { systemClock } from '../../src/core/clock.ts';
import { EyelineError } from '../../src/core/errors.ts';
import { silentLogger } from '../../src/core/logger.ts';
import type { PictureReader } from '../../src/gallery/enrol.ts';
import { keyOfFile } from '../../src/gallery/gallery-key.ts';
import { REFUSALS } from '../../src/gallery/refusal.ts';
import { openVisitorStore } from '../../src/gallery/sqlite-visitor-store.ts';
import type { PersonRecord } from '../../src/gallery/template.ts';
import { commandContext } from '../rig/command-context.ts';
import { DIMENSION, FakeFaceChain, type MadeFace, madePicture } from './fake-face-chain.ts';
import { axis, temporaryFolder } from './gallery-rig.ts';

/** The two commands on a gallery of their own, with made-up pictures; `run` gives what they printed and the status. */
function rig() {
  const folder = temporaryFolder();
  const gallery = join(folder, 'data', 'gallery.sqlite');
  const config = join(folder, 'eyeline.yaml');
  const visitors = join(folder, 'data', 'visitors.sqlite');
  writeFileSync(config, `gallery: { file: ${gallery} }\nvisitors: { file: ${visitors} }\n`);
  const picture = (name: string, faces: readonly MadeFace[], salt = 0) => {
    const file = join(folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, madePicture(faces, salt));
    return file;
  };
  const stop = new AbortController();
  let opened = 0;
  let closed = 0;
  const run = async (...args: string[]) => {
    const recorded = commandContext({ signal: stop.signal });
    const { context, printed: out, warned: errors } = recorded;
    const program = new Command('eyeline').exitOverride().configureOutput({ writeErr: (text) => errors.push(text) });
    addEnroll(program, context, async () => {
      opened++;
      const chain = new FakeFaceChain();
      const encoders = [{ fingerprint: 'abcdef0123456789', dimension: DIMENSION }];
      chain.encoders = [{ fingerprint: 'abcdef0123456789', part: 'full' }];
      const decode: PictureReader = async (bytes, name) => {
        if (name === 'breaks.jpg') throw new EyelineError('INFERENCE_FAILED', 'the models are gone');
        return chain.decode(bytes, name);
      };
      return { reader: chain, decode, encoders, sameFace: 0.45, close: async () => void closed++ };
    });
    registerGallery(program, context);
    await program.parseAsync([...args, '--config', config], { from: 'user' });
    return { out, errors, status: recorded.status };
  };
  return { folder, gallery, visitors, picture, run, stop, chains: () => ({ opened, closed }) };
}

it('enrols a folder a person, lists and removes', async () => {
  const { folder, gallery, picture, run, chains } = rig();
  picture('people/Anna Berg/1.jpg', [{ who: 0 }]);
  picture('people/Anna Berg/2.jpg', [{ who: 0, lean: 0.1 }]);
  picture('people/Ben/1.jpg', [{ who: 3 }]);
  const people = join(folder, 'people');

  expect(await run('enroll', people)).toEqual({
    out: [
      `enrolled  ${people}/Anna Berg/1.jpg: Anna Berg (anna-berg), quality 0.90`,
      `enrolled  ${people}/Anna Berg/2.jpg: Anna Berg (anna-berg), quality 0.90`,
      `enrolled  ${people}/Ben/1.jpg: Ben (ben), quality 0.90`,
      `3 pictures of 2 people enrolled in ${gallery}.`,
    ],
    errors: [],
    status: 0,
  });
  expect(chains()).toEqual({ opened: 1, closed: 1 });

  const again = await run('enroll', people);
  expect(again.out.at(0)).toBe(`known     ${people}/Anna Berg/1.jpg: the same picture is enrolled already`);
  expect(again.out.at(-1)).toBe(`0 pictures of 0 people enrolled in ${gallery}, 3 enrolled before.`);
  expect(again.status).toBe(0);

  expect((await run('gallery', 'list')).out).toEqual([
    'anna-berg: Anna Berg, 2 templates, encoder abcdef01',
    'ben: Ben, 1 template, encoder abcdef01',
    `2 people in ${gallery}, version 5`,
  ]);
  expect((await run('gallery', 'remove', 'Anna Berg')).out).toEqual([
    'removed anna-berg: Anna Berg, 2 templates, encoder abcdef01',
  ]);
  const listed = JSON.parse((await run('gallery', 'list', '--json')).out.join('\n'));
  expect(listed).toMatchObject({ file: gallery, version: 6, people: [{ id: 'ben', name: 'Ben', templates: 1 }] });
  await expect(run('gallery', 'remove', 'Anna Berg')).rejects.toMatchObject({ code: 'PERSON_UNKNOWN', exitCode: 5 });
});

it('enrols files under a name, tells of each that is refused, and ends with 7', async () => {
  const { gallery, picture, run } = rig();
  const [good, empty, twin] = [picture('1.jpg', [{ who: 0 }]), picture('2.jpg', []), picture('3.jpg', [{ who: 0 }], 1)];
  expect(await run('enroll', '--name', 'Anna', good, empty)).toEqual({
    out: [
      `enrolled  ${good}: Anna (anna), quality 0.90`,
      `refused   ${empty}: no face was found`,
      `1 picture of 1 person enrolled in ${gallery}, 1 refused.`,
    ],
    errors: [],
    status: 7,
  });
  const warned = await run('enroll', '--name', 'Ben', twin);
  expect(warned).toMatchObject({
    status: 0,
    errors: [`warning   ${twin}: looks like Anna (anna, similarity 1.00): the two may be taken for each other`],
  });
});

it('prints one JSON object on request, with what was refused', async () => {
  const { folder, picture, run } = rig();
  picture('people/Anna/1.jpg', [{ who: 0 }]);
  const loose = picture('people/loose.jpg', [{ who: 1 }]);
  const { out, status } = await run('enroll', join(folder, 'people'), '--json');
  expect(out).toHaveLength(1);
  expect(JSON.parse(out[0] ?? '')).toMatchObject({
    enrolled: [{ person: { id: 'anna' }, quality: 0.9, warnings: [] }],
    refused: [{ code: 'NOT_IN_PERSON_FOLDER', file: loose, person: null }],
    people: [{ id: 'anna', name: 'Anna' }],
  });
  expect(status).toBe(7);
});

it('opens neither gallery nor models for arguments that are wrong', async () => {
  const { folder, gallery, run, chains } = rig();
  await expect(run('enroll', folder, folder)).rejects.toMatchObject({ code: 'USAGE', exitCode: 2 });
  await expect(run('enroll', join(folder, 'missing'))).rejects.toMatchObject({ code: 'USAGE' });
  await expect(run('enroll', '--name', ' ', 'x.jpg')).rejects.toMatchObject({ code: 'commander.invalidArgument' });
  await expect(run('enroll')).rejects.toMatchObject({ code: 'USAGE' });
  await expect(run('enroll', '--name', 'Ada')).rejects.toMatchObject({ code: 'USAGE' });
  await expect(run('enroll', '--camera', 'door')).rejects.toMatchObject({ code: 'USAGE' });
  await expect(run('enroll', '--camera', 'door', '--name', 'Ada', 'x.jpg')).rejects.toMatchObject({ code: 'USAGE' });
  await expect(run('enroll', '--camera', 'door', '--name', 'Ada', '--seconds', '0')).rejects.toMatchObject({
    code: 'commander.invalidArgument',
  });
  expect(chains().opened).toBe(0);
  await expect(run('gallery', 'list')).rejects.toMatchObject({
    code: 'GALLERY_UNREADABLE',
    message: `gallery ${gallery} does not exist`,
  });
});

it('ends with 130 when it is stopped, keeping what was enrolled', async () => {
  const { picture, run, stop, chains } = rig();
  stop.abort();
  expect((await run('enroll', '--name', 'Anna', picture('1.jpg', [{ who: 0 }]))).status).toBe(130);
  expect(chains()).toEqual({ opened: 1, closed: 1 });
});

it('documents every reason a picture is refused for, and no other', () => {
  const text = readFileSync(new URL('../../docs/gallery.md', import.meta.url), 'utf8');
  const listed = [...text.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, code]) => code);
  expect(listed).toEqual([...REFUSALS]);
});

it('records consent and retention, removes who is past it, and shows who did what', async () => {
  const { picture, run } = rig();
  await run('enroll', '--name', 'Anna Berg', picture('a.jpg', [{ who: 0 }]));
  await run('enroll', '--name', 'Ben', picture('b.jpg', [{ who: 3 }]));
  const consent = [
    'gallery',
    'consent',
    'Anna Berg',
    '--at',
    '2026-01-02',
    '--note',
    'form 12',
    '--until',
    '2026-01-31',
  ];
  expect((await run(...consent)).out).toEqual([
    'anna-berg: Anna Berg, consent of 2026-01-02 (form 12), kept until 2026-02-01T00:00:00.000Z',
  ]);
  expect((await run('gallery', 'consent', 'ben')).out).toEqual(['ben: Ben, no consent recorded, kept without a limit']);
  expect((await run('gallery', 'expire')).out).toEqual(['removed anna-berg']);
  expect((await run('gallery', 'expire')).out).toEqual(['nobody is past their last day']);
  const { out } = await run('gallery', 'audit');
  const when = '\\d{4}-\\d\\d-\\d\\dT\\S+Z';
  expect(out).toEqual(
    [
      'v1 cli:\\S+ create anna-berg',
      'v2 cli:\\S+ enrol anna-berg templates=1 pictures=1',
      'v3 cli:\\S+ create ben',
      'v4 cli:\\S+ enrol ben templates=1 pictures=1',
      'v5 cli:\\S+ consent anna-berg consentAtMs=1767312000000 retainUntilMs=1769904000000',
      'v6 cli:\\S+ consent ben',
      'v7 cli:\\S+ expire anna-berg',
    ].map((line) => expect.stringMatching(new RegExp(`^${when} ${line}$`))),
  );
  expect((await run('gallery', 'audit', '--person', 'ben', '--limit', '1')).out).toHaveLength(1);
});

it('records consent and the last day with the enrolment', async () => {
  const { picture, run } = rig();
  const file = picture('a.jpg', [{ who: 0 }]);
  await run('enroll', '--name', 'Anna', '--consent', 'form 12', '--until', '2096-01-31', file);
  expect((await run('gallery', 'consent', 'anna')).out).toEqual([
    expect.stringMatching(/^anna: Anna, consent of 20\d\d-\d\d-\d\d \(form 12\), kept until 2096-02-01T00:00:00.000Z$/),
  ]);
});

it('records consent with each person as they are enrolled, whoever has a name like the id, and keeps that of others', async () => {
  const { folder, picture, run } = rig();
  picture('people/Anna Berg/1.jpg', [{ who: 0 }]);
  picture('people/anna-berg/1.jpg', [{ who: 3 }]);
  const people = join(folder, 'people');
  const first = await run('enroll', '--consent', 'form 12', '--until', '2096-01-31', people);
  expect(first).toMatchObject({ status: 0, errors: [] });
  const consents = async () => {
    const listed = JSON.parse((await run('gallery', 'list', '--json')).out.join(''));
    return listed.people.map((it: PersonRecord) => [it.id, it.consentNote, it.retainUntilMs]);
  };
  const until = Date.UTC(2096, 1, 1);
  const both = [
    ['anna-berg', 'form 12', until],
    ['anna-berg-2', 'form 12', until],
  ];
  expect(await consents()).toEqual(both);
  // In the change that enrols them: no version of the gallery has them without.
  const actions = (await run('gallery', 'audit', '--person', 'anna-berg')).out.map((line) => line.split(' ')[3]);
  expect(actions).toEqual(['create', 'enrol', 'consent']);

  picture('people/Ben/1.jpg', [{ who: 6 }]);
  const again = await run('enroll', '--consent', 'form 13', people);
  expect(again.errors).toEqual([
    'warning   nothing new was enrolled of anna-berg, anna-berg-2: what is recorded of their consent stays; eyeline gallery consent changes it',
  ]);
  expect(await consents()).toEqual([...both, ['ben', 'form 13', null]]);
});

it('leaves nobody without their last day when enrolling is broken off by an error', async () => {
  const { folder, picture, run } = rig();
  picture('people/Anna/1.jpg', [{ who: 0 }]);
  picture('people/Ben/breaks.jpg', [{ who: 3 }]);
  const enrolling = run('enroll', '--until', '2096-01-31', join(folder, 'people'));
  await expect(enrolling).rejects.toMatchObject({ code: 'INFERENCE_FAILED' });
  expect((await run('gallery', 'consent', 'anna')).out).toEqual([
    'anna: Anna, no consent recorded, kept until 2096-02-01T00:00:00.000Z',
  ]);
});

it.each(['31.1.2027', '2027-02-30', 'tomorrow'])('takes no %s for a date', async (date) => {
  await expect(rig().run('gallery', 'consent', 'anna', '--until', date)).rejects.toThrow('A date such as');
});

it.each([
  ['removed', ['gallery', 'remove', 'ann']],
  ['expired', ['gallery', 'expire']],
])('erases what is kept with the visitors of people who are %s', async (_, command) => {
  const { picture, run, visitors } = rig();
  for (const [who, name] of ['Ann', 'Bob'].entries()) {
    await run('enroll', '--name', name, picture(`${name}.jpg`, [{ who: 3 * who }]));
  }
  await run('gallery', 'consent', 'ann', '--until', '2020-01-31');
  const store = openVisitorStore(visitors, {
    logger: silentLogger,
    clock: systemClock,
    limits: { maxVisitors: 9, keepMs: 86_400_000 },
  });
  onTestFinished(() => store.close());
  const look = { encoder: 'e', part: 'full', mask: null, embedding: axis(8, 0), quality: 1 } as const;
  for (const person of ['ann', 'bob']) {
    for (const track of [`denied-${person}`, `seen-${person}`]) {
      store.remember({ track, camera: 'door', seenAtMs: Date.now(), templates: [look] }, person);
    }
    await run('gallery', 'deny', `denied-${person}`);
  }

  await run(...command);
  expect((await run('gallery', 'denied')).out).toEqual([
    expect.stringMatching(/^denied-bob is not bob, said /),
    `1 track in ${visitors}`,
  ]);
  expect(store.sighting('seen-ann')).toBeNull();
  expect(store.sighting('seen-bob')).not.toBeNull();
});

it('keeps what was denied, and visitors, when the key of the gallery changes', async () => {
  const { folder, gallery, picture, run, visitors } = rig();
  const limits = { maxVisitors: 9, keepMs: 86_400_000 };
  const options = { logger: silentLogger, clock: systemClock, limits };
  await run('enroll', '--name', 'Ann', picture('a.jpg', [{ who: 0 }]));
  const store = openVisitorStore(visitors, options);
  const look = { encoder: 'e', part: 'full', mask: null, embedding: axis(8, 0), quality: 1 } as const;
  store.remember({ track: 'door-1', camera: 'door', seenAtMs: Date.now(), templates: [look] }, 'ann');
  store.deny('door-1');
  store.close();

  const keys = [join(folder, 'first.key'), join(folder, 'second.key')];
  for (const file of keys) {
    expect((await run('gallery', 'rotate-key', '--to', file)).out[0]).toBe('encrypted 1 templates anew');
    const again = openVisitorStore(visitors, { ...options, key: keyOfFile(file, false, () => {}) });
    expect(again.denials().looks).toMatchObject([{ person: 'ann', track: 'door-1' }]);
    again.close();
    const text = `gallery: { file: ${gallery}, key: { file: ${file} } }\nvisitors: { file: ${visitors} }\n`;
    writeFileSync(join(folder, 'eyeline.yaml'), text);
  }
});

it('denies whom an id or a name means, and nobody who is not enrolled', async () => {
  const { picture, run, visitors } = rig();
  await run('enroll', '--name', 'Anna Berg', picture('a.jpg', [{ who: 0 }]));
  const limits = { maxVisitors: 9, keepMs: 86_400_000 };
  const store = openVisitorStore(visitors, { logger: silentLogger, clock: systemClock, limits });
  onTestFinished(() => store.close());
  const look = { encoder: 'e', part: 'full', mask: null, embedding: axis(8, 0), quality: 1 } as const;
  store.admit({ track: 'door-1', camera: 'door', seenAtMs: Date.now(), templates: [look] }, () => 0.5);

  await expect(run('gallery', 'deny', 'door-1', '--person', 'Anna Borg')).rejects.toMatchObject({
    code: 'PERSON_UNKNOWN',
  });
  expect(store.listDenials()).toEqual([]);
  expect((await run('gallery', 'deny', 'door-1', '--person', 'Anna Berg')).out).toEqual(['door-1 is not anna-berg']);
  expect([...store.denials().people]).toEqual(['anna-berg']);
});
