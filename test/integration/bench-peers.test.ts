import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { decodeRgb } from '../../bench/peers/pictures.ts';
import { loadProgram } from '../../bench/peers/program.ts';
import { startSystem } from '../../bench/peers/system-process.ts';
import { decodePicture } from '../../src/capture/opencv-picture.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { cosine } from '../../src/faces/embedding.ts';
import { createModelStore } from '../../src/inference/store.ts';
import { openFaceReader } from '../../src/wiring/open-faces.ts';
import { MODELS_DIR, testConfig } from '../rig/config.ts';

const PEERS_FOLDER = new URL('../../bench/peers/node_modules', import.meta.url);

it('the peers bench sees what enrolment sees, picture by picture, in any number of processes', {
  timeout: 300_000,
}, async () => {
  const store = await createModelStore({ dir: MODELS_DIR, extraManifest: null, logger: silentLogger });
  await store.pull(store.pictureIds);
  const files = await Promise.all(['sample3', 'sample5', 'sample6'].map((id) => store.file(id)));
  const program = await loadProgram();
  const pictures = await Promise.all(files.map((file) => decodeRgb(program, file)));
  const group = await startSystem('eyeline', 2);
  const { reader, close } = await openFaceReader(await testConfig(), silentLogger);
  try {
    const seen = await group.read(pictures);
    expect(seen).toHaveLength(files.length);
    let faces = 0;
    for (const [index, file] of files.entries()) {
      const picture = await decodePicture(await readFile(file), file);
      const expected = await reader.read(picture);
      picture.release();
      faces += expected.length;
      expect(seen[index]).toHaveLength(expected.length);
      for (const [at, { box, embeddings }] of expected.entries()) {
        const found = seen[index]?.[at];
        expect(found?.box.x).toBeCloseTo(box.x, 2);
        expect(found?.box.height).toBeCloseTo(box.height, 2);
        expect(
          cosine(found?.embedding ?? new Float32Array(0), embeddings[0]?.embedding ?? new Float32Array(1)),
        ).toBeGreaterThan(0.9999);
      }
    }
    expect(faces).toBeGreaterThan(files.length);
    await group.keep(pictures);
    expect(await group.run()).toMatchObject({ faces });
  } finally {
    group.stop();
    await close();
  }
});

it.skipIf(existsSync(PEERS_FOLDER))(
  'the peers bench says how to install what it lacks (needs bench/peers not to be installed)',
  async () => {
    await expect(startSystem('human', 1)).rejects.toThrow(
      'human: the peers are not installed: npm ci --prefix bench/peers',
    );
  },
);
