import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openPostgresMaster } from '../../src/gallery/master/postgres-master-gallery.ts';
import { person } from '../gallery/fleet-rig.ts';
import { masterContract } from '../gallery/master-contract.ts';
import { Postgres } from '../rig/postgres.ts';

const KEY = randomBytes(32);

describe.skipIf(!Postgres.installed)('a PostgreSQL master gallery (needs PostgreSQL)', () => {
  let server: Postgres;
  beforeAll(async () => {
    server = await Postgres.start();
  });
  afterAll(() => server?.stop());

  const sql = async (text: string) => {
    const client = new pg.Client({ connectionString: server.url });
    await client.connect();
    try {
      return (await client.query(text)).rows;
    } finally {
      await client.end();
    }
  };
  const open = async (again?: object) => {
    if (!again) await sql('DROP SCHEMA IF EXISTS eyeline CASCADE');
    const master = await openPostgresMaster(server.url, KEY);
    onTestFinished(() => master.close());
    return master;
  };

  masterContract(open);

  it('holds no embedding that can be read without the key', async () => {
    const master = await open();
    const anna = person('anna', 1);
    await master.put([anna], []);
    const [row] = await sql('SELECT embedding FROM eyeline.templates');
    const plain = Buffer.from(anna.templates[0]?.embedding.buffer ?? new ArrayBuffer());
    expect(row.embedding.length).toBe(plain.length + 28);
    expect(row.embedding.includes(plain.subarray(4, 8))).toBe(false);
    const other = await openPostgresMaster(server.url, randomBytes(32));
    onTestFinished(() => other.close());
    await expect(other.everybody()[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'GALLERY_KEY_INVALID',
    });
  });

  it('reads as of one moment, while somebody else writes', async () => {
    const master = await open();
    await master.put(
      Array.from({ length: 1200 }, (_, i) => person(`p${String(i).padStart(4, '0')}`, i)),
      [],
    );
    const seen: string[] = [];
    for await (const { id } of master.everybody()) {
      if (seen.length === 0) await (await open(master)).put([person('zzz')], [{ id: 'p1199', deletedAtMs: 1 }]);
      seen.push(id);
    }
    expect([seen.length, seen.at(-1)]).toEqual([1200, 'p1199']);
  });

  it('that cannot be reached says where, without the password', async () => {
    const failed = openPostgresMaster('postgres://anna:secret-word@127.0.0.1:1/fleet', KEY);
    await expect(failed).rejects.toMatchObject({ code: 'GALLERY_UNREADABLE' });
    await expect(failed).rejects.toThrow('PostgreSQL 127.0.0.1:1/fleet');
    await expect(failed).rejects.not.toThrow('secret-word');
  });
});
