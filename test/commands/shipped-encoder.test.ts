import { describe, expect, it } from 'vitest';
import { shippedEncoder, shippedEntry } from '../../src/commands/train/shipped-encoder.ts';
import { loadRecipe } from '../../src/config/training-recipe.ts';
import { loadManifest } from '../../src/inference/manifest.ts';

const { recipe } = await loadRecipe('masked-encoder');
if (recipe.kind !== 'encoder') throw new Error('masked-encoder trains no encoder');
const teacher = (await loadManifest(null)).models.get('mobilefacenet-512');
if (!teacher) throw new Error('the teacher is missing');

describe('what a training of the upper-part encoder begins with', () => {
  it('is the one that is shipped, for the recipe that is shipped', async () => {
    expect((await shippedEntry(recipe, teacher))?.id).toBe('mobilefacenet-512-upper');
    const shipped = await shippedEncoder(recipe, teacher);
    expect(shipped?.onnx.length).toBeGreaterThan(1e6);
  });

  it.each([
    ['the recipe asks for the teacher', { beginsWith: 'teacher' }, {}],
    ['other rows are seen', { rows: 56 }, {}],
    ['faces are aligned otherwise', { alignedBy: 'five' }, {}],
    ['the teacher is another model', {}, { sha256: 'f'.repeat(64) }],
    ['the teacher takes other pixels', {}, { input: { ...teacher.input, scale: [1, 1, 1] } }],
  ] as const)('is the teacher where %s', async (_, changes, others) => {
    expect(await shippedEntry({ ...recipe, ...changes }, { ...teacher, ...others })).toBeNull();
    expect(await shippedEncoder({ ...recipe, ...changes }, { ...teacher, ...others })).toBeNull();
  });
});
