import { expect, it } from 'vitest';
import type { PersonState } from '../../src/gallery/gallery-changes.ts';
import type { MasterGallery } from '../../src/gallery/master/master-gallery.ts';
import { publish, setSites } from '../../src/gallery/master/publish.ts';
import { DIMENSION, fleetKeys, given, NOW, person } from './fleet-rig.ts';
import { axis } from './gallery-rig.ts';
import { memoryShelf } from './memory-shelf.ts';

async function all(master: MasterGallery): Promise<PersonState[]> {
  const people: PersonState[] = [];
  for await (const it of master.everybody()) people.push(it);
  return people;
}

/** What every master gallery does. `open` gives an empty one; with `again`, the same one by another connection. */
export function masterContract(open: (again?: MasterGallery) => Promise<MasterGallery>): void {
  it('keeps people with all that belongs to them, by id', async () => {
    const master = await open();
    const upper = given(axis(DIMENSION, 2, 3, 0.25), { part: 'upper', mask: 'none', quality: 1 / 3, encoder: 'b' });
    const zoe = person('zoe', 1, { consentAtMs: null, consentNote: null, retainUntilMs: null, templates: [] });
    const anna = person('anna', 2, { name: 'Ännchen "A" Berg', templates: [given(axis(DIMENSION, 2)), upper] });
    const low = person('a_b', 3);
    await master.put([zoe, anna, low], []);
    const people = await all(master);
    expect(people.map(({ id }) => id)).toEqual(['a_b', 'anna', 'zoe']);
    expect(people[1]).toEqual({ ...anna, templates: expect.arrayContaining([...anna.templates]) });
    expect(people[1]?.templates).toHaveLength(2);
    expect(people[2]).toEqual(zoe);
  });

  it('replaces a person as a whole', async () => {
    const master = await open();
    const other = given(axis(DIMENSION, 5), { encoder: 'encoder-b' });
    await master.put([person('anna', 1, { templates: [given(axis(DIMENSION, 4)), other] })], []);
    const now = person('anna', 6, { name: 'Anna Meier' });
    await master.put([now], []);
    expect(await all(master)).toEqual([now]);
  });

  it('remembers whom it deleted until they are added again', async () => {
    const master = await open();
    await master.put([person('anna', 1), person('ben', 2)], []);
    await master.put([], [{ id: 'anna', deletedAtMs: NOW }]);
    expect((await all(master)).map(({ id }) => id)).toEqual(['ben']);
    expect(await master.tombstones()).toMatchObject([{ id: 'anna', deletedAtMs: NOW }]);
    await master.put([person('anna', 1)], []);
    expect(await master.tombstones()).toEqual([]);
    expect(await all(master)).toHaveLength(2);
  });

  it('puts all or nothing', async () => {
    const master = await open();
    await master.put([person('anna', 1)], []);
    const twice = given(axis(DIMENSION, 1), { pictureSha256: 'f'.repeat(64), part: 'side' as never });
    const bad = person('carl', 3, { templates: [twice] });
    await expect(master.put([person('ben', 2), bad], [{ id: 'anna', deletedAtMs: NOW }])).rejects.toThrow();
    expect((await all(master)).map(({ id }) => id)).toEqual(['anna']);
    expect(await master.tombstones()).toEqual([]);
  });

  it('swaps a fact only when nobody else did', async () => {
    const master = await open();
    expect(await master.fact('x')).toBeNull();
    expect(await master.swapFact('x', null, '1')).toBe(true);
    expect(await master.swapFact('x', null, '2')).toBe(false);
    expect(await master.swapFact('x', '0', '2')).toBe(false);
    const other = await open(master);
    expect(await other.swapFact('x', '1', '2')).toBe(true);
    expect(await master.fact('x')).toBe('2');
    const tries = await Promise.all(
      [master, other, master, other].map((it, index) => it.swapFact('x', '2', `by ${index}`)),
    );
    expect(tries.filter(Boolean)).toHaveLength(1);
  });

  it('of which one site is published twice at once has one version, and nothing of the other', async () => {
    const master = await open();
    await master.put([person('anna', 1)], []);
    const shelf = memoryShelf();
    const options = { site: 'lobby', keys: fleetKeys(), nowMs: NOW, validDays: 30, deltas: 3 };
    let late: Promise<unknown> | null = null;
    const slow = {
      ...shelf,
      put: async (path: string, file: string) => {
        await shelf.put(path, file);
        // Somebody else is done while this one is at it.
        late ??= publish(master, shelf, options);
        await late;
      },
    };
    await expect(publish(master, slow, options)).rejects.toMatchObject({ code: 'PUBLISH_FAILED' });
    expect([...shelf.files.keys()].filter((path) => path.startsWith('bundles/'))).toHaveLength(1);
    expect(await publish(master, shelf, options)).toMatchObject({ version: 1, isNew: false });
  });

  it('is published from, each site with its people', async () => {
    const master = await open();
    const keys = fleetKeys();
    const shelf = memoryShelf();
    const options = { keys, nowMs: NOW, validDays: 30, deltas: 3 };
    await master.put([person('anna', 1), person('ben', 2)], []);
    await setSites(master, 'ben', ['harbour']);
    const lobby = await publish(master, shelf, { ...options, site: 'lobby' });
    const harbour = await publish(master, shelf, { ...options, site: 'harbour' });
    expect([lobby.people, harbour.people, lobby.version, harbour.version]).toEqual([1, 2, 1, 1]);
    await setSites(master, 'anna', ['harbour']);
    const moved = await publish(master, shelf, { ...options, site: 'lobby' });
    expect(moved).toMatchObject({ version: 2, isNew: true, people: 0, tombstones: 1 });
    await setSites(master, 'anna', null);
    expect(await publish(master, shelf, { ...options, site: 'lobby' })).toMatchObject({
      version: 3,
      people: 1,
      tombstones: 0,
    });
  });
}
