import { expect, it } from 'vitest';
import { CachedEncoder } from '../../src/evaluation/cached-encoder.ts';
import type { FaceEncoder } from '../../src/evaluation/face-encoder.ts';
import type { AlignedFace } from '../../src/evaluation/face-source.ts';
import { nearestFace } from '../../src/evaluation/identification-method.ts';
import { jointEncoder } from '../../src/evaluation/joint-encoder.ts';
import { routedEncoder } from '../../src/evaluation/routed-encoder.ts';
import { verifyPairs } from '../../src/evaluation/verify-pairs.ts';
import { cosine } from '../../src/faces/embedding.ts';
import { MadeEncoder, MadeFaceSource } from './made-faces.ts';

const cos = (degrees: number) => expect.closeTo(Math.cos((degrees * Math.PI) / 180), 5);

/** Sees every face so many degrees further on. */
function turnedBy(degrees: number): FaceEncoder<Float32Array> {
  const made = new MadeEncoder();
  const angle = (degrees * Math.PI) / 180;
  return {
    id: `turned by ${degrees}`,
    cropPx: made.cropPx,
    alignedBy: made.alignedBy,
    compare: cosine,
    embed: async (faces) =>
      (await made.embed(faces as AlignedFace[])).map((it) => {
        const [x = 0, y = 0] = it ?? [];
        return (
          it && Float32Array.of(x * Math.cos(angle) - y * Math.sin(angle), x * Math.sin(angle) + y * Math.cos(angle))
        );
      }),
  };
}

const joint = () => new CachedEncoder(jointEncoder(turnedBy(0), turnedBy(40), 0.5), () => 0);
const PAIRS = [{ same: true, a: 'ada/1', b: 'ada/2' }];
const PICTURES = { '/data/ada/1': 0, '/data/ada/2': 90 };

it('takes the mean for what is enrolled, and its own for a probe', async () => {
  const read = { choose: 'central', pad: 0 } as const;
  const options = { images: '/data', pairs: PAIRS, mask: 'none', maskSeed: 1, read } as const;
  const { pairs } = await verifyPairs(new MadeFaceSource(PICTURES).shelf(), joint(), options);
  // Enrolled at 20 degrees, between 0 and 40; the probe at 90.
  expect(pairs[0]?.score).toEqual(cos(70));
});

it('is asked for both by a search, and by the daemon’s choice between two encoders', async () => {
  const source = new MadeFaceSource(PICTURES);
  const shelf = source.shelf();
  const [enrolled, probe] = await shelf.read(['/data/ada/1', '/data/ada/2'], {
    choose: 'central',
    pad: 0,
    cropPx: 2,
    alignedBy: ['five'],
    mask: null,
  });
  if (!enrolled?.face || !probe?.face) throw new Error('a face is missing');
  const gallery = { pictures: [enrolled], people: [0] };
  const found = await nearestFace(joint()).search(gallery, { pictures: [probe], people: [0] }, 1);
  expect(Array.from(found.searches[0]?.scores ?? [])).toEqual([cos(70)]);

  const routed = routedEncoder('auto', {
    full: turnedBy(40),
    upper: joint(),
    onFullScale: (score) => score,
    allowForAll: false,
  });
  const worn = { ...probe.face, mask: { state: 'worn', confidence: 1 } } as const;
  const [template] = (await routed.enrol?.([enrolled.face])) ?? [];
  const [sought] = await routed.embed([worn]);
  if (!template || !sought) throw new Error('a code is missing');
  expect(routed.compare(template, sought)).toEqual(cos(70));
});

it('enrols a masked face by the upper part alone', async () => {
  const [made] = await new MadeFaceSource(PICTURES).shelf().read(['/data/ada/1'], {
    choose: 'central',
    pad: 0,
    cropPx: 2,
    alignedBy: ['five'],
    mask: null,
  });
  if (!made?.face) throw new Error('a face is missing');
  const worn = { ...made.face, mask: { state: 'worn', confidence: 1 } } as const;
  const [own, both] = await joint().enrol([worn, made.face]);
  expect(own?.[0]).toEqual(cos(0));
  expect(both?.[0]).toEqual(cos(20));
});
