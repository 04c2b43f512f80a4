import { describe, expect, it } from 'vitest';
import { nearestFace } from '../../src/evaluation/identification-method.ts';
import { type IdentifyOptions, identifyPeople } from '../../src/evaluation/identify-people.ts';
import { MadeEncoder, MadeFaceSource, type MadePicture } from './made-faces.ts';

const PEOPLE = [
  { person: 'ada', plain: ['a1', 'a2'], masked: ['am'] },
  { person: 'bob', plain: ['b1'], masked: ['bm1', 'bm2'] },
  { person: 'cy', plain: ['c1'], masked: ['cm'] },
];
const PICTURES: Record<string, MadePicture> = {
  a1: 0,
  a2: 20,
  b1: 90,
  c1: 200,
  am: 30,
  bm1: 85,
  bm2: 20,
  cm: 'no face',
};
const OPTIONS: IdentifyOptions = {
  people: PEOPLE,
  probe: 'masked',
  gallery: 'plain',
  seed: 1,
  mask: 'none',
  maskSeed: 1,
  read: { choose: 'largest', pad: 0.5 },
};
const cos = (degrees: number) => expect.closeTo(Math.cos((degrees * Math.PI) / 180), 5);
const run = (options: Partial<IdentifyOptions> = {}, pictures = PICTURES, maskTurn = 0) => {
  const source = new MadeFaceSource(pictures, maskTurn);
  return identifyPeople(source.shelf(), nearestFace(new MadeEncoder()), { ...OPTIONS, ...options });
};

describe('identifyPeople', () => {
  it('counts by hand: a probe without a face is wrong', async () => {
    const { figures } = await run();
    // am at 30 is nearest to ada's 20, bm1 at 85 to bob's 90, bm2 at 20 is ada's exactly; of cm no face is found.
    expect(figures).toMatchObject({
      people: 3,
      gallery: 4,
      probes: 4,
      notFound: 1,
      skipped: 0,
      withoutGallery: 0,
      rank1: 0.5,
      rank1Found: 2 / 3,
    });
    expect(figures.cmc).toEqual([0.5, 0.75, 0.75]);
    // Four probes against four faces; of the same person ada's two, and one each of the other three.
    expect([figures.genuine, figures.impostors]).toEqual([5, 11]);
  });

  it('shows whom a probe met', async () => {
    const { probe } = await run();
    expect(probe(2)).toMatchObject({
      person: 'bob',
      right: false,
      picture: { file: 'bm2' },
      own: { picture: { file: 'b1' }, score: cos(70) },
      other: { person: 'ada', picture: { file: 'a2' }, score: cos(0) },
    });
    expect(probe(0)).toMatchObject({ right: true, own: { picture: { file: 'a2' } } });
    expect(probe(3)).toMatchObject({ right: false, own: null, other: null });
    expect(() => probe(4)).toThrow(RangeError);
  });

  it('looks for plain pictures among the others: each two are compared once, none with itself', async () => {
    const { figures } = await run({ probe: 'plain' });
    // Only ada has two; bob's and cy's single ones stay in the gallery. Her two: one comparison; each against two others.
    expect(figures).toMatchObject({ probes: 2, withoutGallery: 2, gallery: 4, rank1: 1, genuine: 1, impostors: 4 });
  });

  it('compares a masked picture with the others and not with itself', async () => {
    const { figures } = await run({ probe: 'plain', mask: 'probe' }, PICTURES, 100);
    // ada at 100 and 120 with masks: both are nearest to bob's 90.
    expect(figures).toMatchObject({ probes: 2, rank1: 0, genuine: 2, impostors: 4 });
    const both = await run({ probe: 'plain', mask: 'both' }, PICTURES, 100);
    expect(both.figures).toMatchObject({ rank1: 1, genuine: 1, impostors: 4 });
  });

  it('does not enrol what has no face, and cannot find whom nothing is enrolled of', async () => {
    const { figures } = await run({}, { ...PICTURES, b1: 'no face' });
    expect(figures).toMatchObject({ gallery: 3, galleryNotFound: 1, probes: 4, rank1: 0.25 });
    expect(figures.cmc.at(-1)).toBe(0.25);
  });

  it('leaves out what cannot be read', async () => {
    const { figures, unreadable } = await run({}, { ...PICTURES, bm1: 'unreadable', a1: 'unreadable' });
    expect(figures).toMatchObject({ probes: 3, gallery: 3, skipped: 2, notFound: 1 });
    expect(unreadable.map(({ file }) => file)).toEqual(['a1', 'bm1']);
  });

  it.each([
    [
      'one picture a person',
      { probe: 'plain' as const, people: PEOPLE.slice(1) },
      PICTURES,
      'there is nobody to look for: 2 people have 2 plain pictures, 2 are of people nothing else is enrolled of',
    ],
    ['nothing readable', {}, {}, 'there is nobody to look for: 3 people have 4 masked pictures, 8 cannot be read'],
    [
      'no masked pictures',
      { people: PEOPLE.map((person) => ({ ...person, masked: [] })) },
      PICTURES,
      'there is nobody to look for: 3 people have 0 masked pictures',
    ],
  ])('says what is wrong: %s', async (_, options, pictures, message) => {
    await expect(run(options, pictures)).rejects.toMatchObject({ code: 'NOTHING_TO_EVALUATE', message });
  });
});
