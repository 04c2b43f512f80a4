import { mkdir, mkdtemp, readdir, readFile, rm, watch, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { decodePicture } from '../../src/capture/opencv-picture.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { createModelStore } from '../../src/inference/store.ts';
import { MODELS_DIR } from '../rig/config.ts';
import { Program } from '../rig/program.ts';

it('dataset mask ends cleanly on Ctrl-C: what is there is whole, and it says how far it came', async () => {
  const cwd = await mkdtemp(join(tmpdir(), 'eyeline-interrupted-'));
  onTestFinished(() => rm(cwd, { recursive: true, force: true }));
  const store = await createModelStore({ dir: MODELS_DIR, extraManifest: null, logger: silentLogger });
  await store.pull(['sample1']);
  const photo = await readFile(await store.file('sample1'));
  const [people, out] = [join(cwd, 'people'), join(cwd, 'out')];
  await mkdir(people);
  await mkdir(out);
  for (let index = 0; index < 1000; index++) await writeFile(join(people, `${index}.jpg`), photo);

  const program = new Program(['dataset', 'mask', people, out, '--json', '--workers', '1'], { cwd });
  onTestFinished(() => program.stop());
  for await (const _ of watch(out)) break;
  program.signal('SIGINT');
  const { code, stdout } = await program.finished();
  expect(code).toBe(130);
  const summary = JSON.parse(stdout);
  const written = await readdir(out);
  expect(summary.masked).toBe(written.length);
  expect(summary.masked + summary.notReached).toBe(1000);
  expect(summary.notReached).toBeGreaterThan(0);
  for (const file of written) {
    const picture = await decodePicture(await readFile(join(out, file)), file);
    picture.release();
  }
});
