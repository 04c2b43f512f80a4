import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/core/seeded-random.ts';
import type { FeatureMaps } from '../../src/evaluation/classifiers/feature-maps.ts';
import { softmaxOnEmbeddings, svmOnEmbeddings } from '../../src/evaluation/embedding-classifiers.ts';
import { cropBy } from '../../src/evaluation/face-source.ts';
import { haririMethod } from '../../src/evaluation/hariri-method.ts';
import { identifyPeople } from '../../src/evaluation/identify-people.ts';
import { openGraph } from '../../src/inference/onnxruntime-model.ts';
import type { OpenSession } from '../../src/training/engine.ts';
import { MadeEncoder, MadeFaceSource, type MadePicture } from './made-faces.ts';

/** Three people in three directions, four plain pictures each a few degrees apart, and two masked ones in between. */
const PEOPLE = ['ada', 'bob', 'cy'].map((person) => ({
  person,
  plain: [1, 2, 3, 4].map((number) => `${person}${number}`),
  masked: [1, 2].map((number) => `${person}m${number}`),
}));
const PICTURES: Record<string, MadePicture> = Object.fromEntries(
  PEOPLE.flatMap(({ plain, masked }, at) =>
    [...plain, ...masked].map((name, index) => [name, at * 100 + ([1, 5, 9, 13, 3, 7][index] ?? 0)]),
  ),
);

/** A map of four places: a descriptor in the direction of the face, and three in directions every face has. */
const MAPS: FeatureMaps = {
  cropPx: 2,
  alignedBy: ['five'],
  async describe(faces) {
    return faces.map((face) => {
      const [high = 0, low = 0] = cropBy(face, 'five');
      const angles = [((high * 256 + low) * Math.PI) / 180, 0.1, 2, 4];
      const data = Float32Array.from(angles.flatMap((angle) => [Math.cos(angle), Math.sin(angle)]));
      return { rows: 4, columns: 2, data };
    });
  },
};

const open: OpenSession = (onnx, name) => openGraph(onnx, { providers: ['cpu'], threads: 1, steady: true }, name);

const METHODS = {
  softmax: () => softmaxOnEmbeddings(new MadeEncoder(), open),
  svm: () => svmOnEmbeddings(new MadeEncoder()),
  hariri: () =>
    haririMethod('made', MAPS, open, {
      words: 12,
      softness: 0.5,
      hidden: 16,
      steps: 500,
      learningRate: 0.01,
      weightDecay: 0.001,
    }),
};

const run = (name: keyof typeof METHODS, pictures = PICTURES, options = {}) =>
  identifyPeople(new MadeFaceSource(pictures).shelf(), METHODS[name](), {
    people: PEOPLE,
    probe: 'masked',
    gallery: 'plain',
    seed: 1,
    mask: 'none',
    maskSeed: 1,
    read: { choose: 'largest', pad: 0 },
    ...options,
  });

describe.each(['softmax', 'svm', 'hariri'] as const)('%s', (name) => {
  it('learns people who stand apart', async () => {
    const { figures, probe } = await run(name);
    expect(figures).toMatchObject({ probes: 6, gallery: 12, rank1: 1, notFound: 0 });
    // Every probe against every person.
    expect([figures.genuine, figures.impostors]).toEqual([6, 12]);
    expect(probe(0)).toMatchObject({ right: true, person: 'ada', own: { picture: { file: 'ada1' } } });
  });

  it('learns from the gallery alone: with its names turned, every answer is wrong', async () => {
    const turned = PEOPLE.map((person, at) => ({ ...person, plain: PEOPLE[(at + 1) % 3]?.plain ?? [] }));
    expect((await run(name, PICTURES, { people: turned })).figures.rank1).toBe(0);
  });

  it('halves plain pictures', async () => {
    const { figures } = await run(name, PICTURES, { probe: 'plain' });
    expect(figures).toMatchObject({ probes: 6, gallery: 6, rank1: 1 });
  });

  it('counts a probe without a face as wrong, and cannot name whom it did not learn', async () => {
    const missing = { adam1: 'no face', bob1: 'no face', bob2: 'no face', bob3: 'no face', bob4: 'no face' } as const;
    const { figures } = await run(name, { ...PICTURES, ...missing });
    // Ada's other probe and cy's two are right.
    expect(figures).toMatchObject({ probes: 6, notFound: 1, galleryNotFound: 4, rank1: 0.5 });
  });

  it('repeats', async () => {
    const random = seededRandom(5);
    const noisy = Object.fromEntries(Object.keys(PICTURES).map((file) => [file, Math.floor(random() * 170)]));
    const { cmc, tar, roc } = (await run(name, noisy)).figures;
    expect((await run(name, noisy)).figures).toMatchObject({ cmc, tar, roc });
  });
});
