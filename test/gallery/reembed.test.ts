import { describe, expect, it } from 'vitest';
import { listEnrolAgain, reembed } from '../../src/gallery/reembed.ts';
import type { FaceCrop, Template } from '../../src/gallery/template.ts';
import { axis, openStore, template } from './gallery-rig.ts';

const FULL = { fingerprint: 'new-full', dimension: 4, part: 'full' } as const;
const UPPER = { fingerprint: 'new-upper', dimension: 4, part: 'upper' } as const;
const ENCODERS = [FULL, UPPER];

/** A crop of one colour, and encoders that tell the colours apart. */
const crop = (colour: number): FaceCrop => ({ side: 2, rgb: new Uint8Array(12).fill(colour), marks: null });
const embed = async ({ rgb }: FaceCrop) =>
  ENCODERS.map(({ fingerprint: encoder, part }) => ({ encoder, part, embedding: axis(4, rgb[0] ?? 0) }));

function rig() {
  const store = openStore();
  const enrol = (name: string, changes: Partial<Template> = {}, kept?: FaceCrop) =>
    store.addTemplates(store.ensurePerson(name).id, [template(axis(4, 0), changes)], { crop: kept });
  return { store, enrol, run: () => reembed({ store, encoders: ENCODERS, embed }) };
}

describe('embedding again', () => {
  it('makes a template of each encoder in use of every crop, and keeps the old ones', async () => {
    const { store, enrol, run } = rig();
    enrol('Anna', {}, crop(1));
    enrol('Anna', {}, crop(2));
    expect(await run()).toEqual({ templates: 4, pictures: 2, people: 1, enrolAgain: [] });
    for (const encoder of ENCODERS) {
      const rows = store.loadTemplates(encoder, encoder.part).vectors;
      expect([rows.slice(0, 4), rows.slice(4)].map((row) => row.indexOf(1)).sort()).toEqual([1, 2]);
    }
    expect(store.listPeople()[0]).toMatchObject({ templates: 6, encoders: ['encoder-a', 'new-full', 'new-upper'] });
    expect(store.audit().filter(({ action }) => action === 'reembed')).toHaveLength(2);
    expect(await run()).toMatchObject({ templates: 0, pictures: 0 });
  });

  it('names who has no crop and no template, by part', async () => {
    const { enrol, run } = rig();
    enrol('Anna', { sourceFile: 'a.jpg' });
    enrol('Ben', { encoder: FULL.fingerprint, sourceFile: 'b.jpg' });
    enrol('Cem', {}, crop(1));
    enrol('Cem');
    expect((await run()).enrolAgain).toEqual([
      { person: { id: 'anna', name: 'Anna' }, parts: ['full', 'upper'], files: ['a.jpg'] },
      { person: { id: 'ben', name: 'Ben' }, parts: ['upper'], files: ['b.jpg'] },
    ]);
  });

  it('takes the upper part alone of a face with a mask', async () => {
    const { store, enrol, run } = rig();
    enrol('Anna', { mask: 'worn', part: 'upper' }, crop(3));
    expect(await run()).toEqual({ templates: 1, pictures: 1, people: 1, enrolAgain: [] });
    expect(store.loadTemplates(FULL).owners).toHaveLength(0);
  });

  it('says of each crop whether a mask was worn', async () => {
    const { store, enrol } = rig();
    enrol('Anna', { mask: 'worn', part: 'upper' }, crop(3));
    enrol('Ben', { mask: 'none' }, crop(1));
    const asked: unknown[] = [];
    const told = (it: FaceCrop, mask: string | null) => {
      asked.push([it.rgb[0], mask]);
      return embed(it);
    };
    await reembed({ store, encoders: ENCODERS, embed: told });
    expect(asked).toEqual([
      [3, 'worn'],
      [1, 'none'],
    ]);
  });

  it('stops between pictures and goes on from there', async () => {
    const { store, enrol, run } = rig();
    for (const name of ['Anna', 'Ben', 'Cem']) enrol(name, {}, crop(1));
    const stop = new AbortController();
    const onProgress = (done: number) => done === 2 && stop.abort();
    const options = { store, encoders: ENCODERS, embed, signal: stop.signal, onProgress };
    expect(await reembed(options)).toMatchObject({ pictures: 2, enrolAgain: [{ person: { id: 'cem' } }] });
    expect(await run()).toMatchObject({ pictures: 1, enrolAgain: [] });
  });
});

describe('crops', () => {
  it('come back as they were, also under another key, and go with the person', () => {
    const { store, enrol } = rig();
    enrol('Anna', {}, crop(9));
    const [picture] = store.pictures();
    const kept = () => store.crop('anna', picture?.pictureSha256 ?? '');
    expect(kept()).toEqual(crop(9));
    store.rotateKey();
    expect(kept()).toEqual(crop(9));
    store.removePerson('anna');
    expect(kept()).toBeNull();
  });

  it('are not needed to say who has to be enrolled again', () => {
    const { store, enrol } = rig();
    enrol('Anna', {}, crop(9));
    expect(listEnrolAgain(store.pictures(), ENCODERS)).toMatchObject([{ person: { id: 'anna' } }]);
  });
});
