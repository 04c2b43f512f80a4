import { join } from 'node:path';
import { describe } from 'vitest';
import { sqliteMaster } from '../../../src/gallery/master/sqlite-master-gallery.ts';
import { openStore, temporaryFolder } from '../gallery-rig.ts';
import { masterContract } from '../master-contract.ts';

describe('a SQLite master gallery', () => {
  const files = new WeakMap<object, string>();
  masterContract(async (again) => {
    const file = (again && files.get(again)) ?? join(temporaryFolder(), 'gallery.sqlite');
    const master = sqliteMaster(openStore(file));
    files.set(master, file);
    return master;
  });
});
