import fc from 'fast-check';
import { expect, it } from 'vitest';
import { atOnce } from '../../src/core/steps.ts';
import type { GalleryChanges } from '../../src/gallery/gallery-changes.ts';
import { buildHnsw } from '../../src/gallery/search/build-hnsw.ts';
import { createSnapshot, snapshotOf } from '../../src/gallery/snapshot.ts';
import type { TemplateMatrix } from '../../src/gallery/template.ts';
import { createBlock, withIndex } from '../../src/gallery/template-block.ts';
import { compacting, onBase, type TemplateLayers, withChanges } from '../../src/gallery/template-layers.ts';
import { template } from './gallery-rig.ts';

const DIMENSION = 5;
const ENCODER = { fingerprint: 'encoder-a', dimension: DIMENSION };
const KEPT = { createdAtMs: 1, consentAtMs: null, consentNote: null, retainUntilMs: null };

type People = Map<string, readonly Float32Array[]>;

const unit = fc
  .array(fc.integer({ min: -9, max: 9 }), { minLength: DIMENSION, maxLength: DIMENSION })
  .filter((numbers) => numbers.some((it) => it !== 0))
  .map((numbers) => Float32Array.from(numbers, (it) => it / Math.hypot(...numbers)));
const id = fc.integer({ min: 0, max: 25 }).map((number) => `p${String(number).padStart(2, '0')}`);
const person = fc.tuple(id, fc.array(unit, { minLength: 1, maxLength: 3 }));
const step = fc.record({ put: fc.array(person, { maxLength: 4 }), gone: fc.array(id, { maxLength: 3 }) });

function matrix(people: People, version: number): TemplateMatrix {
  const sorted = [...people].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    version,
    encoder: ENCODER.fingerprint,
    dimension: DIMENSION,
    people: sorted.map(([of]) => ({ id: of, name: of })),
    owners: Uint32Array.from(sorted.flatMap(([, own], owner) => own.map(() => owner))),
    vectors: Float32Array.from(sorted.flatMap(([, own]) => own.flatMap((it) => [...it]))),
  };
}

/** Carries a step out on `people`; gives it as the store tells it. */
function carryOut(people: People, { put, gone }: { put: [string, Float32Array[]][]; gone: string[] }, to: number) {
  for (const of of gone) people.delete(of);
  const named = new Map(put);
  for (const [of, own] of named) people.set(of, own);
  const changes: GalleryChanges = {
    from: to - 1,
    to,
    people: [...named].map(([of, own]) => ({ id: of, name: of, ...KEPT, templates: own.map((it) => template(it)) })),
    tombstones: gone
      .filter((of) => !named.has(of))
      .map((of) => ({ id: of, deletedAtMs: 1, version: to, reason: 'removed' as const })),
  };
  return changes;
}

it('finds after any changes, put together at any moment, what a gallery made anew finds', () => {
  fc.assert(
    fc.property(
      fc.array(person, { maxLength: 20 }),
      fc.array(step, { minLength: 1, maxLength: 6 }),
      fc.nat({ max: 5 }),
      fc.nat({ max: 3 }),
      fc.constantFrom(1, 2),
      unit,
      (first, steps, compactAt, lateBy, bestOf, probe) => {
        const people: People = new Map(first);
        let layers: TemplateLayers = { version: 1, base: createBlock(matrix(people, 1)), changed: new Map() };
        let from: TemplateLayers | null = null;
        for (const [at, next] of steps.entries()) {
          layers = withChanges(layers, carryOut(people, next, at + 2), ENCODER, 'full');
          if (at === compactAt) from = layers;
          // What is put together is in use only some changes later.
          if (from && at === compactAt + lateBy) layers = onBase(layers, atOnce(compacting(from)), from.version);
        }
        const anew = createSnapshot(matrix(people, layers.version), { bestOf });
        const found = snapshotOf(layers, { bestOf });
        expect(found.people).toEqual(anew.people);
        expect(found.templateCount).toBe(anew.templateCount);
        const rows = ({ templates }: typeof found) => Array.from(templates.owners, (_, row) => templates.vectorOf(row));
        expect(found.templates.owners).toEqual(anew.templates.owners);
        expect(rows(found)).toEqual(rows(anew));
        expect(Array.from(rows(anew), (row) => [...row]).flat()).toEqual([...matrix(people, 1).vectors]);
        expect(found.version).toBe(steps.length + 1);
        for (const { id: of } of anew.people) expect(found.has(of)).toBe(true);
        for (const k of [1, 3, 30]) expect(found.search(probe, k)).toEqual(anew.search(probe, k));
      },
    ),
  );
});

it('finds by a graph whom comparing all finds, in a small gallery, whoever was removed', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(unit, { minLength: 256, maxLength: 300 }),
      fc.array(unit, { minLength: 1, maxLength: 5 }),
      fc.constantFrom(1, 2),
      async (vectors, probes, bestOf) => {
        const people: People = new Map(
          Array.from({ length: Math.ceil(vectors.length / 2) }, (_, at) => [
            `p${String(at).padStart(3, '0')}`,
            vectors.slice(2 * at, 2 * at + 2),
          ]),
        );
        const base = createBlock(matrix(people, 1));
        if (!base.rows) throw new Error('an index was expected');
        const graph = withIndex(base, await buildHnsw(base.rows, DIMENSION, new AbortController().signal));
        const gone = [...people.keys()].filter((_, at) => at % 7 === 0);
        const changes = carryOut(people, { put: [], gone }, 2);
        const layers = withChanges({ version: 1, base: graph, changed: new Map() }, changes, ENCODER, 'full');
        const anew = createSnapshot(matrix(people, 2), { bestOf });
        const found = snapshotOf(layers, { bestOf });
        for (const probe of probes) {
          const scores = found.search(probe, 8).map(({ score }) => score);
          expect(scores).toHaveLength(8);
          anew.search(probe, 8).forEach(({ score }, rank) => {
            expect(scores[rank]).toBeCloseTo(score, 6);
          });
        }
      },
    ),
    { numRuns: 10 },
  );
});
