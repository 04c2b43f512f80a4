import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256, writeFileAtomic } from '../../inference/files.ts';
import { type ModelEntry, parseManifest, TRAINED_FOLDER, TRAINED_MANIFEST } from '../../inference/manifest.ts';
import type { TrainedPeople } from '../../training/data/trained-people.ts';
import type { ModelContract } from '../../training/recipes/lesson.ts';
import { writable } from '../../training/writable.ts';
import { nameOfInstalled, writePeople } from './people-of-model.ts';

export interface ModelToInstall {
  /** The model it takes the place of, or its own new id. */
  readonly id: string;
  readonly file: string;
  /** The model it was trained from. */
  readonly from: ModelEntry;
  readonly contract: ModelContract;
  /** What of a face an encoder sees; whole where left out. */
  readonly part?: ModelEntry['part'];
  readonly recipe: string;
  readonly people: TrainedPeople;
}

/**
 * Puts a trained model beside the ones that were pulled, under its id: what is started from now on and names it uses it. Gives its path.
 * Throws OUTPUT_UNWRITABLE.
 */
export async function installModel(modelsDir: string, model: ModelToInstall): Promise<string> {
  const { id, from, contract, part, recipe } = model;
  const { input, outputs, embedding, alignedBy, mirrored, jointWith } = contract;
  const manifest = join(modelsDir, TRAINED_MANIFEST);
  return writable(manifest, async () => {
    const onnx = new Uint8Array(await readFile(model.file));
    const hash = sha256(onnx);
    const name = `${nameOfInstalled(id, hash)}.onnx`;
    // Durable before a manifest names it: after a power cut the daemon would not start with half of it.
    await writeFileAtomic(join(modelsDir, TRAINED_FOLDER, name), onnx);
    // Before it is in use: nobody could be held out from it otherwise.
    await writePeople(modelsDir, { id, sha256: hash }, model.people);
    const entry = {
      id,
      role: from.role,
      description: `trained here from ${from.id} by the recipe ${recipe}`,
      source: `file:${TRAINED_FOLDER}/${name}`,
      sha256: hash,
      licence: from.licence,
      input,
      outputs,
      ...(embedding !== undefined && { embedding }),
      ...(part !== undefined && { part }),
      ...(alignedBy !== undefined && { alignedBy }),
      ...(mirrored && { mirrored }),
      ...(jointWith && { jointWith }),
      // It learned from that one's scores.
      ...(from.minScore !== undefined && { minScore: from.minScore }),
    };
    const others = await entriesOf(manifest);
    const text = `${JSON.stringify({ models: [...others.filter((it) => it.id !== id), entry] }, null, 2)}\n`;
    parseManifest(text, manifest);
    await writeFileAtomic(manifest, text);
    return join(modelsDir, TRAINED_FOLDER, name);
  });
}

/** The id a model is installed under: one of its own where the user's manifest, which goes before what is installed, has that id. */
export function idToInstall(id: string, own: ReadonlySet<string>): string {
  if (!own.has(id)) return id;
  const trained = `${id.replace(/-trained(-\d+)?$/, '')}-trained`;
  for (let number = 2, name = trained; ; name = `${trained}-${number++}`) if (!own.has(name)) return name;
}

/** Where the configuration names a model, and which it names there now. */
export interface ModelSetting {
  readonly key: 'detector' | 'landmarks' | 'maskState' | 'upperEncoder';
  readonly configured: string | null;
}

/** What is left to be done, a line each, before a model that was installed is used. */
export function stepsAfterInstall(id: string, { key, configured }: ModelSetting): string[] {
  const set = configured === id ? [] : [`set models.${key}: ${id}`];
  if (key !== 'upperEncoder') return set;
  return [
    ...set,
    'run `eyeline calibrate` on pictures of some hundred people: until then nobody knows what its scores mean, and the daemon does not start with it',
    'enrol again: templates of two encoders are never compared',
  ];
}

async function entriesOf(manifest: string): Promise<{ id?: unknown }[]> {
  const text = await readFile(manifest, 'utf8').catch(() => '{}');
  const { models } = JSON.parse(text) as { models?: { id?: unknown }[] };
  return models ?? [];
}
