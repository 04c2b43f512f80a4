import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { trainedModel } from '../../src/commands/train/trained-model.ts';
import { sha256 } from '../../src/inference/files.ts';
import { loadManifest } from '../../src/inference/manifest.ts';

it('takes the place of the model it was trained from; a folder that cannot be written is named', async () => {
  const scratch = await mkdtemp(join(tmpdir(), 'eyeline-trained-'));
  onTestFinished(() => rm(scratch, { recursive: true, force: true }));
  const like = (await loadManifest(null)).models.get('landmarks-68');
  if (!like) throw new Error('no landmarks');
  const file = fileURLToPath(new URL('../../models/landmarks-68-masked.onnx', import.meta.url));
  const model = await trainedModel(file, like, scratch);
  expect(model.entry(like.id)).toMatchObject({ id: like.id, sha256: sha256(await readFile(file)) });
  const none = join(scratch, 'none');
  await expect(trainedModel(file, like, none)).rejects.toMatchObject({
    code: 'OUTPUT_UNWRITABLE',
    message: expect.stringContaining(`${none} cannot be written: ENOENT`),
  });
});
