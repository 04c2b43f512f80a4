import { describe, expect, it } from 'vitest';
import { normalNumbers, seededRandom } from '../../src/core/seeded-random.ts';
import { cosinesAmong } from '../../src/evaluation/among-enrolled.ts';
import { normalise } from '../../src/faces/embedding.ts';
import { createSnapshot } from '../../src/gallery/snapshot.ts';
import { decisionParts } from '../../src/pipeline/decision-parts.ts';
import { likenessOf } from '../../src/pipeline/likeness.ts';
import { testConfig } from '../rig/config.ts';
import { TENTHS } from '../tracks/score-curve.ts';

const DIMENSION = 64;
const ENCODER = 'sha-made';
const { recognition, tracks } = await testConfig();

/** Two templates each of people of whom every other is like everybody. */
function galleryOf(people: number) {
  const normal = normalNumbers(seededRandom(4));
  const direction = () => normalise(Float32Array.from({ length: DIMENSION }, normal));
  const shared = direction();
  const rows = Array.from({ length: people }, (_, owner) => {
    const share = owner % 2 === 0 ? 0.7 : 0.1;
    const own = direction();
    return Array.from({ length: 2 }, () => {
      const away = direction();
      const vector = own.map((value, at) => value + share * (shared[at] ?? 0) + 0.2 * (away[at] ?? 0));
      return { owner, vector: normalise(vector) };
    });
  }).flat();
  const vectors = Float32Array.from(rows.flatMap(({ vector }) => [...vector]));
  const snapshot = createSnapshot({
    version: 1,
    encoder: ENCODER,
    dimension: DIMENSION,
    people: Array.from({ length: people }, (_, owner) => ({ id: `p${String(owner).padStart(3, '0')}`, name: '' })),
    owners: Uint32Array.from(rows.map(({ owner }) => owner)),
    vectors,
  });
  const view = {
    search: (probe: Float32Array, _: string, count: number) => snapshot.search(probe, count),
  };
  const probes = Array.from({ length: 6 }, (_, at) => {
    const share = at % 2 === 0 ? 0.8 : 0;
    return normalise(direction().map((value, i) => value + share * (shared[i] ?? 0)));
  });
  return { snapshot, view, rows, probes };
}

function likenesses(people: number, adaptToGallery: boolean) {
  const { snapshot, view, rows, probes } = galleryOf(people);
  const decisions = decisionParts(
    { recognition: { ...recognition, adaptToGallery }, tracks },
    { encoders: [{ id: 'made', fingerprint: ENCODER, calibration: { none: TENTHS } }], leastScore: 0.7 },
  );
  decisions.adapt({ snapshots: [snapshot] });
  const found = probes.map(
    (embedding) => likenessOf({ embedding, encoder: ENCODER }, 'none', view, decisions.scores).matches,
  );
  return { found, snapshot, rows, probes };
}

describe('whom a face is like', () => {
  it('is scored as evaluations score it: allowed for how alike it is to everybody enrolled', () => {
    const { found, snapshot, rows, probes } = likenesses(20, true);
    const among = cosinesAmong(
      rows.map(({ vector }) => vector),
      rows.map(({ owner }) => owner),
    );
    let changed = 0;
    for (const [at, matches] of found.entries()) {
      const probe = probes[at] ?? new Float32Array();
      const raw = new Map(snapshot.search(probe, 20).map(({ person, score }) => [person.id, score]));
      for (const { person, score, cosine } of matches) {
        expect(cosine).toBe(raw.get(person.id));
        const own = rows.flatMap(({ owner }, row) => (snapshot.people[owner]?.id === person.id ? [row] : []));
        expect(score).toBeCloseTo(Math.max(...own.map((row) => among.of(row, probe))), 5);
        if (Math.abs(score - (raw.get(person.id) ?? score)) > 0.02) changed++;
      }
      expect(matches.map(({ score }) => score)).toEqual(matches.map(({ score }) => score).sort((a, b) => b - a));
    }
    expect(changed).toBeGreaterThan(20);
  });

  it.each([
    ['of fewer than eight people', 7, true],
    ['where it is switched off', 20, false],
  ])('is the cosine %s', (_, people, on) => {
    const { found, snapshot, probes } = likenesses(people, on);
    for (const [at, matches] of found.entries()) {
      const closest = snapshot.search(probes[at] ?? new Float32Array(), 8);
      expect(matches.map(({ person, score }) => [person.id, score])).toEqual(
        closest.map(({ person, score }) => [person.id, score]),
      );
    }
  });
});
