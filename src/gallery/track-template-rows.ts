import type { FacePart, MaskState } from '../core/person.ts';
import { seal, unseal } from '../core/sealed.ts';
import { cosine } from '../faces/embedding.ts';
import { fromBytes, toBytes } from './embedding-bytes.ts';
import type { SqlRow, SqlValue } from './sqlite-store-connection.ts';
import type { TrackTemplate } from './visitor.ts';

/** What is further from unit length is no embedding. */
const UNIT_TOLERANCE = 1e-3;

/** The columns that a track's template has in each table that keeps some. */
export const TEMPLATE_COLUMNS = 'encoder, part, mask, embedding, quality';

/** Values of {@link TEMPLATE_COLUMNS}; the embedding encrypted where there is a key. */
export function valuesOf(
  { encoder, part, mask, embedding, quality }: TrackTemplate,
  key: Uint8Array | null,
): SqlValue[] {
  const bytes = toBytes(embedding);
  return [encoder, part, mask, key ? seal(bytes, key, placeOf(encoder)) : bytes, quality];
}

/** Null for what was encrypted with another key, or is damaged: visitors are not worth refusing to start. */
export function templateOfRow(row: SqlRow, key: Uint8Array | null): TrackTemplate | null {
  const encoder = String(row.encoder);
  const stored = new Uint8Array(row.embedding as ArrayBuffer);
  const bytes = key ? unseal(stored, key, placeOf(encoder)) : stored;
  if (!bytes || bytes.length % 4 !== 0) return null;
  const embedding = fromBytes(bytes);
  if (!(Math.abs(cosine(embedding, embedding) - 1) < UNIT_TOLERANCE)) return null;
  return {
    encoder,
    part: String(row.part) as FacePart,
    mask: row.mask === null ? null : (String(row.mask) as MaskState),
    embedding,
    quality: Number(row.quality),
  };
}

/** What a sealed embedding is bound to. */
export function placeOf(encoder: string): string {
  return `visitor ${encoder}`;
}
