import { join } from 'node:path';
import { systemClock } from '../../core/clock.ts';
import type { Logger } from '../../core/logger.ts';
import { seededRandom } from '../../core/seeded-random.ts';
import { quantile, rounded } from '../../core/statistics.ts';
import type { PersonState } from '../../gallery/gallery-changes.ts';
import { GalleryTemplates } from '../../gallery/gallery-templates.ts';
import { buildHnsw } from '../../gallery/search/build-hnsw.ts';
import { openGalleryStore } from '../../gallery/sqlite-gallery-store.ts';
import { randomUnit } from './gallery.ts';

const DIMENSION = 512;
/** Each person has a template of both. */
const ENCODERS = (['full', 'upper'] as const).map((part) => ({ fingerprint: part, dimension: DIMENSION, part }));
const ROUNDS = 5;
const DELTA = 10;

export interface GalleryChangesResult {
  readonly people: number;
  readonly templates: number;
  /** From an encrypted file to the first snapshot, as the daemon starts. */
  readonly startMs: number;
  /** From a deletion on the disk to a snapshot without the person: what the daemon does when it looks at the file. Median. */
  readonly deletedMs: number;
  /** The same, where everything is read anew. */
  readonly readAnewMs: number;
  /** A delta of ten people: into the file, and from there into the snapshot. Median. */
  readonly delta: { readonly applyMs: number; readonly takenUpMs: number };
}

/** What changes of a gallery of so many people cost. Their embeddings are random: time does not depend on them. */
export async function benchGalleryChanges(
  people: number,
  folder: string,
  logger: Logger,
): Promise<GalleryChangesResult> {
  const file = join(folder, 'gallery.sqlite');
  const random = seededRandom(1);
  const store = openGalleryStore(file, { logger, clock: systemClock });
  const templates = new GalleryTemplates({
    encoders: ENCODERS,
    graphFrom: Number.POSITIVE_INFINITY,
    buildGraph: buildHnsw,
    logger,
    onReplaced: () => {},
  });
  try {
    store.applyBatch(batch(0, people, random));
    const start = ms(() => {
      const again = openGalleryStore(file, { logger, clock: systemClock });
      templates.replace((encoder) => again.loadTemplates(encoder, encoder.part));
      again.close();
    });
    let version = store.version();
    const takeUp = () => {
      const changes = store.changesSince(version);
      templates.change(changes);
      version = changes.to;
    };
    const rounds = Array.from({ length: ROUNDS }, (_, round) => {
      store.removePerson(idOf(round));
      const deletedMs = ms(takeUp);
      const applyMs = ms(() => store.applyBatch(batch(people + round * DELTA, DELTA, random)));
      return { deletedMs, applyMs, takenUpMs: ms(takeUp) };
    });
    const readAnewMs = ms(() => templates.replace((encoder) => store.loadTemplates(encoder, encoder.part)));
    const mid = (of: keyof (typeof rounds)[number]) =>
      rounded(
        quantile(
          rounds.map((it) => it[of]),
          0.5,
        ) ?? 0,
        1,
      );
    return {
      people,
      templates: people * ENCODERS.length,
      startMs: rounded(start, 0),
      deletedMs: mid('deletedMs'),
      readAnewMs: rounded(readAnewMs, 0),
      delta: { applyMs: mid('applyMs'), takenUpMs: mid('takenUpMs') },
    };
  } finally {
    await templates.stop();
    store.close();
  }
}

function batch(first: number, count: number, random: () => number) {
  const people = function* (): Generator<PersonState> {
    for (let number = first; number < first + count; number++) {
      const kept = { createdAtMs: 1, consentAtMs: null, consentNote: null, retainUntilMs: null };
      const of = {
        quality: 1,
        mask: null,
        sourceFile: 'a.jpg',
        pictureSha256: String(number).padStart(64, '0'),
      };
      const templates = ENCODERS.map(({ fingerprint, part }) => ({
        ...of,
        encoder: fingerprint,
        part,
        embedding: randomUnit(DIMENSION, random),
      }));
      yield { id: idOf(number), name: String(number), ...kept, templates };
    }
  };
  return { origin: 'fleet', encoders: ENCODERS.map((it) => it.fingerprint), tombstones: [], people: people() } as const;
}

function idOf(number: number): string {
  return `p${String(number).padStart(8, '0')}`;
}

function ms(work: () => unknown): number {
  const started = performance.now();
  work();
  return performance.now() - started;
}
