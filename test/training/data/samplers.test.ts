import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/core/seeded-random.ts';
import { withoutFace } from '../../../src/training/data/cover-face.ts';
import { type DetectorSampling, detectorSampler } from '../../../src/training/data/detector-sampler.ts';
import { towardsPersonMean } from '../../../src/training/data/encoder-sampler.ts';
import { FaceStore, INDEX_FILE, packFace } from '../../../src/training/data/face-store.ts';
import { pixelsFile } from '../../../src/training/data/pixels-file.ts';
import { RAW_PIXELS } from '../../../src/training/data/sampler.ts';

const SIDE = 60;
const BOX = { x: 20, y: 20, width: 20, height: 24 };
/** The face red, all around it green with a grain. */
const picture = (seed: number) => {
  const random = seededRandom(seed);
  const rgb = new Uint8Array(SIDE * SIDE * 3);
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const face = x >= BOX.x && x < BOX.x + BOX.width && y >= BOX.y && y < BOX.y + BOX.height;
      const grain = Math.floor(40 * random());
      rgb.set(face ? [200 + grain, 20, 20] : [20, 200 + grain, 20], (y * SIDE + x) * 3);
    }
  }
  return { rgb, width: SIDE, height: SIDE };
};

let folder = '';
let store: FaceStore;

/** Three faces of one person, one of another. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eyeline-samplers-'));
  const faces = [0, 0, 0, 1].map((person, index) => ({
    person,
    bytes: packFace({ ...picture(index), box: BOX, score: 0.9, landmarks: [] }, []),
  }));
  const length = faces[0]?.bytes.length ?? 0;
  await writeFile(join(folder, pixelsFile(0)), Buffer.concat(faces.map(({ bytes }) => bytes)));
  const lines = faces.map(({ person }, index) =>
    JSON.stringify({ file: `${index}`, person, part: 0, offset: index * length, width: SIDE, height: SIDE, masks: [] }),
  );
  await writeFile(join(folder, INDEX_FILE), `${lines.join('\n')}\n`);
  store = await FaceStore.open(folder);
});

afterAll(async () => {
  store?.close();
  await rm(folder, { recursive: true, force: true });
});

describe('a face that is covered', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('shows nothing of it as it was, and all around it (%i)', (seed) => {
    const before = picture(seed);
    const after = withoutFace(before, BOX, seededRandom(seed));
    let kept = 0;
    for (let at = 0; at < before.rgb.length; at += 3) {
      const [x, y] = [(at / 3) % SIDE, Math.floor(at / 3 / SIDE)];
      const away = Math.hypot((x - 30) / (BOX.width / 2), (y - 32) / (BOX.height / 2));
      const same = [0, 1, 2].every((channel) => before.rgb[at + channel] === after.rgb[at + channel]);
      if (away > 1.3) expect(same).toBe(true);
      if (away < 0.8 && same) kept++;
    }
    // A pixel that happens to be covered by its own colour.
    expect(kept).toBeLessThan(0.2 * BOX.width * BOX.height);
    expect(withoutFace(before, BOX, seededRandom(seed)).rgb).toEqual(after.rgb);
  });
});

describe('scenes for a detector', () => {
  const options: DetectorSampling = {
    faces: [0, 1, 2, 3],
    batch: 8,
    seed: 1,
    input: { width: 80, height: 60 },
    pixels: RAW_PIXELS,
    masked: 0,
    tight: 0.4,
    several: 0.4,
    empty: 0,
    faceless: 0,
    degradation: {
      lightShare: 0,
      brightness: 0,
      contrast: 0,
      saturation: 0,
      tint: 0,
      blurShare: 0,
      blurPx: 0,
      shrinkShare: 0,
      shrinkTo: 1,
      jpegShare: 0,
      jpegQuality: 90,
      noise: 0,
    },
  };
  const total = (data: ArrayLike<number | bigint> | undefined) =>
    Array.from(data ?? [], Number).reduce((sum, value) => sum + value, 0);

  it('know of their faces, and of no covered ones', () => {
    const { known, covered } = detectorSampler(store, options).batch(0);
    expect(total(known?.data)).toBeGreaterThan(0);
    expect(total(covered?.data)).toBe(0);
  });

  it('have no face where all are covered, for the teacher neither', () => {
    const { known, covered, plain, input } = detectorSampler(store, { ...options, faceless: 1 }).batch(0);
    expect(total(known?.data)).toBe(0);
    expect(total(covered?.data)).toBeGreaterThan(0);
    expect(plain?.data).toEqual(input?.data);
  });
});

describe('targets moved towards the mean of a person', () => {
  const targets = Float32Array.of(1, 0, 0, 1, Math.SQRT1_2, Math.SQRT1_2, 0.6, 0.8);
  const moved = (share: number) =>
    Array.from(towardsPersonMean(store, [0, 1, 3], { targets, dimension: 2, share }), (value) =>
      Number(value.toFixed(2)),
    );

  it('are the mean of the faces trained on, of length 1; others stay', () => {
    expect(moved(1)).toEqual([0.71, 0.71, 0.71, 0.71, 0.71, 0.71, 0.6, 0.8]);
    // Half of (1, 0) and half of the mean: (0.8536, 0.3536) over its length.
    expect(moved(0.5)).toEqual([0.92, 0.38, 0.38, 0.92, 0.71, 0.71, 0.6, 0.8]);
    expect(moved(0)).toEqual(Array.from(targets, (value) => Number(value.toFixed(2))));
  });
});
