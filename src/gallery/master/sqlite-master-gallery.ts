import type { SqliteGalleryStore } from '../sqlite-gallery-store.ts';
import type { MasterGallery } from './master-gallery.ts';

/** A gallery file as the master of a fleet. Closing it closes the store. */
export function sqliteMaster(store: SqliteGalleryStore): MasterGallery {
  return {
    async *everybody() {
      yield* store.changesSince(0).people;
    },
    tombstones: async () => store.tombstones(),
    put: async (people, tombstones) => {
      // All templates of a person are replaced, those of encoders that the new ones lack as well.
      const known = people.flatMap(({ id }) => store.personState(id)?.templates ?? []);
      const encoders = new Set([...known, ...people.flatMap((it) => it.templates)].map(({ encoder }) => encoder));
      store.applyBatch({ origin: 'device', encoders: [...encoders], people, tombstones });
    },
    fact: async (key) => store.state(key),
    swapFact: async (key, before, after) => store.swapState(key, before, after),
    close: async () => store.close(),
  };
}
