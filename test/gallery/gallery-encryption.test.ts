import { existsSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import Database from 'libsql';
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/core/logger.ts';
import { SEAL_BYTES, seal, unseal } from '../../src/core/sealed.ts';
import { createKeyFile, parseGalleryKey } from '../../src/gallery/gallery-key.ts';
import { APPLICATION_ID, MIGRATIONS } from '../../src/gallery/gallery-schema.ts';
import { openGalleryStore } from '../../src/gallery/sqlite-gallery-store.ts';
import { axis, ManualClock, openStore, template, temporaryFolder } from './gallery-rig.ts';

const ENCODER = { fingerprint: 'encoder-a', dimension: 4 };
const OTHER_KEY = new Uint8Array(32).fill(7);

function open(file: string, key?: Uint8Array) {
  return openGalleryStore(file, { logger: silentLogger, clock: new ManualClock(), ...(key ? { key } : {}) });
}

function newGallery(): string {
  const file = join(temporaryFolder(), 'gallery.sqlite');
  const store = open(file);
  store.ensurePerson('Anna');
  store.addTemplates('anna', [template(axis(4, 0)), template(axis(4, 1))]);
  store.close();
  return file;
}

describe('what is sealed', () => {
  const key = fc.uint8Array({ minLength: 32, maxLength: 32 });

  it('opens with the same key and place, and is longer by nonce and tag', () => {
    fc.assert(
      fc.property(fc.uint8Array(), key, fc.string(), (plain, secret, place) => {
        const sealed = seal(plain, secret, place);
        expect(sealed).toHaveLength(plain.length + SEAL_BYTES);
        expect(Buffer.from(unseal(sealed, secret, place) ?? []).equals(plain)).toBe(true);
      }),
    );
  });

  it('does not open when any bit, the key or the place is another', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), key, fc.nat(), (plain, secret, at) => {
        const sealed = Buffer.from(seal(plain, secret, 'here'));
        expect(unseal(sealed, secret, 'there')).toBeNull();
        expect(
          unseal(
            sealed,
            secret.map((byte) => byte ^ 1),
            'here',
          ),
        ).toBeNull();
        const bit = at % (sealed.length * 8);
        sealed[bit >> 3] = (sealed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(unseal(sealed, secret, 'here')).toBeNull();
        expect(unseal(sealed.subarray(0, at % SEAL_BYTES), secret, 'here')).toBeNull();
      }),
    );
  });
});

describe('the key', () => {
  it('lies beside the gallery, for its owner alone, where none is given', () => {
    const file = newGallery();
    const keyFile = join(file, '../gallery.key');
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
    expect(parseGalleryKey(readFileSync(keyFile, 'utf8'), 'it')).toHaveLength(32);
    expect([...open(file).loadTemplates(ENCODER).vectors]).toEqual([1, 0, 0, 0, 0, 1, 0, 0]);
  });

  it('that is missing is not made anew for a gallery that was encrypted', () => {
    const file = newGallery();
    const keyFile = join(file, '../gallery.key');
    unlinkSync(keyFile);
    expect(() => open(file)).toThrow(
      expect.objectContaining({
        code: 'GALLERY_KEY_INVALID',
        message: expect.stringContaining(`${keyFile} is missing`),
      }),
    );
    expect(existsSync(keyFile)).toBe(false);
  });

  it('that is another one opens nothing', () => {
    const file = newGallery();
    expect(() => open(file, OTHER_KEY)).toThrow(
      expect.objectContaining({
        code: 'GALLERY_KEY_INVALID',
        message: `gallery ${file} was encrypted with another key`,
      }),
    );
  });

  it('may be hexadecimal or base64, and nothing else', () => {
    const bytes = Buffer.alloc(32, 0xab);
    expect(parseGalleryKey(`${bytes.toString('hex')}\n`, 'it')).toEqual(bytes);
    expect(parseGalleryKey(bytes.toString('base64'), 'it')).toEqual(bytes);
    for (const text of ['', 'secret', bytes.toString('hex').slice(2)]) {
      expect(() => parseGalleryKey(text, 'credential "gallery"')).toThrow('credential "gallery" is no key');
    }
  });

  it('of a file that is there stays', () => {
    const file = join(temporaryFolder(), 'gallery.key');
    createKeyFile(file);
    const first = readFileSync(file, 'utf8');
    createKeyFile(file);
    expect(readFileSync(file, 'utf8')).toBe(first);
  });

  it('can be changed: templates are the same, the old key opens nothing, an open gallery is told', () => {
    const file = newGallery();
    const running = open(file);
    const before = running.loadTemplates(ENCODER).vectors;
    const sealed = () => new Database(file).prepare('SELECT hex(embedding) AS it FROM templates').all([]);
    const old = sealed();
    const store = open(file);
    expect(store.rotateKey()).toBe(2);
    expect(store.audit().at(-1)).toMatchObject({ action: 'rotate-key', detail: { templates: 2 } });
    expect(sealed()).not.toEqual(old);
    // A data key made by another process is read when it is met.
    expect(running.loadTemplates(ENCODER).vectors).toEqual(before);
    running.addTemplates('anna', [template(axis(4, 2))]);
    expect(store.rotateKey(OTHER_KEY)).toBe(3);
    expect(store.loadTemplates(ENCODER).owners).toHaveLength(3);
    expect(() => running.loadTemplates(ENCODER)).toThrow('was encrypted with another key');
    expect(() => open(file)).toThrow('was encrypted with another key');
    expect(open(file, OTHER_KEY).loadTemplates(ENCODER).owners).toHaveLength(3);
  });
});

describe('a template', () => {
  it('does not open for another person', () => {
    const file = newGallery();
    const store = open(file);
    store.ensurePerson('Ben');
    new Database(file).exec("UPDATE templates SET person = 'ben'");
    expect(() => store.loadTemplates(ENCODER)).toThrow(
      expect.objectContaining({ code: 'GALLERY_UNREADABLE', message: expect.stringContaining('a template of ben') }),
    );
  });

  it('that was stored before there was encryption is encrypted when the gallery is opened', () => {
    const file = join(temporaryFolder(), 'gallery.sqlite');
    writeFileSync(file, '', { mode: 0o600 });
    const old = new Database(file);
    old.exec(MIGRATIONS[0] ?? '');
    old.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = 1`);
    old.exec("INSERT INTO people VALUES ('anna', 'Anna', NULL, NULL, 1)");
    const embedding = Float32Array.of(0.6, 0, 0.8, 0);
    const values = ['anna', 'encoder-a', 'full', 4, Buffer.from(embedding.buffer), 0.5, 'a.jpg', 'f'.repeat(64), 1];
    old
      .prepare(
        `INSERT INTO templates (person, encoder, part, dimension, embedding, quality, source_file, picture_sha256, created_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(values);
    old.close();
    const plain = Buffer.from(embedding.buffer);
    expect(readFileSync(file).includes(plain)).toBe(true);

    const store = openStore(file);
    expect(store.loadTemplates(ENCODER).vectors).toEqual(embedding);
    const stored = [file, `${file}-wal`].filter((it) => existsSync(it)).map((it) => readFileSync(it));
    expect(Buffer.concat(stored).includes(plain)).toBe(false);
  });
});
