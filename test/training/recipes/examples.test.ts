import { describe, expect, it } from 'vitest';
import { writePlanes } from '../../../src/training/data/sampler.ts';
import type { Batch, Values } from '../../../src/training/engine.ts';
import { drawBox } from '../../../src/training/recipes/draw-box.ts';
import { foundExamples, type JudgedScenes, judgeDetector } from '../../../src/training/recipes/judge-detector.ts';
import { nearestExamples } from '../../../src/training/recipes/nearest-examples.ts';
import type { Student } from '../../../src/training/recipes/student.ts';

/** What a run's page shows of people held out. */

const INPUT = { width: 80, height: 60 };
const PIXELS = { colour: 'rgb', mean: [127, 120, 110], scale: [1 / 128, 1 / 100, 1 / 90] } as const;
const GREY = 90;

describe('a box', () => {
  const painted = (box: { x: number; y: number; width: number; height: number }) => {
    const image = { rgb: new Uint8Array(21 * 11 * 3), width: 21, height: 11 };
    drawBox(image, box, [1, 2, 3]);
    return Array.from({ length: 11 }, (_, y) =>
      Array.from({ length: 21 }, (_, x) => (image.rgb[(y * 21 + x) * 3 + 1] === 2 ? '#' : '.')).join(''),
    );
  };

  it('is drawn by its edges, two pixels wide', () => {
    expect(painted({ x: 0.1, y: 0.2, width: 0.4, height: 0.6 })).toEqual([
      '.....................',
      '.....................',
      '..#########..........',
      '..#########..........',
      '..##.....##..........',
      '..##.....##..........',
      '..##.....##..........',
      '..#########..........',
      '..#########..........',
      '.....................',
      '.....................',
    ]);
  });

  it('is drawn as far as it lies in the picture', () => {
    const rows = painted({ x: 0.5, y: -1, width: 3, height: 1.5 });
    expect(rows[4]).toBe('..........###########');
    expect(rows[0]).toBe('..........##.........');
    expect(rows[6]).toBe('.....................');
  });
});

describe('of a detector', () => {
  type Corners = readonly [number, number, number, number];
  const LEFT: Corners = [0.1, 0.2, 0.3, 0.5];
  const RIGHT: Corners = [0.6, 0.2, 0.8, 0.5];
  const STRANGER: Corners = [0.4, 0.7, 0.5, 0.9];
  const NOTHING: Corners = [0, 0.8, 0.15, 1];
  /** Every scene has two faces, and a stranger the teacher knows of. */
  const sampler = {
    batch(): Batch {
      const shape = [2, 3, INPUT.height, INPUT.width];
      const data = new Float32Array(2 * 3 * 80 * 60);
      const image = { rgb: new Uint8Array(80 * 60 * 3).fill(GREY), ...INPUT };
      for (const row of [0, 1]) writePlanes(image, PIXELS, data, row * data.length * 0.5);
      const known = new Float32Array(2 * 6 * 4);
      for (const row of [0, 1]) known.set([...LEFT, ...RIGHT], row * 24);
      return {
        input: { type: 'float32', data, shape },
        plain: { type: 'float32', data, shape },
        known: { type: 'float32', data: known, shape: [2, 6, 4] },
        covered: { type: 'float32', data: new Float32Array(known.length), shape: [2, 6, 4] },
      };
    },
  };
  const finding = (finds: (values: Values) => readonly (readonly [Corners, number])[]) =>
    ({
      initial: {},
      async run(_pictures, count, values) {
        const some = finds(values);
        const rows = Array.from({ length: count }, () => some).flat();
        return {
          scores: Float32Array.from(rows.flatMap(([, score]) => [1 - score, score])),
          boxes: Float32Array.from(rows.flatMap(([corners]) => corners)),
        };
      },
    }) as Pick<Student, 'initial' | 'run'> as Student;
  const before: Values = { w: new Float32Array(1) };
  const after: Values = { w: new Float32Array(2) };
  const candidates = (scores: readonly [number, number, number, number]) =>
    ([LEFT, RIGHT, STRANGER, NOTHING] as const).map((corners, at) => [corners, scores[at] ?? 0] as const);
  const student = finding((values) => candidates(values === after ? [0.9, 0.8, 0.9, 0.2] : [0.9, 0.4, 0.9, 0.8]));
  const teacher = finding(() => candidates([0, 0, 0.9, 0]));
  const judged: JudgedScenes = { sampler, teacher, batch: 2, input: INPUT };

  it('scenes say what was found, missed, and found where nothing is', async () => {
    const examples = await foundExamples(student, { before, after }, judged, PIXELS);
    expect(examples).toHaveLength(12);
    const [was, is] = examples[11]?.pictures ?? [];
    expect(was?.caption).toBe('before: 1 of 2 found, 1 false');
    expect(is?.caption).toBe('after: 2 of 2 found');
    const colours = (picture = was) =>
      [LEFT, RIGHT, STRANGER, NOTHING].map(([x, y]) => {
        const at = (Math.round(y * 59) * 80 + Math.round(x * 79)) * 3;
        return [...(picture?.image.rgb.subarray(at, at + 3) ?? [])];
      });
    const [green, yellow, red] = [
      [60, 255, 90],
      [255, 210, 40],
      [255, 60, 60],
    ];
    expect(colours()).toEqual([green, yellow, green, red]);
    expect(colours(is)).toEqual([green, green, green, [GREY, GREY, GREY]]);
  });

  it('figures count the same', async () => {
    const { figures } = await judgeDetector(student, before, judged, 3);
    expect(figures).toMatchObject({ maskedAtHalf: 0.5, plainAtHalf: 0.5, falseAtHalf: 1 });
    expect(figures.threshold).toBeCloseTo(0.8, 6);
    expect((await judgeDetector(student, after, judged, 3)).figures).toMatchObject({ maskedAtHalf: 1, falseAtHalf: 0 });
  });

  it('figures count a find on a head whose face is covered as false, whoever else takes it for a face', async () => {
    const covering = {
      batch(): Batch {
        const batch = sampler.batch();
        const covered = new Float32Array(2 * 6 * 4);
        for (const row of [0, 1]) covered.set(STRANGER, row * 24);
        return { ...batch, covered: { type: 'float32', data: covered, shape: [2, 6, 4] } };
      },
    };
    const { figures } = await judgeDetector(student, after, { ...judged, sampler: covering }, 3);
    expect(figures).toMatchObject({ maskedAtHalf: 1, falseAtHalf: 1 });
  });
});

describe('of an encoder', () => {
  const axis = (of: number) => Float32Array.from({ length: 8 }, (_, at) => (at === of ? 1 : 0));
  const image = (at: number, wears: boolean) => ({ rgb: Uint8Array.of(at, wears ? 1 : 0, 0), width: 1, height: 1 });
  // Two pictures of each of four people.
  const people = [0, 0, 1, 1, 2, 2, 3, 3];
  const gallery = people.map(axis);

  it('show the plain face of another picture that is most like the masked one', () => {
    const before = { gallery, probes: people.map((person) => axis((person + 1) % 4)) };
    const after = { gallery, probes: people.map(axis) };
    const examples = nearestExamples({ people, crop: image }, { before, after });
    expect(examples).toHaveLength(8);
    expect(examples[1]?.pictures).toEqual([
      { caption: 'masked', image: image(1, true) },
      { caption: 'before: somebody else, 1.00', image: image(2, false) },
      // Not its own picture.
      { caption: 'after: right, 1.00', image: image(0, false) },
    ]);
  });

  it('are taken from all faces, not from the first', () => {
    const many = Array.from({ length: 120 }, (_, at) => at);
    const same = { gallery: many.map(() => axis(0)), probes: many.map(() => axis(0)) };
    const examples = nearestExamples({ people: many, crop: image }, { before: same, after: same });
    const shown = examples.map(({ pictures }) => pictures[0]?.image.rgb[0]);
    expect(shown).toEqual(Array.from({ length: 12 }, (_, at) => at * 10));
  });
});
