import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Box } from '../../src/core/geometry.ts';
import { FaceTracker, type TrackLook } from '../../src/tracks/tracker.ts';
import { TRACKING } from './follow.ts';

interface Face {
  readonly box: Box;
  readonly score: number;
}

const face = (x: number, score = 0.9, y = 200, size = 100): Face => ({
  box: { x, y, width: 0.75 * size, height: size },
  score,
});
const numbers = ({ seen }: { seen: readonly { track: number }[] }) => seen.map(({ track }) => track);
const tracker = () => new FaceTracker(TRACKING);

describe('update', () => {
  it('keeps each face on its own track while they move, whatever order they come in', () => {
    const follows = tracker();
    expect(numbers(follows.update([face(0), face(300)], 0))).toEqual([1, 2]);
    expect(numbers(follows.update([face(270), face(30)], 100))).toEqual([2, 1]);
    expect(numbers(follows.update([face(60), face(240), face(500)], 200))).toEqual([1, 2, 3]);
  });

  it('lets two who walk through each other keep their direction: overlap alone would take them for turning back', () => {
    const follows = tracker();
    const steps = Array.from({ length: 21 }, (_, step) => step);
    const seen = steps.map((step) =>
      numbers(
        follows.update(
          // Out of sight of the detector while one hides the other.
          Math.abs(step - 10) <= 1 ? [face(300)] : [face(100 + 20 * step), face(500 - 20 * step)],
          step * 100,
        ),
      ),
    );
    expect(seen.at(-1)).toEqual(seen[0]);
  });

  it('follows a face that is in a new place in each frame, and tells its speed in heights a second', () => {
    const follows = tracker();
    const updates = Array.from({ length: 10 }, (_, step) => follows.update([face(60 * step)], step * 100));
    expect(updates.map(numbers)).toEqual(updates.map(() => [1]));
    expect(updates[0]?.seen[0]?.speed).toBe(0);
    expect(updates.at(-1)?.seen[0]?.speed).toBeCloseTo(6, 0);
  });

  it('takes up a face again within the time, where it went meanwhile; then only looks could', () => {
    const walk = (step: number) => face(30 * step);
    for (const [resumeMs, expected] of [
      [1900, [1]],
      [2100, [2]],
    ] as const) {
      const follows = tracker();
      for (let step = 0; step <= 5; step++) follows.update([walk(step)], step * 100);
      for (let ms = 600; ms < resumeMs; ms += 100) follows.update([], ms);
      expect(numbers(follows.update([walk(resumeMs / 100)], resumeMs))).toEqual(expected);
    }
  });

  it('counts no frame that was held back or dropped against a face', () => {
    const follows = tracker();
    expect(numbers(follows.update([face(300)], 0))).toEqual([1]);
    // Nothing for three seconds, then one frame a second, the first of which misses it.
    expect(numbers(follows.update([face(302)], 3000))).toEqual([1]);
    expect(numbers(follows.update([], 4000))).toEqual([]);
    expect(numbers(follows.update([face(301)], 5000))).toEqual([1]);
  });

  it('ends a track after the time, and one that nobody could recognise as soon as it is lost', () => {
    const follows = tracker();
    follows.update([face(0), face(400)], 0);
    follows.tell([{ track: 1, embedding: Float32Array.of(1, 0), encoder: 'made' }], 0);
    const ended: [number, readonly number[]][] = [];
    for (let ms = 500; ms <= 6000; ms += 500) ended.push([ms, follows.update([], ms).ended]);
    expect(ended.filter(([, tracks]) => tracks.length > 0)).toEqual([
      [2000, [2]],
      [5500, [1]],
    ]);
  });

  it('lets faces the detector is not sure of continue a track, but not begin one', () => {
    const follows = tracker();
    expect(follows.update([face(300, 0.5)], 0).seen).toEqual([]);
    expect(numbers(follows.update([face(300, 0.7)], 100))).toEqual([1]);
    for (let ms = 200; ms < 3000; ms += 100) expect(numbers(follows.update([face(300, 0.45)], ms))).toEqual([1]);
  });

  it('gives a track to a sure face rather than to an unsure one that is nearer', () => {
    const follows = tracker();
    follows.update([face(300)], 0);
    expect(follows.update([face(302, 0.5), face(330, 0.9)], 100).seen).toMatchObject([
      { track: 1, detection: { score: 0.9 } },
    ]);
  });

  it('starts all over after clear, with new numbers', () => {
    const follows = tracker();
    follows.update([face(300)], 0);
    follows.clear();
    expect(follows.update([face(300)], 100)).toMatchObject({ seen: [{ track: 2 }], ended: [] });
  });
});

/** Frames of faces that move at random, with gaps in time. */
const sequences = fc.array(
  fc.record({
    afterMs: fc.integer({ min: 20, max: 1200 }),
    // Different places: the detector gives no face twice.
    faces: fc.uniqueArray(
      fc.record({
        x: fc.integer({ min: 0, max: 9 }).map((column) => column * 60),
        y: fc.integer({ min: 0, max: 3 }).map((row) => row * 70),
        size: fc.integer({ min: 60, max: 140 }),
        score: fc.constantFrom(0.45, 0.6, 0.7, 0.85, 0.99),
        person: fc.integer({ min: 0, max: 4 }),
      }),
      { maxLength: 6, selector: ({ x, y }) => `${x},${y}` },
    ),
  }),
  { maxLength: 15 },
);
type Sequence = typeof sequences extends fc.Arbitrary<infer T> ? T : never;
type StagedFace = Sequence[number]['faces'][number];

/** Plays a sequence and gives the number of each face, null for none. */
function play(
  sequence: Sequence,
  detect: (staged: StagedFace, frame: number) => Face,
  order: (faces: { staged: StagedFace; detection: Face }[]) => typeof faces = (faces) => faces,
): (number | null)[][] {
  const follows = tracker();
  let nowMs = 0;
  return sequence.map(({ afterMs, faces }, frame) => {
    nowMs += afterMs;
    const given = faces.map((staged) => ({ staged, detection: detect(staged, frame) }));
    const { seen } = follows.update(
      order([...given]).map(({ detection }) => detection),
      nowMs,
    );
    return given.map(({ detection }) => seen.find((one) => one.detection === detection)?.track ?? null);
  });
}

/** Numbers by the order of their first appearance: only who is who matters. */
function renumbered(rows: (number | null)[][]): (number | null)[][] {
  const names = new Map<number, number>();
  return rows.map((row) =>
    row.map((number) => {
      if (number === null) return null;
      if (!names.has(number)) names.set(number, names.size + 1);
      return names.get(number) ?? null;
    }),
  );
}

describe('whatever comes', () => {
  /** Nothing is at quite the same distance from two others: what then belongs together would be anybody's guess. */
  const uneven = ({ x, y, size, score }: StagedFace, frame: number): StagedFace => {
    const wobble = (0.618034 * (131 * frame + 7 * x + y + size)) % 1;
    return { x: x + 20 * wobble, y: y - 13 * wobble, size, score, person: 0 };
  };
  const plain = (staged: StagedFace, frame: number): Face => {
    const { x, y, size, score } = uneven(staged, frame);
    return face(x, score, y, size);
  };

  it('no two faces of a frame are of one track, numbers that ended do not come back, nothing unsure begins one', () => {
    fc.assert(
      fc.property(sequences, (sequence) => {
        const follows = tracker();
        const over = new Set<number>();
        let [nowMs, largest] = [0, 0];
        for (const [frame, { afterMs, faces }] of sequence.entries()) {
          nowMs += afterMs;
          const { seen, ended } = follows.update(
            faces.map((staged) => plain(staged, frame)),
            nowMs,
          );
          const now = seen.map(({ track }) => track);
          for (const track of ended) over.add(track);
          expect(new Set(now).size).toBe(now.length);
          expect(now.filter((track) => over.has(track))).toEqual([]);
          for (const { track, detection } of seen) {
            if (track > largest) expect(detection.score).toBeGreaterThanOrEqual(TRACKING.minScore);
          }
          expect(seen.length).toBeGreaterThanOrEqual(faces.filter(({ score }) => score >= TRACKING.minScore).length);
          largest = Math.max(largest, ...now);
        }
      }),
    );
  });

  it('the order of the detections does not matter', () => {
    fc.assert(
      fc.property(sequences, fc.infiniteStream(fc.double({ noNaN: true })), (sequence, keys) => {
        const shuffle = <T>(values: T[]) =>
          values
            .map((value) => ({ value, key: keys.next().value ?? 0 }))
            .sort((a, b) => a.key - b.key)
            .map(({ value }) => value);
        expect(renumbered(play(sequence, plain, shuffle))).toEqual(renumbered(play(sequence, plain)));
      }),
    );
  });

  it('neither does where the camera looks, nor its resolution', () => {
    fc.assert(
      fc.property(
        sequences,
        fc.integer({ min: -4096, max: 4096 }),
        fc.integer({ min: -4096, max: 4096 }),
        fc.constantFrom(0.5, 2, 4),
        (sequence, dx, dy, scale) => {
          const moved = (staged: StagedFace, frame: number) => {
            const { x, y, size, score } = uneven(staged, frame);
            return face((x + dx) * scale, score, (y + dy) * scale, size * scale);
          };
          expect(play(sequence, moved)).toEqual(play(sequence, plain));
        },
      ),
    );
  });

  it('looks make no two tracks one that were seen in one frame, and name no face of a frame twice', () => {
    fc.assert(
      fc.property(sequences, (sequence) => {
        const follows = tracker();
        const together = new Set<string>();
        let nowMs = 0;
        for (const [frame, { afterMs, faces }] of sequence.entries()) {
          nowMs += afterMs;
          const { seen } = follows.update(
            faces.map((staged) => ({ ...plain(staged, frame), person: staged.person })),
            nowMs,
          );
          for (const { track } of seen) for (const other of seen) together.add(`${track} ${other.track}`);
          const renamings = follows.tell(
            seen.map(({ track, detection }): TrackLook => {
              const angle = (2 * Math.PI * detection.person) / 5;
              return { track, embedding: Float32Array.of(Math.cos(angle), Math.sin(angle)), encoder: 'made' };
            }),
            nowMs,
          );
          for (const { from, to, merged } of renamings) if (merged) expect(together).not.toContain(`${from} ${to}`);
          const to = new Map(renamings.map((one) => [one.from, one.to]));
          expect(to.size).toBe(renamings.length);
          const now = seen.map(({ track }) => to.get(track) ?? track);
          expect(new Set(now).size).toBe(now.length);
        }
      }),
    );
  });
});
