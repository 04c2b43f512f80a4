import { expect, it } from 'vitest';
import { EyelineError } from '../../src/core/errors.ts';
import { importPeople } from '../../src/gallery/import-people.ts';
import { readPortable, writePortable } from '../../src/gallery/portable-file.ts';
import { axis, openStore, template } from './gallery-rig.ts';

const PASSPHRASE = 'correct horse battery';

function people() {
  const store = openStore();
  store.ensurePerson('Anna Berg');
  store.setConsent('anna-berg', { consentAtMs: 5, consentNote: 'form "12"', retainUntilMs: 2_000_000_000_000 });
  store.addTemplates('anna-berg', [
    template(axis(512, 3, 9, 0.2), { mask: 'none' }),
    template(axis(512, 1), { part: 'upper', encoder: 'encoder-u' }),
  ]);
  store.ensurePerson('李小龍');
  return store.changesSince(0).people;
}

const read = (file: Uint8Array, passphrase = PASSPHRASE) => readPortable(file, 'x.eyeline', async () => passphrase);
const failure = async (reading: Promise<unknown>) => {
  try {
    await reading;
  } catch (error) {
    if (error instanceof EyelineError) return `${error.code} ${error.message}`;
    throw error;
  }
  throw new Error('did not reject');
};

it.each([PASSPHRASE, null])('people come back bit for bit (passphrase %s)', async (passphrase) => {
  const there = people();
  expect(await read(writePortable(there, 7, passphrase))).toEqual(there);
});

it('says in its first line whether it can be read by anybody', () => {
  const text = (passphrase: string | null) => Buffer.from(writePortable(people(), 7, passphrase)).toString('latin1');
  expect(text(null)).toMatch(/^EYELINE-GALLERY 1 UNENCRYPTED BIOMETRIC DATA\n/);
  expect(text(PASSPHRASE)).toMatch(/^EYELINE-GALLERY 1 ENCRYPTED\n/);
});

it('does not open with another passphrase, changed or cut off', async () => {
  const file = Buffer.from(writePortable(people(), 7, PASSPHRASE));
  const refusal =
    'GALLERY_FILE_INVALID x.eyeline does not open: the passphrase is another one, or the file was changed';
  expect(await failure(read(file, 'another passphrase'))).toBe(refusal);
  for (const at of [30, 50, file.length - 1]) {
    const changed = Buffer.from(file);
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(await failure(read(changed))).toBe(refusal);
  }
  expect(await failure(read(file.subarray(0, 40)))).toBe('GALLERY_FILE_INVALID x.eyeline is cut off');
  expect(await failure(read(Buffer.from('PK')))).toContain('is no gallery that Eyeline exported');
});

it('refuses what no export writes, and says where', async () => {
  const [anna] = people();
  if (!anna) throw new Error('nobody');
  const bad = [{ ...anna, templates: [{ ...anna.templates[0], quality: 2 } as never] }];
  expect(await failure(read(writePortable(bad, 7, null)))).toContain('x.eyeline cannot be read: templates.0.quality: ');
  const long = [{ ...anna, templates: [template(new Float32Array(4).fill(1))] }];
  expect(await failure(read(writePortable(long, 7, null)))).toContain('a template of anna-berg has norm 2, expected 1');
});

it('is imported as one change, but for whoever is here, expired, of the fleet or a namesake', () => {
  const store = openStore();
  const [anna, bruce] = people();
  if (!anna || !bruce) throw new Error('nobody');
  const fleet = { ...anna, id: 'f', name: 'F' };
  store.applyBatch({ origin: 'fleet', encoders: [], people: [fleet], tombstones: [] });
  store.ensurePerson('Ben');
  const before = store.version();
  const file = [
    anna,
    bruce,
    fleet,
    { ...anna, id: 'late', name: 'L', retainUntilMs: 9 },
    { ...anna, id: 'b', name: 'Ben' },
  ];
  const options = { nowMs: 10, replace: false, detail: {} };
  expect(importPeople(store, file, options)).toEqual({
    people: [anna.id, bruce.id],
    templates: 2,
    skipped: [
      { id: 'f', name: 'F', reason: 'is managed by the fleet here' },
      { id: 'late', name: 'L', reason: 'may not be kept any longer' },
      { id: 'b', name: 'Ben', reason: 'ben has the same name here' },
    ],
  });
  expect(store.version()).toBe(before + 1);
  expect(store.audit({ limit: 1 })[0]).toMatchObject({ action: 'import', detail: { people: 2 } });
  expect(importPeople(store, [anna], options)).toMatchObject({
    people: [],
    skipped: [{ id: anna.id, reason: expect.stringMatching(/^is enrolled here already/) }],
  });
  const other = { ...anna, templates: [template(axis(512, 8))] };
  expect(importPeople(store, [other], { ...options, replace: true })).toMatchObject({ people: [anna.id], skipped: [] });
  const [now] = store.changesSince(0).people.filter(({ id }) => id === anna.id);
  expect(now?.templates.map(({ encoder }) => encoder)).toEqual(['encoder-u', 'encoder-a']);
});
