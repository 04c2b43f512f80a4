import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';

const read = async (file: string) => JSON.parse(await readFile(new URL(`../../../${file}`, import.meta.url), 'utf8'));

describe('the packages of the peers bench', () => {
  it('are pinned, without the registry they came from', async () => {
    const { dependencies } = await read('bench/peers/package.json');
    const { packages } = await read('bench/peers/package-lock.json');
    const { '': root, ...locked } = packages;
    expect(root.dependencies).toEqual(dependencies);
    expect(Object.keys(locked).length).toBeGreaterThan(20);
    for (const [path, entry] of Object.entries<Record<string, unknown>>(locked)) {
      expect(entry, path).not.toHaveProperty('resolved');
      expect(entry.integrity, path).toMatch(/^sha512-/);
    }
    for (const [name, version] of Object.entries(dependencies)) {
      expect(version).toMatch(/^\d+\.\d+\.\d+$/);
      expect(locked[`node_modules/${name}`].version).toBe(version);
    }
  });

  it('are none of the product', async () => {
    const { dependencies: peers } = await read('bench/peers/package.json');
    const { dependencies } = await read('package.json');
    for (const name of Object.keys(peers)) expect(dependencies).not.toHaveProperty(name);
  });
});
