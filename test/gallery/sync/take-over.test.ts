import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bundlePath } from '../../../src/gallery/bundle/bundle-format.ts';
import { readTrustedKeys } from '../../../src/gallery/bundle/bundle-keys.ts';
import { readBundle } from '../../../src/gallery/bundle/read-bundle.ts';
import { signAnnouncement } from '../../../src/gallery/bundle/signed-json.ts';
import { folderShelf } from '../../../src/gallery/master/folder-shelf.ts';
import { publish } from '../../../src/gallery/master/publish.ts';
import { applyBundle } from '../../../src/gallery/sync/apply-bundle.ts';
import { readReceipt, readReceipts, receiptName } from '../../../src/gallery/sync/receipt.ts';
import { httpBundleSource } from '../../../src/gallery/sync/undici-bundle-source.ts';
import { device, fleet } from '../fleet-device.ts';
import { bundleFile, DIMENSION, ENCODER, given, NOW, newSigner, person } from '../fleet-rig.ts';
import { axis, template } from '../gallery-rig.ts';

const DAY_MS = 86_400_000;

describe('a device', () => {
  it('takes a full version over, then deltas, and ends where the master is', async () => {
    const { put, release, server, keys, master } = await fleet();
    const door = device(keys, server.url);
    const local = door.store.ensurePerson('Local Guest');
    door.store.addTemplates(local.id, [template(axis(DIMENSION, 7), { encoder: ENCODER })]);
    await put(Array.from({ length: 50 }, (_, i) => person(`p${String(i).padStart(2, '0')}`, i)));
    await release();
    expect(await door.sync()).toMatchObject({ outcome: 'taken', state: { version: 1, floor: 1, undo: null } });
    expect(await door.sync()).toMatchObject({ outcome: 'current', bytes: 0 });
    await put([person('anna', 3), person('p00', 5)], ['p01']);
    const second = await release();
    const taken = await door.sync();
    expect(taken).toMatchObject({ outcome: 'taken', state: { version: 2 }, bytes: second.bundles[1]?.bytes });
    expect(second.bundles[1]?.kind).toBe('delta');
    expect(taken.bytes).toBeLessThan((second.bundles[0]?.bytes ?? 0) / 2);
    const expected = [];
    for await (const it of master.everybody()) expected.push(it);
    for (const it of expected) expect(door.store.personState(it.id)).toEqual(it);
    expect(door.ids()).toEqual([...expected.map(({ id }) => id), local.id].sort());
    expect(readdirSync(door.options.folder)).toEqual([`undo-${taken.state.undo?.sha256}.eyb`]);
  });

  it('that missed versions takes the delta from its own, or the full one when it is too far behind', async () => {
    const { put, release, server, keys } = await fleet();
    const [near, far] = [device(keys, server.url), device(keys, server.url)];
    for (let version = 1; version <= 6; version++) {
      await put([person(`p${version}`, version)]);
      await release();
      if (version === 1) await far.sync();
      if (version === 4) await near.sync();
    }
    const before = server.requests.length;
    await near.sync();
    await far.sync();
    const fetched = server.requests.slice(before).filter(({ path }) => path.startsWith('/bundles/'));
    expect(fetched).toHaveLength(2);
    expect([near.ids(), far.ids()]).toEqual(Array(2).fill(['p1', 'p2', 'p3', 'p4', 'p5', 'p6']));
  });

  it('signs what it deleted, for those alone who know the ids', async () => {
    const { put, release, server, keys } = await fleet();
    const door = device(keys, server.url);
    await put([person('anna', 1), person('ben', 2)]);
    await release();
    await door.sync();
    await put([], ['anna']);
    await release();
    const { state } = await door.sync();
    const receipts = readReceipts(door.store.state('fleet.receipts'));
    expect(receipts).toHaveLength(1);
    expect(Buffer.from(JSON.parse(receipts[0] ?? '').payload, 'base64').toString()).not.toContain('anna');
    const receipt = readReceipt(receipts[0] ?? '', readTrustedKeys([door.options.deviceKey.publicKey]));
    expect(receipt).toMatchObject({ device: 'door', version: 2, people: [receiptName(state.stream, 'anna')] });
    expect(() => readReceipt(receipts[0] ?? '', readTrustedKeys([newSigner().publicKey]))).toThrow();
    expect(door.store.audit({}).filter(({ action }) => action === 'remove')).toHaveLength(1);
  });

  it('goes back a version, without bringing back who was deleted, and waits for a newer one', async () => {
    const { put, release, server, keys } = await fleet();
    const door = device(keys, server.url);
    const anna = person('anna', 1);
    await put([anna, person('ben', 2), person('carl', 3)]);
    await release();
    await door.sync();
    await expect(door.back()).rejects.toMatchObject({ code: 'ROLLBACK_UNAVAILABLE' });
    await put([person('anna', 4, { name: 'Somebody else' }), person('dora', 5)], ['ben']);
    await release();
    await door.sync();
    expect(door.ids()).toEqual(['anna', 'carl', 'dora']);
    expect(await door.back()).toMatchObject({ state: { version: 1, floor: 2, undo: null }, stayDeleted: 0 });
    expect(door.ids()).toEqual(['anna', 'carl']);
    expect(door.store.personState('anna')).toEqual(anna);
    expect(await door.sync()).toMatchObject({ outcome: 'held', state: { version: 1 } });
    await expect(door.back()).rejects.toMatchObject({ code: 'ROLLBACK_UNAVAILABLE' });
    await put([person('emil', 6)]);
    await release();
    expect(await door.sync()).toMatchObject({ outcome: 'taken', state: { version: 3 } });
    expect(door.ids()).toEqual(['anna', 'carl', 'dora', 'emil']);
  });

  it('keeps no template of whoever was deleted in what leads back', async () => {
    const { put, release, server, keys } = await fleet();
    const door = device(keys, server.url);
    for (const [people, gone] of [
      [[person('anna', 1), person('ben', 2)], []],
      [[person('ben', 3)], []],
      [[], ['anna']],
    ] as const) {
      await put(people, gone);
      await release();
      await door.sync();
    }
    await door.back();
    expect(door.ids()).toEqual(['ben']);
  });

  it('goes on with a bundle that was cut off, from where it was', async () => {
    const { put, release, server, keys } = await fleet();
    const door = device(keys, server.url);
    const note = () => randomBytes(1000).toString('hex');
    await put(Array.from({ length: 200 }, (_, i) => person(`p${i}`, i, { consentNote: note() })));
    const { bundles } = await release();
    const bytes = bundles[0]?.bytes ?? 0;
    let cuts = 0;
    server.fault = (request, response, file) => {
      if (!request.url?.includes('bundles') || cuts++ > 0) return false;
      response.writeHead(200, { etag: `"${sha1(file)}"`, 'content-length': file.length });
      response.write(file.subarray(0, Math.floor(bytes / 2)));
      // Cut when the device has begun to keep what came.
      const watch = setInterval(() => {
        const part = readdirSync(door.options.folder).find((name) => name.endsWith('.part'));
        if (!part || statSync(join(door.options.folder, part)).size === 0) return;
        clearInterval(watch);
        response.destroy();
      }, 10);
      return true;
    };
    await expect(door.sync()).rejects.toMatchObject({ code: 'SYNC_UNREACHABLE' });
    expect(door.ids()).toEqual([]);
    expect(await door.sync()).toMatchObject({ outcome: 'taken' });
    const resumed = server.requests.find(({ status }) => status === 206);
    expect(resumed?.bytes).toBeLessThan(bytes);
    expect(resumed?.bytes).toBeGreaterThanOrEqual(bytes - Math.floor(bytes / 2));
    expect(door.ids()).toHaveLength(200);
  });

  it('gets bundles through a proxy', async () => {
    const { release, server, put } = await fleet();
    await put([person('anna')]);
    await release();
    let tunnels = 0;
    const proxy = createServer().on('connect', (request, socket) => {
      tunnels++;
      const [host, port] = (request.url ?? '').split(':');
      const up = connect(Number(port), host ?? '', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        up.pipe(socket).pipe(up);
      });
      up.on('error', () => socket.destroy());
      socket.on('error', () => up.destroy());
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const { port } = proxy.address() as { port: number };
    const base = { url: server.url, site: 'lobby', idleMs: 5000, wholeMs: 60_000 };
    const byKey = httpBundleSource({ ...base, proxy: `http://127.0.0.1:${port}`, env: {} });
    const byEnvironment = httpBundleSource({ ...base, proxy: null, env: { HTTP_PROXY: `http://127.0.0.1:${port}` } });
    const { signal } = new AbortController();
    expect((await byKey.announcement(null, signal))?.text).toContain('payload');
    expect(tunnels).toBe(1);
    expect((await byEnvironment.announcement(null, signal))?.text).toContain('payload');
    expect(tunnels).toBe(2);
    await byKey.close();
    await byEnvironment.close();
    proxy.closeAllConnections();
    proxy.close();
  });
});

describe('a device keeps its gallery and says why', () => {
  /** A device at version 1 with Anna, and what would be version 2 with Ben. */
  async function at1() {
    const it = await fleet();
    const door = device(it.keys, it.server.url);
    await it.put([person('anna', 1)]);
    const first = await it.release();
    await door.sync();
    await it.put([person('ben', 2)]);
    const refused = async (work: Promise<unknown>, code: string) => {
      await expect(work).rejects.toMatchObject({ code });
      expect(door.ids()).toEqual(['anna']);
      expect(door.state()).toMatchObject({ version: 1 });
    };
    return { ...it, door, first, refused };
  }

  it('when the key is wrong', async () => {
    const { door, master, root, keys, refused } = await at1();
    const forged = { ...keys, signing: newSigner() };
    await publish(master, folderShelf(root), { site: 'lobby', keys: forged, nowMs: NOW, validDays: 30, deltas: 1 });
    await refused(door.sync(), 'BUNDLE_UNTRUSTED');
  });

  it('when the announcement is good and the bundle is signed by another', async () => {
    const { door, keys, root, refused } = await at1();
    const state = door.state();
    const { file, bundle, ...written } = await bundleFile(
      root,
      { ...keys, signing: newSigner() },
      [person('mallory')],
      {
        stream: state?.stream ?? '',
        to: { version: 2, digest: 'a'.repeat(64) },
      },
    );
    await folderShelf(root).put(bundlePath(written.sha256), file);
    const offered = { kind: 'full' as const, from: null, ...written };
    const { stream, to, site, createdAtMs, expiresAtMs } = bundle;
    const announcement = { schema: 'eyeline.announcement/1' as const, stream, to, site, createdAtMs, expiresAtMs };
    await refused(
      door.take(signAnnouncement({ ...announcement, bundles: [offered] }, keys.signing)),
      'BUNDLE_UNTRUSTED',
    );
  });

  it('when an older version is played again', async () => {
    const { door, first, release } = await at1();
    await release();
    await door.sync();
    await expect(door.take(first.announcement)).rejects.toMatchObject({ code: 'BUNDLE_REPLAYED' });
    expect(door.ids()).toEqual(['anna', 'ben']);
  });

  it('when the version before a rollback is played again', async () => {
    const { door, first, release } = await at1();
    await release();
    await door.sync();
    await door.back();
    expect(await door.take(first.announcement)).toMatchObject({ outcome: 'current' });
    expect(await door.sync()).toMatchObject({ outcome: 'held' });
  });

  it('when a bundle is changed on its way, or cut, or another one', async () => {
    const { door, release, root, refused } = await at1();
    const { bundles } = await release();
    const paths = bundles.map(({ sha256 }) => join(root, bundlePath(sha256)));
    const whole = paths.map((path) => readFileSync(path));
    for (const [index, path] of paths.entries()) {
      const changed = Buffer.from(whole[index] ?? '');
      changed[changed.length >> 1] = (changed[changed.length >> 1] ?? 0) ^ 1;
      writeFileSync(path, changed);
    }
    await refused(door.sync(), 'BUNDLE_CORRUPT');
    for (const [index, path] of paths.entries())
      writeFileSync(path, (whole[index] ?? Buffer.alloc(0)).subarray(0, 500));
    await refused(door.sync(), 'SYNC_UNREACHABLE');
    for (const [index, path] of paths.entries())
      writeFileSync(path, Buffer.concat([whole[index] ?? Buffer.alloc(0), Buffer.from('x')]));
    await refused(door.sync(), 'BUNDLE_CORRUPT');
    for (const [index, path] of paths.entries()) writeFileSync(path, whole[index] ?? '');
    expect(await door.sync()).toMatchObject({ outcome: 'taken' });
  });

  it('when a download never ends', async () => {
    const { door, release, server, refused } = await at1();
    await release();
    let sent = 0;
    server.fault = (request, response) => {
      if (!request.url?.includes('bundles')) return false;
      response.writeHead(200, {});
      const more = () => {
        if (response.destroyed) return;
        sent += 65_536;
        response.write(Buffer.alloc(65_536), more);
      };
      more();
      return true;
    };
    await refused(door.sync(), 'BUNDLE_CORRUPT');
    expect(sent).toBeLessThan(64 * 1024 ** 2);
    server.fault = (request, response) => {
      if (!request.url?.includes('latest')) return false;
      response.writeHead(200, {});
      const more = () => response.destroyed || response.write(Buffer.alloc(65_536, 32), more);
      more();
      return true;
    };
    await refused(door.sync(), 'BUNDLE_CORRUPT');
  });

  it('when the delta is for another state than it has', async () => {
    const { door, release, keys, root, refused } = await at1();
    await release();
    const state = door.state();
    const wrong = { version: 1, digest: 'c'.repeat(64) };
    const to = { version: 2, digest: 'd'.repeat(64) };
    const stream = state?.stream ?? '';
    const bundle = await bundleFile(root, keys, [person('eve')], { stream, kind: 'delta', from: wrong, to });
    await folderShelf(root).put(bundlePath(bundle.sha256), bundle.file);
    const apply = async (file: string) =>
      applyBundle(await readBundle(file, keys.trust), { ...door.options, bodyKey: keys.body, nowMs: NOW });
    mkdirSync(door.options.folder, { recursive: true });
    await refused(apply(bundle.file), 'BUNDLE_WRONG_BASE');
    // On the right base, with another outcome than was signed.
    const from = { version: 1, digest: state?.digest ?? '' };
    const lying = await bundleFile(root, keys, [person('eve')], { stream, kind: 'delta', from, to });
    await refused(apply(lying.file), 'BUNDLE_WRONG_BASE');
    const full = await bundleFile(root, keys, [person('eve')], { stream, to });
    await refused(apply(full.file), 'BUNDLE_CORRUPT');
  });

  it('when its clock, or that of the master, is wrong', async () => {
    const { door, release, refused } = await at1();
    await release();
    door.clock.nowMs = 0;
    await refused(door.sync(), 'BUNDLE_NOT_VALID_NOW');
    door.clock.nowMs = NOW + 31 * DAY_MS;
    await refused(door.sync(), 'BUNDLE_NOT_VALID_NOW');
    door.clock.nowMs = NOW - 60_000;
    expect(await door.sync()).toMatchObject({ outcome: 'taken' });
  });

  it('when there is no room on the disk', async () => {
    const { door, release, refused } = await at1();
    await release();
    await refused(door.sync({ freeBytes: async () => 1_000_000 }), 'SYNC_NO_SPACE');
    expect(readdirSync(door.options.folder).filter((it) => !it.startsWith('undo-'))).toEqual([]);
  });

  it('when the version has no templates of its encoder', async () => {
    const { door, release, put } = await at1();
    const other = given(axis(DIMENSION, 1), { encoder: 'encoder-b' });
    await put([person('anna', 1, { templates: [other] }), person('ben', 2, { templates: [other] })]);
    await release();
    // Templates of an encoder that are gone are still named in the next version, to be removed.
    await door.sync();
    await put([person('carl', 1, { templates: [other] })]);
    await release();
    await expect(door.sync()).rejects.toMatchObject({ code: 'BUNDLE_ENCODER_MISMATCH' });
    expect(door.ids()).toEqual(['anna', 'ben']);
  });

  it('when the announcement is of another site or another master', async () => {
    const { door, release, refused, keys } = await at1();
    const harbour = await release({ site: 'harbour' });
    await refused(door.take(harbour.announcement), 'BUNDLE_WRONG_GALLERY');
    const other = await fleet(keys);
    await other.put([person('zoe')]);
    await other.release();
    const { announcement } = await other.release();
    await refused(door.take(announcement), 'BUNDLE_WRONG_GALLERY');
  });

  it('when an announcement names a path', async () => {
    const { door, keys, first, refused } = await at1();
    const said = JSON.parse(Buffer.from(JSON.parse(first.announcement).payload, 'base64').toString());
    const evil = {
      ...said,
      to: { ...said.to, version: 9 },
      bundles: [{ ...said.bundles[0], sha256: '../../../etc/passwd' }],
    };
    await refused(door.take(signAnnouncement(evil, keys.signing)), 'BUNDLE_CORRUPT');
    await refused(door.take(signAnnouncement({ ...evil, site: '../lobby' }, keys.signing)), 'BUNDLE_CORRUPT');
  });

  it('when another process takes a version over at the same moment', async () => {
    const { door, release, put } = await at1();
    await release();
    const second = await release();
    await put([person('carl', 3)]);
    const third = await release();
    const results = await Promise.allSettled([door.take(second.announcement), door.take(third.announcement)]);
    expect(results.some(({ status }) => status === 'fulfilled')).toBe(true);
    for (const it of results) {
      if (it.status === 'rejected') expect(it.reason.code).toMatch(/^BUNDLE_(WRONG_BASE|REPLAYED)$|^SYNC_UNREACHABLE$/);
    }
    await door.sync();
    expect(door.state()).toMatchObject({ version: 3 });
    expect(door.ids()).toEqual(['anna', 'ben', 'carl']);
  });
});

function sha1(bytes: Buffer): string {
  return createHash('sha1').update(bytes).digest('hex');
}
