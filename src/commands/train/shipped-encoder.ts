import { readFile } from 'node:fs/promises';
import type { RecipeOf } from '../../config/training-recipe.ts';
import { EyelineError, messageOf } from '../../core/errors.ts';
import { loadManifest, type ModelEntry } from '../../inference/manifest.ts';
import { canBeginAs } from '../../training/recipes/encoder-lesson.ts';

/**
 * The upper-part encoder of the product that a student can begin as; null without one, or where the recipe asks for the teacher. Not the one in
 * use: a build before may have installed it, and nobody knows then whether it was trained on people who are held out now.
 */
export async function shippedEntry(recipe: RecipeOf<'encoder'>, teacher: ModelEntry): Promise<ModelEntry | null> {
  if (recipe.beginsWith !== 'shipped') return null;
  const { models } = await loadManifest(null);
  return [...models.values()].find((it) => it.source.kind === 'file' && canBeginAs(it, recipe, teacher)) ?? null;
}

/** The same with its file. Throws MODEL_MISSING. */
export async function shippedEncoder(
  recipe: RecipeOf<'encoder'>,
  teacher: ModelEntry,
): Promise<{ readonly entry: ModelEntry; readonly onnx: Uint8Array } | null> {
  const entry = await shippedEntry(recipe, teacher);
  if (entry?.source.kind !== 'file') return null;
  const { path } = entry.source;
  const onnx = await readFile(path).catch((error: unknown) => {
    throw new EyelineError('MODEL_MISSING', `${path} cannot be read: ${messageOf(error)}`, { cause: error });
  });
  return { entry, onnx: new Uint8Array(onnx) };
}
