import { seededRandom, seedOf } from '../../core/seeded-random.ts';
import { shuffled } from '../../core/shuffled.ts';
import { combineSnapshots, type EncoderSnapshots } from '../../gallery/encoder-snapshots.ts';
import { createSnapshot } from '../../gallery/snapshot.ts';
import type { GalleryEncoder } from '../../gallery/template.ts';
import type { StreamPerson } from './stream-set.ts';

/** A gallery of some of the people; the others are strangers to it. */
export interface StreamGallery {
  readonly view: EncoderSnapshots;
  readonly enrolled: ReadonlySet<string>;
}

/**
 * Galleries of `size` people each: those with templates dealt out at random, `deals` times over, so that everybody is
 * enrolled in that many galleries. Who is left over by a deal is a stranger to all of it.
 */
export function dealGalleries(
  people: readonly StreamPerson[],
  encoders: readonly GalleryEncoder[],
  { size, deals, seed }: { readonly size: number; readonly deals: number; readonly seed: number },
): StreamGallery[] {
  const able = people.filter(({ templates }) => templates.length > 0);
  return Array.from({ length: deals }, (_, deal) => {
    const order = shuffled(able, seededRandom(seedOf(seed, `deal ${deal}`)));
    return Array.from({ length: Math.floor(order.length / size) }, (__, index) =>
      galleryOf(order.slice(index * size, (index + 1) * size), encoders),
    );
  }).flat();
}

function galleryOf(people: readonly StreamPerson[], encoders: readonly GalleryEncoder[]): StreamGallery {
  const snapshots = encoders.map(({ fingerprint, dimension }) => {
    const known = people
      .filter(({ templates }) => templates.some(({ encoder }) => encoder === fingerprint))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    const rows = known.flatMap(({ templates }, owner) =>
      templates.filter(({ encoder }) => encoder === fingerprint).map(({ embedding }) => ({ owner, embedding })),
    );
    const vectors = new Float32Array(rows.length * dimension);
    rows.forEach(({ embedding }, row) => {
      vectors.set(embedding, row * dimension);
    });
    return createSnapshot({
      version: 1,
      encoder: fingerprint,
      dimension,
      people: known.map(({ id }) => ({ id, name: id })),
      owners: Uint32Array.from(rows, ({ owner }) => owner),
      vectors,
    });
  });
  return { view: combineSnapshots(snapshots), enrolled: new Set(people.map(({ id }) => id)) };
}
