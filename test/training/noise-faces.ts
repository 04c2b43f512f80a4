import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '../../src/core/seeded-random.ts';
import { type FaceAlignments, MARK_VALUES } from '../../src/training/data/encoder-sampler.ts';
import { FaceStore, INDEX_FILE, packFace } from '../../src/training/data/face-store.ts';
import { pixelsFile } from '../../src/training/data/pixels-file.ts';

const SIDE = 64;
const BOX = { x: 10, y: 8, width: 44, height: 48 };
const MASK = { x: 14, y: 36, width: 36, height: 20, state: 'worn' };
/** The bridge of the nose is elsewhere than the other points make it: crops by it differ. */
const MARKS = [20, 24, 44, 24, 32, 34, 23, 46, 41, 46, 40, 24, 40, 30];

/** Two faces each of people, of noise, each with a mask on or without one; all gone when `use` has ended. */
export async function withNoiseFaces<T>(
  count: number,
  { masked }: { readonly masked: boolean },
  use: (store: FaceStore, alignments: FaceAlignments) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'eyeline-noise-faces-'));
  const lines: string[] = [];
  const pixels: Uint8Array[] = [];
  let offset = 0;
  for (let face = 0; face < count; face++) {
    const random = seededRandom(face);
    const rgb = Uint8Array.from({ length: SIDE * SIDE * 3 }, () => 255 * random());
    const masks = masked ? [{ ...MASK, rgb: new Uint8Array(MASK.width * MASK.height * 3).fill(200) }] : [];
    const bytes = packFace({ rgb, width: SIDE, height: SIDE, box: BOX, score: 0.9, landmarks: [] }, masks);
    const where = { person: Math.floor(face / 2), part: 0, offset, width: SIDE, height: SIDE };
    lines.push(JSON.stringify({ file: `${face}`, ...where, masks: masked ? [MASK] : [] }));
    pixels.push(bytes);
    offset += bytes.length;
  }
  await writeFile(join(folder, pixelsFile(0)), Buffer.concat(pixels));
  await writeFile(join(folder, INDEX_FILE), `${lines.join('\n')}\n`);
  const store = await FaceStore.open(folder);
  const variants = masked ? 2 : 1;
  const points = new Float32Array(count * variants * MARK_VALUES);
  for (let row = 0; row < count * variants; row++) points.set(MARKS, row * MARK_VALUES);
  const starts = Uint32Array.from({ length: count }, (_, face) => face * variants);
  try {
    return await use(store, { starts, points });
  } finally {
    store.close();
    await rm(folder, { recursive: true, force: true });
  }
}
