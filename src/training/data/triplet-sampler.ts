import type { Affine } from '../../core/geometry.ts';
import { alignToTemplate, TEMPLATE_SIZE } from '../../faces/align.ts';
import type { Batch } from '../engine.ts';
import { drawTriplets } from '../losses/mine-triplets.ts';
import { type Degradation, degrade } from './degrade.ts';
import { cutSmoothly, type FaceAlignments, groupByPerson, jittered, marksOf } from './encoder-sampler.ts';
import type { FaceStore } from './face-store.ts';
import { mirror } from './landmark-sampler.ts';
import { RAW_PIXELS, type Sampler, sampleRandom, writePlanes } from './sampler.ts';
import { compose, type RgbImage } from './warp.ts';

export interface TripletSampling {
  /** Faces to draw from, numbers of the store. */
  readonly faces: readonly number[];
  /** People a batch, and pictures of each. */
  readonly people: number;
  readonly pictures: number;
  readonly seed: number;
  /** Rows and columns of the crop. */
  readonly side: number;
  /** Share of the samples that wear a mask. */
  readonly masked: number;
  /** As for an encoder: pixels of a crop of 112. */
  readonly jitterPx: number;
  readonly degradation: Degradation;
  readonly alignments: FaceAlignments;
}

/**
 * Batches for triplets, K pictures of each of P people (Hermans et al., In Defense of the Triplet Loss, 2017): `input`
 * [P K, 3, side, side], pixels as they are, 0..255; `people` [P K], whom each is of; `anchors`, `positives`, `negatives`
 * [P K], rows drawn by chance. Of a person with fewer than K pictures some come again, otherwise cut and lit.
 *
 * Throws RangeError when fewer than P people have two pictures.
 */
export function tripletSampler(store: FaceStore, options: TripletSampling): Sampler {
  const { people, pictures, side } = options;
  const groups = [...groupByPerson(store, options.faces).values()].filter((faces) => faces.length > 1);
  if (groups.length < people)
    throw new RangeError(`${groups.length} people with two pictures are fewer than ${people}`);
  const count = people * pictures;
  const sampleSize = 3 * side * side;
  return {
    batch(number): Batch {
      const input = new Float32Array(count * sampleSize);
      const persons = new Float32Array(count);
      const random = sampleRandom(options.seed, number, -1);
      const chosen = drawn(groups, people, random);
      chosen.forEach((faces, person) => {
        drawn(faces, pictures, random).forEach((face, picture) => {
          const row = person * pictures + picture;
          const crop = tripletCrop(store, face, options, sampleRandom(options.seed, number, row));
          writePlanes(crop, RAW_PIXELS, input, row * sampleSize);
          persons[row] = person;
        });
      });
      const triplets = drawTriplets(persons, count, random);
      const rows = (data: BigInt64Array) => ({ type: 'int64', data, shape: [count] }) as const;
      return {
        input: { type: 'float32', data: input, shape: [count, 3, side, side] },
        people: { type: 'float32', data: persons, shape: [count] },
        anchors: rows(triplets.anchors),
        positives: rows(triplets.positives),
        negatives: rows(triplets.negatives),
      };
    },
  };
}

/** So many of a list in an order of chance; all of it before any comes again. */
function drawn<T>(list: readonly T[], count: number, random: () => number): T[] {
  const taken: T[] = [];
  let left: T[] = [];
  while (taken.length < count) {
    if (left.length === 0) left = [...list];
    const [one] = left.splice(Math.floor(random() * left.length), 1);
    if (one !== undefined) taken.push(one);
  }
  return taken;
}

function tripletCrop(store: FaceStore, face: number, options: TripletSampling, random: () => number): RgbImage {
  const plain = store.read(face);
  const masks = store.faces[face]?.masks.length ?? 0;
  const wears = random() < options.masked && masks > 0;
  const which = wears ? Math.floor(random() * masks) : -1;
  const chip = wears ? store.withMask(face, plain, which) : plain;
  const aligned = alignToTemplate(marksOf(options.alignments, face, which + 1).five);
  const matrix = random() < 0.5 ? compose(mirror(TEMPLATE_SIZE), aligned) : aligned;
  const larger = enlarged(
    jittered(matrix, { alignedBy: 'five', jitterPx: options.jitterPx }, random),
    options.side / TEMPLATE_SIZE,
  );
  return degrade(cutSmoothly(chip, larger, { width: options.side, height: options.side }), options.degradation, random);
}

function enlarged([a, b, c, d, e, f]: Affine, factor: number): Affine {
  return [a * factor, b * factor, c * factor, d * factor, e * factor, f * factor];
}
