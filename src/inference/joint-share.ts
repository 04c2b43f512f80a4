import { EyelineError } from '../core/errors.ts';
import type { ModelEntry } from './manifest.ts';

/**
 * Of the full-face encoder's embedding in templates of an upper-part encoder, 0..1. Throws MODEL_UNSUPPORTED when the manifest says they are
 * made together with another full-face encoder than the one in use: embeddings of two spaces do not add up.
 */
export function jointShareOf(
  { id, jointWith }: Pick<ModelEntry, 'id' | 'jointWith'>,
  full: { readonly id: string; readonly fingerprint: string },
): number {
  if (!jointWith) return 0;
  if (jointWith.encoder === full.fingerprint) return jointWith.share;
  throw new EyelineError(
    'MODEL_UNSUPPORTED',
    `models.upperEncoder: templates of ${id} are made together with another encoder than models.encoder: ${full.id}, whose fingerprint ` +
      `is ${full.fingerprint}: train one from ${full.id} (eyeline train masked-encoder), or set models.upperEncoder to null`,
  );
}
