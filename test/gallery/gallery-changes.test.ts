import { describe, expect, it } from 'vitest';
import type { PersonState } from '../../src/gallery/gallery-changes.ts';
import { axis, ManualClock, openStore, template } from './gallery-rig.ts';

const ENCODER = { fingerprint: 'encoder-a', dimension: 4 };

function state(id: string, changes: Partial<PersonState> = {}): PersonState {
  return {
    id,
    name: id,
    createdAtMs: 5,
    consentAtMs: null,
    consentNote: null,
    retainUntilMs: null,
    templates: [template(axis(4, 0))],
    ...changes,
  };
}

function batch(people: readonly PersonState[], deleted: readonly string[] = []) {
  const tombstones = deleted.map((id) => ({ id, deletedAtMs: 77 }));
  return { origin: 'fleet' as const, encoders: ['encoder-a'], people, tombstones };
}

describe('changes since a version', () => {
  it('are the people that changed, whole, and the tombstones', () => {
    const store = openStore(undefined, new ManualClock(1000));
    for (const name of ['Anna', 'Ben', 'Cem']) store.ensurePerson(name);
    store.addTemplates('ben', [template(axis(4, 1)), template(axis(4, 2), { encoder: 'encoder-b', part: 'upper' })]);
    const before = store.version();
    store.addTemplates('ben', [template(axis(4, 3))]);
    store.removePerson('anna');
    const changes = store.changesSince(before);
    expect(changes).toMatchObject({ from: 4, to: 6 });
    expect(changes.people.map(({ id, templates }) => [id, templates.map((it) => [...it.embedding])])).toEqual([
      ['ben', [axis(4, 1), axis(4, 2), axis(4, 3)].map((it) => [...it])],
    ]);
    expect(changes.tombstones).toEqual([{ id: 'anna', deletedAtMs: 1000, version: 6, reason: 'removed' }]);
    expect(store.changesSince(0).people.map(({ id, templates }) => [id, templates.length])).toEqual([
      ['ben', 3],
      ['cem', 0],
    ]);
    expect(store.changesSince(6)).toMatchObject({ people: [], tombstones: [] });
  });

  it('have no tombstone of somebody who was added again', () => {
    const store = openStore();
    store.ensurePerson('Anna');
    store.removePerson('anna');
    store.ensurePerson('Anna');
    expect(store.changesSince(1)).toMatchObject({ people: [{ id: 'anna' }], tombstones: [] });
  });

  it('applied elsewhere give the same people', () => {
    const [master, device] = [openStore(), openStore()];
    for (const name of ['Anna', 'Ben']) {
      master.ensurePerson(name);
      master.setConsent(name, { consentAtMs: 3, consentNote: 'signed', retainUntilMs: 9 });
      master.addTemplates(name.toLowerCase(), [template(axis(4, name.length - 3))]);
    }
    const first = master.changesSince(0);
    device.applyBatch({ ...batch(first.people), tombstones: first.tombstones });
    master.removePerson('ben');
    master.ensurePerson('Cem');
    const delta = master.changesSince(first.to);
    device.applyBatch({ ...batch(delta.people), tombstones: delta.tombstones });
    expect(device.changesSince(0).people).toEqual(master.changesSince(0).people);
    expect(device.listPeople().map(({ origin }) => origin)).toEqual(['fleet', 'fleet']);
  });
});

describe('a batch', () => {
  it('replaces the templates of its encoders and leaves those of others', () => {
    const store = openStore();
    store.ensurePerson('anna');
    store.addTemplates('anna', [template(axis(4, 0)), template(axis(4, 1), { encoder: 'encoder-b' })]);
    const result = store.applyBatch(batch([state('anna', { templates: [template(axis(4, 3))] })]));
    expect(result).toEqual({ version: 3, people: 1, deleted: [], renamed: [] });
    expect([...store.loadTemplates(ENCODER).vectors]).toEqual([0, 0, 0, 1]);
    expect(store.listPeople()[0]).toMatchObject({ templates: 2, version: 3, origin: 'fleet' });
  });

  it('is one version, whole or not at all', () => {
    const store = openStore();
    store.ensurePerson('Ben');
    function* broken() {
      yield state('anna');
      throw new Error('bundle ends early');
    }
    const before = [store.changesSince(0), store.audit()];
    expect(() => store.applyBatch({ ...batch([], ['ben']), people: broken() })).toThrow('bundle ends early');
    expect([store.changesSince(0), store.audit()]).toEqual(before);
    store.applyBatch(batch([state('anna'), state('cem')], ['ben']));
    expect(store.version()).toBe(2);
    expect(store.changesSince(1).tombstones).toEqual([{ id: 'ben', deletedAtMs: 77, version: 2, reason: 'fleet' }]);
  });

  it('that is complete deletes whoever of its origin is not in it', () => {
    const store = openStore();
    store.ensurePerson('Local');
    store.applyBatch(batch([state('anna'), state('ben')]));
    const { deleted } = store.applyBatch({ ...batch([state('ben')]), complete: true });
    expect(deleted).toEqual(['anna']);
    expect(store.listPeople().map(({ id }) => id)).toEqual(['ben', 'local']);
  });

  it('may swap names, and does not take that of somebody else', () => {
    const store = openStore();
    store.applyBatch(batch([state('a', { name: 'Anna' }), state('b', { name: 'Ben' })]));
    store.ensurePerson('Cem');
    const { renamed } = store.applyBatch(
      batch([state('a', { name: 'Ben' }), state('b', { name: 'Anna' }), state('c', { name: 'Cem' })]),
    );
    expect(renamed).toEqual([{ id: 'c', name: 'Cem (c)' }]);
    expect(store.listPeople().map(({ id, name }) => [id, name])).toEqual([
      ['a', 'Ben'],
      ['b', 'Anna'],
      ['c', 'Cem (c)'],
      ['cem', 'Cem'],
    ]);
  });

  it('changes what is kept with the gallery along with it', () => {
    const store = openStore();
    store.applyBatch({ ...batch([]), state: { bundle: '7', base: 'x' } });
    store.applyBatch({ ...batch([]), state: { base: null } });
    expect([store.state('bundle'), store.state('base')]).toEqual(['7', null]);
  });
});

describe('the audit trail', () => {
  it('tells who did what to whom, and when', () => {
    const store = openStore(undefined, new ManualClock(1000));
    store.ensurePerson('Anna');
    store.addTemplates('anna', [template(axis(4, 0))]);
    store.removePerson('anna');
    store.applyBatch({ ...batch([state('ben')]), detail: { bundle: 7 } });
    expect(store.audit().map(({ action, person, version }) => [action, person, version])).toEqual([
      ['create', 'anna', 1],
      ['enrol', 'anna', 2],
      ['remove', 'anna', 3],
      ['sync', null, 4],
    ]);
    expect(store.audit({ limit: 1 })).toEqual([
      {
        id: 4,
        atMs: 1000,
        actor: 'unnamed',
        action: 'sync',
        person: null,
        version: 4,
        detail: { people: 1, deleted: 0, bundle: 7 },
      },
    ]);
    expect(store.audit({ person: 'anna' })).toHaveLength(3);
  });
});
