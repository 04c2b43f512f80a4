import { createHash } from 'node:crypto';
import { z } from 'zod';
import { fromBytes, toBytes } from '../embedding-bytes.ts';
import type { PersonState, Tombstone } from '../gallery-changes.ts';

/** First bytes of a bundle file, and of what is signed of its header (docs/fleet.md). */
export const MAGIC = Buffer.from('EYLB\x01');
export const SIGNATURE_BYTES = 64;
/** Bytes before the header: the magic and the header's length, 32 bit little endian. */
export const PREAMBLE_BYTES = MAGIC.length + 4;

/** What no bundle may exceed, whoever signed it. */
export const LIMITS = {
  headerBytes: 64 * 1024,
  bodyBytes: 4 * 1024 ** 3,
  rawBytes: 4 * 1024 ** 3,
  lineBytes: 8 * 1024 ** 2,
  templatesOfPerson: 512,
  dimension: 4096,
  announcementBytes: 64 * 1024,
  deltas: 32,
} as const;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const keyId = z.string().regex(/^[0-9a-f]{16}$/);
const slug = z
  .string()
  .max(64)
  .regex(/^[a-z0-9]+(?:[-_][a-z0-9]+)*$/);
const fingerprint = z.string().regex(/^[\w.:+-]{1,128}$/);
const count = z.int().min(0);
const version = z.int().min(1);
const timeMs = z.int().min(0);

const encoder = z.strictObject({ fingerprint, dimension: z.int().min(1).max(LIMITS.dimension) });
const kind = z.enum(['full', 'delta']);

/** The state a gallery is in: its version, and the digest of everybody in it ({@link stateDigest}). */
const state = z.strictObject({ version: z.int().min(0), digest: sha256 });

export const headerSchema = z
  .strictObject({
    schema: z.literal('eyeline.bundle/1'),
    /** Random id of the master gallery: versions of another one mean nothing here. */
    stream: z.uuid(),
    site: slug,
    kind,
    /** What a delta applies to; null for a full bundle. */
    from: state.nullable(),
    to: state.extend({ version }),
    createdAtMs: timeMs,
    expiresAtMs: timeMs,
    encoders: z.array(encoder).max(16),
    people: count,
    tombstones: count,
    compression: z.literal('brotli'),
    /** Id of the key the body is encrypted with. */
    bodyKey: keyId,
    bodyBytes: count.max(LIMITS.bodyBytes),
    bodySha256: sha256,
    /** Length once decrypted and decompressed. */
    rawBytes: count.max(LIMITS.rawBytes),
    /** Id of the key the header is signed with. */
    signedBy: keyId,
  })
  .refine((it) => (it.kind === 'delta') === (it.from !== null), 'a delta, and only a delta, has a base');

/** What is known of a bundle before its body is opened. */
export type BundleHeader = z.output<typeof headerSchema>;
export type GalleryState = z.output<typeof state>;
export type BundleEncoder = z.output<typeof encoder>;

const name = z
  .string()
  .min(1)
  .max(200)
  .regex(/^\P{Cc}+$/u);

const templateSchema = z.strictObject({
  encoder: fingerprint,
  part: z.enum(['full', 'upper']),
  quality: z.number().min(0).max(1),
  mask: z.enum(['none', 'worn', 'incorrect']).nullable(),
  pictureSha256: sha256,
  /** Float32 little endian, base64. */
  embedding: z.base64().max(Math.ceil((LIMITS.dimension * 4) / 3) * 4 + 4),
});

const personId = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,127}$/);

export const recordSchema = z.union([
  z.strictObject({
    person: z.strictObject({
      id: personId,
      name,
      createdAtMs: timeMs,
      consentAtMs: timeMs.nullable(),
      consentNote: z.string().max(2000).nullable(),
      retainUntilMs: timeMs.nullable(),
    }),
    templates: z.array(templateSchema).max(LIMITS.templatesOfPerson),
  }),
  z.strictObject({ tombstone: z.strictObject({ id: personId, deletedAtMs: timeMs }) }),
]);

export type BundleTemplate = z.output<typeof templateSchema>;
export type PersonEntry = Extract<z.output<typeof recordSchema>, { person: unknown }>;

const offeredSchema = z.strictObject({
  kind,
  from: state.nullable(),
  sha256,
  bytes: z
    .int()
    .min(1)
    .max(LIMITS.bodyBytes + LIMITS.headerBytes + 128),
  rawBytes: count.max(LIMITS.rawBytes),
});

export const announcementSchema = z.strictObject({
  schema: z.literal('eyeline.announcement/1'),
  stream: z.uuid(),
  site: slug,
  to: state.extend({ version }),
  createdAtMs: timeMs,
  expiresAtMs: timeMs,
  /** The full bundle first, then the deltas. */
  bundles: z
    .array(offeredSchema)
    .min(1)
    .max(LIMITS.deltas + 1)
    .refine((all) => all[0]?.kind === 'full' && all.slice(1).every((it) => it.kind === 'delta' && it.from !== null)),
  signedBy: keyId,
});

/** The newest version of a site's gallery and the bundles that lead to it. */
export type Announcement = z.output<typeof announcementSchema>;
export type OfferedBundle = z.output<typeof offeredSchema>;

/** One line of a body. Two equal entries give equal lines: the digest of a person is that of the line. */
export function personLine({ person, templates }: PersonEntry): string {
  const { id, name, createdAtMs, consentAtMs, consentNote, retainUntilMs } = person;
  const sorted = templates
    .map(({ encoder, part, quality, mask, pictureSha256, embedding }) => ({
      encoder,
      part,
      quality,
      mask,
      pictureSha256,
      embedding,
    }))
    .sort((a, b) => compare(placeOf(a), placeOf(b)));
  return JSON.stringify({
    person: { id, name, createdAtMs, consentAtMs, consentNote, retainUntilMs },
    templates: sorted,
  });
}

export function tombstoneLine({ id, deletedAtMs }: Tombstone): string {
  return JSON.stringify({ tombstone: { id, deletedAtMs } });
}

/** A person as a bundle tells of them: with the templates of these encoders, without the names of pictures' files. */
export function entryOf({ templates, ...person }: PersonState, encoders: ReadonlySet<string>): PersonEntry {
  return {
    person,
    templates: templates
      .filter(({ encoder }) => encoders.has(encoder))
      .map(({ encoder, part, quality, mask, pictureSha256, embedding }) => {
        const text = Buffer.from(toBytes(embedding)).toString('base64');
        return { encoder, part, quality, mask, pictureSha256, embedding: text };
      }),
  };
}

/** What {@link entryOf} was given. */
export function personOf({ person, templates }: PersonEntry): PersonState {
  return {
    ...person,
    templates: templates.map(({ embedding, ...it }) => ({
      ...it,
      embedding: fromBytes(Buffer.from(embedding, 'base64')),
      sourceFile: '',
    })),
  };
}

/** SHA-256 of a line, hex. */
export function lineDigest(line: string | Uint8Array): string {
  return createHash('sha256').update(line).digest('hex');
}

/** SHA-256 over everybody's id and digest, by id: what two galleries have in common when they are the same. */
export function stateDigest(people: ReadonlyMap<string, string>): string {
  const hash = createHash('sha256');
  for (const [id, digest] of [...people].sort(([a], [b]) => compare(a, b))) hash.update(`${id} ${digest}\n`);
  return hash.digest('hex');
}

/** Where a bundle lies below the store's root. The name is made of checked hex digits only. */
export function bundlePath(sha: string): string {
  return `bundles/${sha256.parse(sha)}.eyb`;
}

/** Where a site's announcement lies below the store's root. Throws ZodError when the site is not a slug. */
export function announcementPath(site: string): string {
  return `sites/${slug.parse(site)}/latest.json`;
}

export const isSite = (text: string): boolean => slug.safeParse(text).success;

function placeOf({ encoder, part, pictureSha256 }: BundleTemplate): string {
  return `${encoder} ${part} ${pictureSha256}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
