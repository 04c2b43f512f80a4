import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'libsql';
import { describe, expect, it } from 'vitest';
import { EyelineError } from '../../src/core/errors.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { openGalleryStore } from '../../src/gallery/sqlite-gallery-store.ts';
import { axis, keepingLogger, ManualClock, openStore, template, temporaryFolder } from './gallery-rig.ts';

const ENCODER = { fingerprint: 'encoder-a', dimension: 4 };

function failure(work: () => unknown): EyelineError {
  try {
    work();
  } catch (error) {
    if (error instanceof EyelineError) return error;
    throw error;
  }
  throw new Error('did not throw');
}

describe('people', () => {
  it('have an id made of the name, the same for the same name', () => {
    const store = openStore();
    expect(store.ensurePerson('Anna Berg')).toEqual({ id: 'anna-berg', name: 'Anna Berg' });
    expect(store.ensurePerson(' Anna  Berg ')).toEqual({ id: 'anna-berg', name: 'Anna Berg' });
    expect(store.ensurePerson('anna berg')).toEqual({ id: 'anna-berg-2', name: 'anna berg' });
    expect(store.ensurePerson('Änna Berg')).toEqual({ id: 'anna-berg-3', name: 'Änna Berg' });
    expect(store.version()).toBe(3);
  });

  it('have a random id when the name has no ASCII form', () => {
    const store = openStore();
    const [first, second] = [store.ensurePerson('李小龍'), store.ensurePerson('Анна')];
    expect(first.id).toMatch(/^p-[0-9a-f]{8}$/);
    expect(second.id).not.toBe(first.id);
    expect(store.ensurePerson('李小龍')).toEqual(first);
  });

  it('are listed with what is kept of them', () => {
    const clock = new ManualClock(1000);
    const store = openStore(undefined, clock);
    store.ensurePerson('Ben');
    store.setConsent('ben', { consentAtMs: 500, retainUntilMs: 1_800_000_000_000 });
    store.ensurePerson('Anna');
    store.addTemplates('anna', [template(axis(4, 0)), template(axis(4, 1), { encoder: 'encoder-b' })]);
    expect(store.listPeople()).toEqual([
      {
        id: 'anna',
        name: 'Anna',
        createdAtMs: 1000,
        consentAtMs: null,
        consentNote: null,
        retainUntilMs: null,
        origin: 'device',
        version: 4,
        templates: 2,
        encoders: ['encoder-a', 'encoder-b'],
      },
      {
        id: 'ben',
        name: 'Ben',
        createdAtMs: 1000,
        consentAtMs: 500,
        consentNote: null,
        retainUntilMs: 1_800_000_000_000,
        origin: 'device',
        version: 2,
        templates: 0,
        encoders: [],
      },
    ]);
  });

  it('cannot have a name that is none', () => {
    expect(() => openStore().ensurePerson('  ')).toThrow(RangeError);
  });
});

describe('removing', () => {
  it('takes an id or a name and gives what was removed', () => {
    const store = openStore();
    store.ensurePerson('Anna Berg');
    store.ensurePerson('Ben');
    store.addTemplates('anna-berg', [template(axis(4, 0))]);
    expect(store.removePerson('Anna Berg')).toMatchObject({ id: 'anna-berg', templates: 1 });
    expect(store.removePerson('ben')).toMatchObject({ name: 'Ben', templates: 0 });
    expect(store.listPeople()).toEqual([]);
    expect(store.loadTemplates(ENCODER).owners).toHaveLength(0);
    expect(store.version()).toBe(5);
  });

  it('says who is not there', () => {
    const error = failure(() => openStore().removePerson('Nobody'));
    expect(error).toMatchObject({
      code: 'PERSON_UNKNOWN',
      message: 'no person has the id or name "Nobody"',
      exitCode: 5,
    });
  });

  it('does not guess between the id of one and the name of another', () => {
    const store = openStore();
    store.ensurePerson('Anna');
    store.ensurePerson('anna');
    expect(failure(() => store.removePerson('anna'))).toMatchObject({
      code: 'USAGE',
      message: '"anna" can mean anna (Anna) and anna-2 (anna): give the id or the name that only one has',
    });
    expect(store.removePerson('Anna').id).toBe('anna');
    expect(store.removePerson('anna').id).toBe('anna-2');
  });

  it('leaves nothing of the person in the files', () => {
    const file = join(temporaryFolder(), 'gallery.sqlite');
    const store = openStore(file);
    const embedding = axis(512, 7, 9, 0.3);
    store.ensurePerson('Zebulon Quux');
    store.ensurePerson('Ben');
    store.addTemplates('zebulon-quux', [template(embedding, { sourceFile: 'holiday.jpg' })]);
    const sealed = new Database(file).prepare('SELECT embedding FROM templates').get([]) as { embedding: ArrayBuffer };
    const traces = [Buffer.from(sealed.embedding), Buffer.from('Zebulon'), Buffer.from('holiday.jpg')];
    const stored = () => Buffer.concat([file, `${file}-wal`].map((it) => readFileSync(it)));
    for (const trace of traces) expect(stored().includes(trace)).toBe(true);

    store.removePerson('zebulon-quux');
    for (const trace of traces) expect(stored().includes(trace)).toBe(false);
  });
});

describe('templates', () => {
  it('come back bit for bit, by person and age, with the version they belong to', () => {
    const store = openStore();
    for (const name of ['Ben', 'Anna']) store.ensurePerson(name);
    store.addTemplates('ben', [template(axis(4, 2)), template(axis(4, 0, 1, 0.6))]);
    store.addTemplates('anna', [template(axis(4, 3)), template(axis(8, 0), { encoder: 'encoder-b' })]);
    const loaded = store.loadTemplates(ENCODER);
    expect(loaded).toMatchObject({ version: 4, encoder: 'encoder-a', dimension: 4 });
    expect(loaded.people).toEqual([
      { id: 'anna', name: 'Anna' },
      { id: 'ben', name: 'Ben' },
    ]);
    expect([...loaded.owners]).toEqual([0, 1, 1]);
    expect(loaded.vectors).toEqual(Float32Array.of(0, 0, 0, 1, 0, 0, 1, 0, 0.8, 0.6, 0, 0));
  });

  it('are nowhere in the files as they are', () => {
    const file = join(temporaryFolder(), 'gallery.sqlite');
    const store = openStore(file);
    const embedding = axis(512, 7, 9, 0.3);
    store.ensurePerson('Anna');
    store.addTemplates('anna', [template(embedding)]);
    const stored = Buffer.concat([file, `${file}-wal`].map((it) => readFileSync(it)));
    expect(stored.includes(Buffer.from('Anna'))).toBe(true);
    // Four numbers in a row would give it away.
    expect(stored.includes(Buffer.from(embedding.buffer, 28, 16))).toBe(false);
  });

  it('of the same picture, person and encoder are kept once', () => {
    const store = openStore();
    for (const name of ['Anna', 'Ben']) store.ensurePerson(name);
    const picture = template(axis(4, 0));
    expect(store.addTemplates('anna', [picture, picture])).toBe(1);
    expect(store.version()).toBe(3);
    expect(store.addTemplates('anna', [picture])).toBe(0);
    expect(store.version()).toBe(3);
    expect(store.hasPicture('anna', picture.pictureSha256, 'encoder-a')).toBe(true);
    expect(store.hasPicture('ben', picture.pictureSha256, 'encoder-a')).toBe(false);
    expect(store.hasPicture('anna', picture.pictureSha256, 'encoder-b')).toBe(false);
  });

  it('are added all or none', () => {
    const store = openStore();
    store.ensurePerson('Anna');
    const before = store.version();
    expect(() => store.addTemplates('anna', [template(axis(4, 0)), template(Float32Array.of(2, 0, 0, 0))])).toThrow(
      RangeError,
    );
    const outOfRange = template(axis(4, 1), { quality: 7 });
    expect(failure(() => store.addTemplates('anna', [template(axis(4, 0)), outOfRange])).message).toContain('CHECK');
    expect(store.loadTemplates(ENCODER).owners).toHaveLength(0);
    expect(store.version()).toBe(before);
  });

  it('need a person', () => {
    const error = failure(() => openStore().addTemplates('nobody', [template(axis(4, 0))]));
    expect(error.code).toBe('PERSON_UNKNOWN');
  });

  it('of people who have none of an encoder are counted', () => {
    const store = openStore();
    for (const name of ['Anna', 'Ben', 'Cleo']) store.ensurePerson(name);
    store.addTemplates('anna', [template(axis(4, 0)), template(axis(4, 0), { encoder: 'old' })]);
    store.addTemplates('ben', [template(axis(4, 1), { encoder: 'old' }), template(axis(4, 2), { encoder: 'older' })]);
    expect(store.countForeign('encoder-a')).toEqual({ people: 1, templates: 2 });
    expect(store.countForeign('new')).toEqual({ people: 2, templates: 4 });
  });
});

describe('the file', () => {
  it('and its new folders are for the owner alone', () => {
    const folder = temporaryFolder();
    const file = join(folder, 'new', 'deep', 'gallery.sqlite');
    openStore(file).ensurePerson('Anna');
    const mode = (path: string) => statSync(path).mode & 0o777;
    expect([file, `${file}-wal`, `${file}-shm`].map(mode)).toEqual([0o600, 0o600, 0o600]);
    expect([join(folder, 'new'), join(folder, 'new', 'deep')].map(mode)).toEqual([0o700, 0o700]);
  });

  it('is warned of when others can read it', () => {
    const file = join(temporaryFolder(), 'gallery.sqlite');
    openStore(file);
    chmodSync(file, 0o644);
    const logger = keepingLogger();
    openGalleryStore(file, { logger, clock: new ManualClock() }).close();
    expect(logger.lines).toMatchObject([
      { level: 'warn', message: `gallery ${file} can be read by other users: chmod 600 it` },
    ]);
  });

  it('takes what another connection writes, and tells that it changed', () => {
    const file = join(temporaryFolder(), 'gallery.sqlite');
    const [reader, writer] = [openStore(file), openStore(file)];
    const version = reader.version();
    expect(reader.changed(version)).toBe(false);
    writer.ensurePerson('Anna');
    expect(reader.changed(version)).toBe(true);
    expect(reader.version()).toBe(version + 1);
    expect(reader.listPeople().map(({ id }) => id)).toEqual(['anna']);
  });

  it('keeps everything over closing, and stands alone when closed', () => {
    const folder = temporaryFolder();
    const [file, copy] = [join(folder, 'gallery.sqlite'), join(folder, 'copy.sqlite')];
    const store = openGalleryStore(file, { logger: silentLogger, clock: new ManualClock() });
    store.ensurePerson('Anna');
    store.close();
    copyFileSync(file, copy);
    expect(
      openStore(copy)
        .listPeople()
        .map(({ id }) => id),
    ).toEqual(['anna']);
  });

  it('can be written by one while another reads in the middle of a change', () => {
    const file = join(temporaryFolder(), 'gallery.sqlite');
    const store = openStore(file);
    const other = new Database(file);
    other.exec('BEGIN IMMEDIATE');
    other.exec(`INSERT INTO people (id, name, created_at) VALUES ('x', 'X', 1)`);
    expect(store.listPeople()).toEqual([]);
    expect(store.loadTemplates(ENCODER).version).toBe(0);
    other.exec('COMMIT');
    expect(store.listPeople()).toHaveLength(1);
  });

  it('is seen to change by a connection whose process opened it a second time', () => {
    const file = join(temporaryFolder(), 'gallery.sqlite');
    const daemon = openStore(file);
    daemon.ensurePerson('Anna');
    const version = daemon.version();
    openStore(file).version();
    // As `sqlite3 gallery.sqlite ".backup …"` does: whoever closes the file last puts its journal away.
    const elsewhere = (sql: string) => {
      const script = `const db = new (require('libsql'))(process.argv[1]); db.exec(process.argv[2]); db.close();`;
      execFileSync(process.execPath, ['-e', script, file, sql]);
    };
    elsewhere('SELECT count(*) FROM people');
    expect(existsSync(`${file}-wal`)).toBe(true);
    elsewhere('UPDATE meta SET version = version + 1; DELETE FROM people');
    expect(daemon.changed(version)).toBe(true);
    expect(daemon.listPeople()).toEqual([]);
  });

  it('that is missing is not made when it must exist', () => {
    const file = join(temporaryFolder(), 'gallery.sqlite');
    const open = () => openGalleryStore(file, { logger: silentLogger, clock: new ManualClock(), create: false });
    expect(failure(open)).toMatchObject({ code: 'GALLERY_UNREADABLE', message: `gallery ${file} does not exist` });
    expect(statSync(file, { throwIfNoEntry: false })).toBeUndefined();
  });

  it('that was replaced or removed is noticed', () => {
    const folder = temporaryFolder();
    const file = join(folder, 'gallery.sqlite');
    const store = openStore(file);
    openStore(join(folder, 'other.sqlite'));
    renameSync(join(folder, 'other.sqlite'), file);
    expect(failure(() => store.changed(0)).message).toBe(`gallery ${file} was removed or replaced`);
  });
});

describe('a new file', () => {
  it('has its name when it is whole, and leaves nothing beside it', () => {
    const file = join(temporaryFolder(), 'gallery.sqlite');
    openStore(file).close();
    expect(readdirSync(dirname(file)).filter((name) => name.startsWith('gallery.sqlite.'))).toEqual([]);
  });

  it('is made where a link leads to', () => {
    const folder = temporaryFolder();
    const [file, target] = [join(folder, 'gallery.sqlite'), join(folder, 'elsewhere.sqlite')];
    symlinkSync(target, file);
    openStore(file).ensurePerson('Anna');
    expect(openStore(target).listPeople()).toMatchObject([{ id: 'anna' }]);
  });

  it('takes nothing of a journal that an older one left', () => {
    const file = join(temporaryFolder(), 'gallery.sqlite');
    const store = openStore(file);
    store.ensurePerson('Anna');
    const [journal, again] = [readFileSync(`${file}-wal`), join(temporaryFolder(), 'gallery.sqlite')];
    writeFileSync(`${again}-wal`, journal);
    expect(openStore(again).listPeople()).toEqual([]);
  });
});

describe('a file that cannot serve', () => {
  /** Opens `file` after `spoil`; gives the message. */
  function refusal(spoil: (file: string) => void): { code: string; message: string; file: string } {
    const file = join(temporaryFolder(), 'gallery.sqlite');
    spoil(file);
    const { code, message } = failure(() => openGalleryStore(file, { logger: silentLogger, clock: new ManualClock() }));
    return { code, message, file };
  }

  function filled(file: string): void {
    const store = openGalleryStore(file, { logger: silentLogger, clock: new ManualClock() });
    store.ensurePerson('Anna');
    store.addTemplates(
      'anna',
      Array.from({ length: 40 }, () => template(axis(512, 0))),
    );
    store.close();
  }

  it.each<[string, (file: string) => void, string]>([
    ['is no database', (file) => writeFileSync(file, 'name,id\nAnna,1\n'.repeat(500)), 'is not a database'],
    ['is a folder', (file) => mkdirSync(file), 'cannot be opened: EISDIR'],
    ['has no byte', (file) => writeFileSync(file, ''), 'is empty (0 bytes)'],
    [
      'is cut off',
      (file) => {
        filled(file);
        truncateSync(file, 40_000);
      },
      'is damaged',
    ],
    [
      'is overwritten in the middle',
      (file) => {
        filled(file);
        const bytes = readFileSync(file);
        bytes.fill(0xa5, 8192, 24_576);
        writeFileSync(file, bytes);
      },
      'is damaged',
    ],
    [
      'belongs to another program',
      (file) => {
        new Database(file).exec('CREATE TABLE states (id INTEGER)');
      },
      'is a database of another program',
    ],
    [
      'is of a newer schema',
      (file) => {
        filled(file);
        new Database(file).exec('PRAGMA user_version = 99');
      },
      'was written by a newer Eyeline (schema 99, this one knows up to 3)',
    ],
  ])('because it %s is named with the reason', (_, spoil, reason) => {
    const { code, message, file } = refusal(spoil);
    expect(code).toBe('GALLERY_UNREADABLE');
    expect(message).toContain(`gallery ${file} ${reason}`);
  });

  it('because nothing is left of it is left alone, with the journal that may hold everybody', () => {
    const file = join(temporaryFolder(), 'gallery.sqlite');
    const store = openStore(file);
    store.addTemplates(store.ensurePerson('Anna').id, [template(axis(4, 0))]);
    // As after a power cut: what the file had is gone, what was acknowledged last is in the journal.
    const [whole, cut] = [`${file}.whole`, `${file}.cut`];
    copyFileSync(file, whole);
    copyFileSync(`${file}-wal`, `${whole}-wal`);
    writeFileSync(cut, '');
    copyFileSync(`${file}-wal`, `${cut}-wal`);
    expect(failure(() => openStore(cut)).message).toContain(`gallery ${cut} is empty (0 bytes)`);
    expect(statSync(cut).size).toBe(0);
    // Put back beside the journal, it has everybody.
    copyFileSync(whole, cut);
    expect(openStore(cut).listPeople()).toMatchObject([{ id: 'anna', templates: 1 }]);
  });

  it('because its folder cannot be made is named', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'plain'), '');
    const file = join(folder, 'plain', 'gallery.sqlite');
    const error = failure(() => openGalleryStore(file, { logger: silentLogger, clock: new ManualClock() }));
    expect(error.message).toContain(`gallery ${file} cannot be opened: EEXIST`);
  });

  it.skipIf(process.getuid?.() === 0)('because of its permissions is named (needs another user than root)', () => {
    const { message, file } = refusal((it) => {
      filled(it);
      chmodSync(it, 0);
    });
    expect(message).toContain(`gallery ${file} cannot be opened: EACCES`);
  });

  it('because it belongs to another program is left as it is', () => {
    const file = join(temporaryFolder(), 'other.sqlite');
    const other = new Database(file);
    other.exec('CREATE TABLE states (id INTEGER)');
    other.close();
    const before = readFileSync(file);
    failure(() => openGalleryStore(file, { logger: silentLogger, clock: new ManualClock() }));
    expect(readFileSync(file).equals(before)).toBe(true);
  });
});
