import { randomBytes, scryptSync } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { z } from 'zod';
import { EyelineError, messageOf } from '../core/errors.ts';
import { KEY_BYTES, SEAL_BYTES, seal, unseal } from '../core/sealed.ts';
import { fromBytes, toBytes } from './embedding-bytes.ts';
import type { PersonState } from './gallery-changes.ts';
import { requireUnit } from './vector.ts';

/** First line of a file: says what it is to whoever opens it in an editor. Two kinds, told apart by it. */
const MAGIC = {
  sealed: 'EYELINE-GALLERY 1 ENCRYPTED\n',
  plain: 'EYELINE-GALLERY 1 UNENCRYPTED BIOMETRIC DATA\n',
} as const;
/** scrypt (RFC 7914), as OWASP recommends for passphrases: 128 MB and about half a second. */
const SCRYPT = { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 2 ** 20 };
const SALT_BYTES = 16;
/** More than this is no gallery of a device, or one made to fill its memory: 100,000 people with five pictures. */
const MAX_CONTENT_BYTES = 2 ** 31 - 1;

const time = z.number().int().nullable();
const templateSchema = z.strictObject({
  encoder: z.string().min(1).max(200),
  part: z.enum(['full', 'upper']),
  embedding: z.base64(),
  quality: z.number().min(0).max(1),
  mask: z.enum(['none', 'worn', 'incorrect']).nullable(),
  sourceFile: z.string().max(1000),
  pictureSha256: z.string().regex(/^[0-9a-f]{64}$/),
});
const personSchema = z.strictObject({
  id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,199}$/),
  name: z.string().min(1).max(200),
  createdAtMs: z.number().int(),
  consentAtMs: time,
  consentNote: z.string().nullable(),
  retainUntilMs: time,
  templates: z.array(templateSchema),
});
const headSchema = z.strictObject({
  format: z.literal('eyeline-gallery'),
  version: z.literal(1),
  exportedAtMs: z.number(),
});

/** People with their templates as one file, docs/gallery.md has its format: encrypted, or marked plainly when there is no passphrase. */
export function writePortable(
  people: readonly PersonState[],
  exportedAtMs: number,
  passphrase: string | null,
): Uint8Array {
  const head = { format: 'eyeline-gallery', version: 1, exportedAtMs };
  const lines = [head, ...people.map(toLine)].map((line) => `${JSON.stringify(line)}\n`);
  const content = gzipSync(lines.join(''));
  if (passphrase === null) return Buffer.concat([Buffer.from(MAGIC.plain), content]);
  const salt = randomBytes(SALT_BYTES);
  const key = scryptSync(passphrase, salt, KEY_BYTES, SCRYPT);
  return Buffer.concat([Buffer.from(MAGIC.sealed), salt, seal(content, key, MAGIC.sealed)]);
}

/**
 * The people of a file that {@link writePortable} made.
 *
 * @param passphrase asked for only when the file is encrypted
 * @throws EyelineError GALLERY_FILE_INVALID naming the file and what is wrong with it, the passphrase for instance.
 */
export async function readPortable(
  file: Uint8Array,
  name: string,
  passphrase: () => Promise<string>,
): Promise<PersonState[]> {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const starts = (magic: string) => bytes.subarray(0, magic.length).equals(Buffer.from(magic));
  if (starts(MAGIC.plain)) return parse(bytes.subarray(MAGIC.plain.length), name);
  if (!starts(MAGIC.sealed)) throw invalid(name, 'is no gallery that Eyeline exported');
  return parse(decrypt(bytes.subarray(MAGIC.sealed.length), name, await passphrase()), name);
}

function decrypt(salted: Buffer, name: string, passphrase: string): Uint8Array {
  if (salted.length < SALT_BYTES + SEAL_BYTES) throw invalid(name, 'is cut off');
  const key = scryptSync(passphrase, salted.subarray(0, SALT_BYTES), KEY_BYTES, SCRYPT);
  const content = unseal(salted.subarray(SALT_BYTES), key, MAGIC.sealed);
  if (content) return content;
  throw invalid(name, 'does not open: the passphrase is another one, or the file was changed');
}

function parse(content: Uint8Array, name: string): PersonState[] {
  try {
    const text = gunzipSync(content, { maxOutputLength: MAX_CONTENT_BYTES }).toString('utf8');
    const [head = '', ...lines] = text.trimEnd().split('\n');
    headSchema.parse(JSON.parse(head));
    return lines.map((line) => toPerson(personSchema.parse(JSON.parse(line))));
  } catch (error) {
    const [issue] = error instanceof z.ZodError ? error.issues : [];
    throw invalid(
      name,
      `cannot be read: ${issue ? `${issue.path.join('.')}: ${issue.message}` : messageOf(error)}`,
      error,
    );
  }
}

function toLine({ templates, ...person }: PersonState) {
  return {
    ...person,
    templates: templates.map((it) => ({ ...it, embedding: Buffer.from(toBytes(it.embedding)).toString('base64') })),
  };
}

function toPerson({ templates, ...person }: z.output<typeof personSchema>): PersonState {
  return {
    ...person,
    templates: templates.map((it) => {
      const embedding = fromBytes(Buffer.from(it.embedding, 'base64'));
      requireUnit(embedding, embedding.length, `a template of ${person.id}`);
      return { ...it, embedding };
    }),
  };
}

function invalid(name: string, reason: string, cause?: unknown): EyelineError {
  return new EyelineError('GALLERY_FILE_INVALID', `${name} ${reason}`, { cause });
}
