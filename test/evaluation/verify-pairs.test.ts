import { describe, expect, it } from 'vitest';
import { CachedEncoder } from '../../src/evaluation/cached-encoder.ts';
import { knownPeople, type VerifyOptions, verifyPairs } from '../../src/evaluation/verify-pairs.ts';
import { MadeEncoder, MadeFaceSource } from './made-faces.ts';

const PAIRS = [
  { same: true, a: 'ada/1', b: 'ada/2' },
  { same: true, a: 'bob/1', b: 'bob/2' },
  { same: false, a: 'ada/1', b: 'bob/1' },
  { same: false, a: 'ada/2', b: 'cy/1' },
];
const PICTURES = { '/data/ada/1': 0, '/data/ada/2': 10, '/data/bob/1': 90, '/data/bob/2': 130, '/data/cy/1': 100 };
const OPTIONS: VerifyOptions = {
  images: '/data',
  pairs: PAIRS,
  mask: 'none',
  maskSeed: 7,
  read: { choose: 'central', pad: 0 },
};
const cos = (degrees: number) => expect.closeTo(Math.cos((degrees * Math.PI) / 180), 5);

describe('verifyPairs', () => {
  it('scores by the cosine, and counts a face that is not found as different people', async () => {
    const source = new MadeFaceSource({ ...PICTURES, '/data/bob/2': 'no face', '/data/cy/1': 180 });
    const { figures, pairs } = await verifyPairs(source.shelf(), new MadeEncoder(), OPTIONS);
    expect(pairs.map(({ score }) => score)).toEqual([cos(10), -1, cos(90), -1]);
    // One picture without a face, and one that is none to the encoder.
    expect(figures).toMatchObject({ pairs: 4, skipped: 0, pairsLeftOut: 0, notFound: 2, genuine: 2, impostors: 2 });
  });

  it('leaves out pairs with a picture that cannot be read, and counts the pictures', async () => {
    const { '/data/ada/1': _, ...rest } = PICTURES;
    const { figures, unreadable, pairs } = await verifyPairs(
      new MadeFaceSource(rest).shelf(),
      new MadeEncoder(),
      OPTIONS,
    );
    expect(figures).toMatchObject({ pairs: 2, skipped: 1, pairsLeftOut: 2, notFound: 0 });
    expect(unreadable.map(({ file }) => file)).toEqual(['/data/ada/1']);
    expect(pairs.map(({ same }) => same)).toEqual([true, false]);
  });

  it('says when nothing is left', async () => {
    const run = verifyPairs(new MadeFaceSource({}).shelf(), new MadeEncoder(), OPTIONS);
    await expect(run).rejects.toMatchObject({
      code: 'NOTHING_TO_EVALUATE',
      message: 'none of 4 pairs can be compared: 5 pictures are missing or unreadable in /data',
    });
  });

  it.each([
    ['none', [0, 0], cos(10)],
    ['probe', [0, 1], cos(30)],
    ['both', [1, 1], cos(10)],
  ] as const)('puts masks on: %s', async (mask, masked, score) => {
    const source = new MadeFaceSource(PICTURES, 20);
    const { pairs } = await verifyPairs(source.shelf(), new MadeEncoder(), { ...OPTIONS, mask });
    expect(pairs[0]?.score).toEqual(score);
    const seedsOf = (file: string) => source.asked.filter((it) => it.file === file).map(({ options }) => options.mask);
    expect(seedsOf('/data/ada/1')).toEqual([masked[0] ? { seed: 7 } : null]);
    expect(seedsOf('/data/bob/2')).toEqual([masked[1] ? { seed: 7 } : null]);
  });

  it('reads and embeds each picture once, also for another condition', async () => {
    const source = new MadeFaceSource(PICTURES);
    const made = new MadeEncoder();
    const [shelf, encoder] = [source.shelf(), new CachedEncoder(made, () => 0)];
    await verifyPairs(shelf, encoder, OPTIONS);
    expect(source.asked).toHaveLength(5);
    await verifyPairs(shelf, encoder, { ...OPTIONS, mask: 'probe' });
    // Four different pictures stand second; the first ones are known.
    expect(source.asked).toHaveLength(9);
    expect(made.batches.reduce((sum, count) => sum + count, 0)).toBe(9);
  });
});

describe('knownPeople', () => {
  it('takes folders for people where they agree with the pairs', () => {
    expect(PAIRS.map(knownPeople(PAIRS))[2]).toEqual(['ada', 'bob']);
    const mixed = [...PAIRS, { same: true, a: 'ada/1', b: 'bob/1' }];
    expect(mixed.map(knownPeople(mixed))).toEqual(mixed.map(() => null));
    const flat = [{ same: false, a: '1.jpg', b: 'x/2.jpg' }];
    expect(flat.map(knownPeople(flat))).toEqual([null]);
  });
});
