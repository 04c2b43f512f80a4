import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import S3rver from 's3rver';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { publish } from '../../src/gallery/master/publish.ts';
import { s3Shelf } from '../../src/gallery/master/s3-shelf.ts';
import { sqliteMaster } from '../../src/gallery/master/sqlite-master-gallery.ts';
import { device } from '../gallery/fleet-device.ts';
import { fleetKeys, NOW, person } from '../gallery/fleet-rig.ts';
import { openStore } from '../gallery/gallery-rig.ts';

describe('an S3 server', () => {
  let folder: string;
  let server: S3rver;
  let endpoint: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'eyeline-s3-'));
    server = new S3rver({
      port: 0,
      address: '127.0.0.1',
      silent: true,
      directory: folder,
      configureBuckets: [{ name: 'fleet', configs: [] }],
    });
    const address: AddressInfo = await server.run();
    endpoint = `http://127.0.0.1:${address.port}`;
  });
  afterAll(async () => {
    await server?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const shelfOf = (bucket: string, prefix: string) =>
    s3Shelf(bucket, prefix, {
      endpoint,
      region: 'eu-central-1',
      forcePathStyle: true,
      credentials: { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' },
    });

  it('is published to, and a device takes versions over from there by HTTP', async () => {
    const keys = fleetKeys();
    const master = sqliteMaster(openStore());
    const shelf = shelfOf('fleet', 'a/b');
    const release = () => publish(master, shelf, { site: 'lobby', keys, nowMs: NOW, validDays: 30, deltas: 1 });
    await master.put([person('anna', 1), person('ben', 2)], []);
    const first = await release();
    const door = device(keys, `${endpoint}/fleet/a/b/`);
    expect(await door.sync()).toMatchObject({ outcome: 'taken' });
    const served = await door.source.announcement(null, new AbortController().signal);
    expect(served?.etag).toMatch(/^"/);
    expect(await door.source.announcement(served?.etag ?? null, new AbortController().signal)).toBeNull();
    await master.put([person('carl', 3)], [{ id: 'anna', deletedAtMs: NOW }]);
    await release();
    await master.put([person('dora', 4)], []);
    await release();
    await door.sync();
    expect(door.ids()).toEqual(['ben', 'carl', 'dora']);
    const path = `bundles/${first.bundles[0]?.sha256}.eyb`;
    expect(await shelf.has(path)).toBe(false);
    expect(await release()).toMatchObject({ isNew: false });
    shelf.close();
  });

  it('without the bucket fails by name', async () => {
    const shelf = shelfOf('nobody', '');
    await expect(shelf.putText('x', 'y')).rejects.toMatchObject({ code: 'PUBLISH_FAILED' });
    await expect(shelf.putText('x', 'y')).rejects.toThrow('s3://nobody/x');
    shelf.close();
  });
});
