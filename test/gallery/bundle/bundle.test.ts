import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { truncate } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { announcementPath, bundlePath, personOf, stateDigest } from '../../../src/gallery/bundle/bundle-format.ts';
import {
  bodyKeyId,
  generateSigningKey,
  readSigningKey,
  readTrustedKeys,
} from '../../../src/gallery/bundle/bundle-keys.ts';
import { readBundle } from '../../../src/gallery/bundle/read-bundle.ts';
import { readAnnouncement, signAnnouncement, signJson } from '../../../src/gallery/bundle/signed-json.ts';
import { writeBundle } from '../../../src/gallery/bundle/write-bundle.ts';
import { bundleFile, DIMENSION, fleetKeys, given, NOW, newSigner, person } from '../fleet-rig.ts';
import { axis, temporaryFolder } from '../gallery-rig.ts';

const keys = fleetKeys();

/** The file with its header changed and signed again by `signing`: what only somebody with the key can make. */
function resigned(file: string, change: (header: Record<string, unknown>) => void, signing = keys.signing): void {
  const bytes = readFileSync(file);
  const length = bytes.readUInt32LE(5);
  const header = JSON.parse(bytes.subarray(9, 9 + length).toString());
  change(header);
  const text = Buffer.from(JSON.stringify(header));
  const size = Buffer.alloc(4);
  size.writeUInt32LE(text.length);
  const body = bytes.subarray(9 + length + 64);
  writeFileSync(file, Buffer.concat([bytes.subarray(0, 5), size, text, signing.sign('eyeline bundle 1', text), body]));
}

describe('a bundle', () => {
  it('gives back what was put in, without the names of files', async () => {
    const folder = temporaryFolder();
    const upper = given(axis(DIMENSION, 2, 3, 0.25), { part: 'upper', mask: 'worn', quality: 0.123456789 });
    const anna = person('anna', 1, { templates: [upper, given(axis(DIMENSION, 1), { sourceFile: 'anna.jpg' })] });
    const ben = person('ben', 4, { consentAtMs: null, consentNote: null, retainUntilMs: null, templates: [] });
    const tombstones = [{ id: 'zoe', deletedAtMs: NOW }];
    const { file, bundle, rawBytes, bytes, sha256 } = await bundleFile(folder, keys, [anna, ben], { tombstones });
    const content = await readBundle(file, keys.trust);
    expect(content.tombstones).toEqual(tombstones);
    expect(content.header).toMatchObject({ ...bundle, rawBytes });
    const [first, second] = content.people.map(personOf);
    expect(second).toEqual(ben);
    expect(first?.templates).toHaveLength(2);
    const withoutFiles = anna.templates.map((it) => ({ ...it, sourceFile: '' }));
    expect(first).toEqual({ ...anna, templates: expect.arrayContaining(withoutFiles) });
    const stored = readFileSync(file);
    expect([stored.length, createHash('sha256').update(stored).digest('hex')]).toEqual([bytes, sha256]);
    expect(stored.includes('anna')).toBe(false);
    expect(stateDigest(new Map(content.people.map((it) => [it.person.id, it.digest])))).toBe(bundle.to.digest);
  });

  it('can be empty', async () => {
    const { file } = await bundleFile(temporaryFolder(), keys, []);
    expect(await readBundle(file, keys.trust)).toMatchObject({ people: [], tombstones: [] });
  });

  it('is refused with any one bit flipped', async () => {
    const folder = temporaryFolder();
    const { file } = await bundleFile(folder, keys, [person('anna', 1), person('ben', 2)]);
    const bytes = readFileSync(file);
    const flipped = join(folder, 'flipped.eyb');
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: bytes.length * 8 - 1 }), async (bit) => {
        const copy = Buffer.from(bytes);
        copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        writeFileSync(flipped, copy);
        await expect(readBundle(flipped, keys.trust)).rejects.toMatchObject({
          code: expect.stringMatching(/^BUNDLE_(CORRUPT|UNTRUSTED)$/),
        });
      }),
      { numRuns: 400 },
    );
    writeFileSync(flipped, bytes);
    expect((await readBundle(flipped, keys.trust)).people).toHaveLength(2);
  });

  it('is refused when cut off anywhere, or longer than it should be', async () => {
    const { file, bytes } = await bundleFile(temporaryFolder(), keys, [person('anna')]);
    const whole = readFileSync(file);
    for (const length of [0, 3, 8, 9, 100, 900, bytes - 1]) {
      writeFileSync(file, whole);
      await truncate(file, length);
      await expect(readBundle(file, keys.trust), `${length}`).rejects.toMatchObject({ code: 'BUNDLE_CORRUPT' });
    }
    writeFileSync(file, Buffer.concat([whole, Buffer.from('x')]));
    await expect(readBundle(file, keys.trust)).rejects.toMatchObject({ code: 'BUNDLE_CORRUPT' });
  });

  it('is refused when another key signed it, also under the id of a trusted one', async () => {
    const { file } = await bundleFile(temporaryFolder(), { ...keys, signing: newSigner() }, [person('anna')]);
    await expect(readBundle(file, keys.trust)).rejects.toMatchObject({ code: 'BUNDLE_UNTRUSTED' });
    const other = await bundleFile(temporaryFolder(), keys, [person('anna')]);
    resigned(other.file, () => {}, newSigner());
    await expect(readBundle(other.file, keys.trust)).rejects.toMatchObject({ code: 'BUNDLE_UNTRUSTED' });
  });

  it('is read with the old key and the new one while keys change', async () => {
    const next = fleetKeys();
    const trust = {
      signers: readTrustedKeys([keys.signing.publicKey, next.signing.publicKey]),
      bodyKeys: new Map([...keys.trust.bodyKeys, ...next.trust.bodyKeys]),
    };
    const folder = temporaryFolder();
    for (const those of [keys, next]) {
      const { file } = await bundleFile(folder, those, [person('anna')]);
      expect((await readBundle(file, trust)).people).toHaveLength(1);
    }
  });

  it('is refused without the key it is encrypted with', async () => {
    const { file } = await bundleFile(temporaryFolder(), { ...keys, body: randomBytes(32) }, [person('anna')]);
    await expect(readBundle(file, keys.trust)).rejects.toMatchObject({ code: 'BUNDLE_KEY_INVALID' });
    const id = bodyKeyId(keys.body);
    const wrong = { ...keys.trust, bodyKeys: new Map([[id, randomBytes(32) as Uint8Array]]) };
    const mine = await bundleFile(temporaryFolder(), keys, [person('anna')]);
    await expect(readBundle(mine.file, wrong)).rejects.toMatchObject({ code: 'BUNDLE_CORRUPT' });
  });

  it('that unpacks to more than was signed is given up, whoever made it', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'bomb.eyb');
    const { bundle } = await bundleFile(folder, keys, []);
    const zeros = function* () {
      for (let i = 0; i < 256; i++) yield ' '.repeat(1024 ** 2);
    };
    const { bytes } = await writeBundle(file, bundle, zeros(), keys);
    expect(bytes).toBeLessThan(100_000);
    const before = process.memoryUsage.rss();
    // As it is, one line is too long; with less promised, the promise is broken.
    await expect(readBundle(file, keys.trust)).rejects.toThrow(/no JSON|too long/);
    resigned(file, (header) => {
      header.rawBytes = 1000;
    });
    await expect(readBundle(file, keys.trust)).rejects.toThrow('unpacks to more than was signed');
    expect(process.memoryUsage.rss() - before).toBeLessThan(128 * 1024 ** 2);
  });

  it.each<[string, (line: string) => string]>([
    ['a path as an id', (line) => line.replace('"id":"anna"', '"id":"../anna"')],
    ['a key nobody knows', (line) => line.replace('"id":"anna"', '"id":"anna","admin":true')],
    ['another order', (line) => line.replace(/^\{"person":(.*),"templates":(.*)\}$/, '{"templates":$2,"person":$1}')],
    [
      'no unit norm',
      (line) => line.replace(/"embedding":"[^"]*"/, `"embedding":"${Buffer.alloc(32).toString('base64')}"`),
    ],
    ['another dimension', (line) => line.replace(/"embedding":"[^"]*"/, '"embedding":"AACAPw=="')],
    ['another encoder', (line) => line.replace('encoder-a', 'encoder-b')],
    ['no JSON', () => '{'],
    ['a control character in a name', (line) => line.replace('anna of', 'anna\\u0000of')],
  ])('is refused with %s', async (_, change) => {
    const folder = temporaryFolder();
    const { file, bundle } = await bundleFile(folder, keys, [person('anna')]);
    const good = await readBundle(file, keys.trust);
    const { digest: __, ...entry } = good.people[0] ?? expect.unreachable();
    const line = JSON.stringify(entry);
    expect(change(line)).not.toBe(line);
    await writeBundle(file, bundle, [change(line)], keys);
    await expect(readBundle(file, keys.trust)).rejects.toMatchObject({ code: 'BUNDLE_CORRUPT' });
  });

  it('is refused when it holds somebody twice, or fewer than it says', async () => {
    const folder = temporaryFolder();
    const twice = await bundleFile(folder, keys, [person('anna'), person('anna')]);
    await expect(readBundle(twice.file, keys.trust)).rejects.toMatchObject({ code: 'BUNDLE_CORRUPT' });
    const fewer = await bundleFile(folder, keys, [person('anna')]);
    resigned(fewer.file, (header) => {
      header.people = 2;
    });
    await expect(readBundle(fewer.file, keys.trust)).rejects.toMatchObject({ code: 'BUNDLE_CORRUPT' });
  });
});

describe('an announcement', () => {
  const announcement = {
    schema: 'eyeline.announcement/1' as const,
    stream: '0b7e6d9c-6f1e-4a53-9d0c-111111111111',
    site: 'lobby',
    to: { version: 3, digest: 'a'.repeat(64) },
    createdAtMs: NOW,
    expiresAtMs: NOW + 1,
    bundles: [{ kind: 'full' as const, from: null, sha256: 'b'.repeat(64), bytes: 10, rawBytes: 20 }],
  };
  const text = signAnnouncement(announcement, keys.signing);

  it('says what was signed', () => {
    expect(readAnnouncement(text, keys.trust.signers)).toEqual({ ...announcement, signedBy: keys.signing.id });
  });

  it('is refused with any one character changed', () => {
    fc.assert(
      fc.property(fc.nat({ max: text.length - 1 }), fc.constantFrom('A', 'z', '0', '"', ' '), (at, character) => {
        fc.pre(text[at] !== character);
        const changed = text.slice(0, at) + character + text.slice(at + 1);
        let said: unknown = null;
        try {
          said = readAnnouncement(changed, keys.trust.signers);
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/^BUNDLE_(CORRUPT|UNTRUSTED)$/) });
          return;
        }
        // The last base64 digit of a signature has bits that mean nothing: what was signed still says the same.
        expect(said).toEqual({ ...announcement, signedBy: keys.signing.id });
      }),
      { numRuns: 500 },
    );
  });

  it('signed for another purpose is none', () => {
    const receipt = signJson('eyeline receipt 1', { ...announcement, signedBy: keys.signing.id }, keys.signing);
    expect(() => readAnnouncement(receipt, keys.trust.signers)).toThrow('not signed with a trusted key');
  });

  it('of a key nobody trusts, of another schema, or endless is refused', () => {
    const forged = signAnnouncement(announcement, newSigner());
    expect(() => readAnnouncement(forged, keys.trust.signers)).toThrow('not signed with a trusted key');
    const odd = signAnnouncement({ ...announcement, site: '../..' }, keys.signing);
    expect(() => readAnnouncement(odd, keys.trust.signers)).toThrow('does not follow its schema');
    expect(() => readAnnouncement('x'.repeat(1_000_000), keys.trust.signers)).toThrow('too long');
    expect(() => readAnnouncement('', keys.trust.signers)).toThrow('no signed JSON');
  });
});

it('keys are read as they were made', () => {
  const made = generateSigningKey();
  const read = readSigningKey(made.pem, 'key');
  expect([read.id, read.publicKey]).toEqual([made.id, made.publicKey]);
  expect([...readTrustedKeys([made.publicKey]).keys()]).toEqual([made.id]);
  expect(() => readSigningKey('nonsense', 'key.pem')).toThrow('key.pem is no private key');
  expect(() => readTrustedKeys(['ed25519:AAAA'])).toThrow('32 bytes');
});

it('paths are made of checked parts alone', () => {
  expect(bundlePath('a'.repeat(64))).toBe(`bundles/${'a'.repeat(64)}.eyb`);
  for (const bad of ['../x', `${'a'.repeat(63)}/`, '']) expect(() => bundlePath(bad)).toThrow();
  expect(announcementPath('lobby')).toBe('sites/lobby/latest.json');
  for (const bad of ['..', 'a/b', '', 'A', '.']) expect(() => announcementPath(bad)).toThrow();
});
