import { describe, expect, it } from 'vitest';
import { openStudent } from '../../../src/training/recipes/student.ts';
import { unitEmbeddings } from '../../../src/training/recipes/unit-embeddings.ts';
import { resnet } from '../../../src/training/resnet.ts';
import { floats, noise, openSession } from '../step-rig.ts';

const INPUT = [3, 32, 32];
const SIZE = 3 * 32 * 32;
const ONNX = resnet({ input: 32, embedding: 5, stages: [1, 1], width: 4, seed: 3 });
/** More than are run at once, and no multiple of it. */
const COUNT = 70;

const withStudent = async <T>(cut: { layers: number } | null, batch: number, use: (it: Student) => Promise<T>) => {
  const student = await openStudent({ onnx: ONNX, input: INPUT, cut, batch, open: openSession, block: null });
  return use(student).finally(() => student.close());
};
type Student = Awaited<ReturnType<typeof openStudent>>;

describe('a student', () => {
  it.each([null, { layers: 1 }])('says the same of many pictures as of each alone, cut at %o', async (cut) => {
    const pictures = noise([COUNT, ...INPUT], 5);
    const together = await withStudent(cut, 64, (it) => it.run(pictures, COUNT, it.initial));
    await withStudent(cut, 1, async (student) => {
      for (const at of [0, 15, 16, 63, COUNT - 1]) {
        const alone = await student.run(pictures.slice(at * SIZE, (at + 1) * SIZE), 1, student.initial);
        for (const [column, value] of (alone.embedding ?? []).entries()) {
          expect(together.embedding?.[at * 5 + column]).toBeCloseTo(value, 5);
        }
      }
    });
  });

  it('takes a whole batch through its frozen part', async () => {
    const data = noise([40, ...INPUT], 5);
    await withStudent({ layers: 1 }, 40, async (student) => {
      const { input } = await student.activations({ input: floats([40, ...INPUT], data) });
      expect(input?.shape).toEqual([40, ...student.graph.cut.shape]);
      const last = await student.activations({ input: floats([1, ...INPUT], data.slice(39 * SIZE)) });
      const size = last.input?.data.length ?? 0;
      for (const [at, value] of (last.input?.data ?? []).entries()) {
        expect(input?.data[39 * size + at]).toBeCloseTo(Number(value), 5);
      }
    });
  });
});

describe('unit embeddings', () => {
  const pixels = { colour: 'rgb', mean: [127, 127, 127], scale: [1 / 128, 1 / 128, 1 / 128] } as const;
  const crops = Array.from({ length: COUNT }, (_, at) => ({
    rgb: Uint8Array.from(noise([SIZE], at + 1), (value) => 127 + 127 * value),
    width: 32,
    height: 32,
  }));

  it.each([false, true])('are those of each crop, in order (mirrored: %s)', async (mirrored) => {
    await withStudent(null, 16, async (student) => {
      const of = { output: 'embedding', mirrored };
      const all = await unitEmbeddings(student, student.initial, { crops, pixels }, of);
      expect(all).toHaveLength(COUNT);
      for (const at of [0, 63, 64, COUNT - 1]) {
        const [alone] = await unitEmbeddings(student, student.initial, { crops: crops.slice(at, at + 1), pixels }, of);
        expect(Math.hypot(...(all[at] ?? []))).toBeCloseTo(1, 5);
        for (const [column, value] of (alone ?? []).entries()) expect(all[at]?.[column]).toBeCloseTo(value, 5);
      }
    });
  });

  it('of a crop and of its mirror image are the same when mirrored', async () => {
    const [first] = crops;
    if (!first) throw new Error('no crop');
    const turned = { ...first, rgb: new Uint8Array(SIZE) };
    for (let at = 0; at < SIZE; at++) {
      const [channel, x, y] = [at % 3, Math.floor(at / 3) % 32, Math.floor(at / 96)];
      turned.rgb[(y * 32 + 31 - x) * 3 + channel] = first.rgb[at] ?? 0;
    }
    await withStudent(null, 16, async (student) => {
      const of = { output: 'embedding', mirrored: true };
      const [one, other] = await unitEmbeddings(student, student.initial, { crops: [first, turned], pixels }, of);
      for (const [column, value] of (one ?? []).entries()) expect(other?.[column]).toBeCloseTo(value, 5);
    });
  });
});
