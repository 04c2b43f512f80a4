import { createDecipheriv, createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';
import type { z } from 'zod';
import { EyelineError } from '../../core/errors.ts';
import { ALGORITHM, NONCE_BYTES, TAG_BYTES } from '../../core/sealed.ts';
import { fromBytes } from '../embedding-bytes.ts';
import type { Tombstone } from '../gallery-changes.ts';
import { requireUnit } from '../vector.ts';
import {
  type BundleHeader,
  headerSchema,
  LIMITS,
  lineDigest,
  MAGIC,
  type PersonEntry,
  PREAMBLE_BYTES,
  personLine,
  recordSchema,
  SIGNATURE_BYTES,
} from './bundle-format.ts';
import { isSignedBy, type TrustedKeys } from './bundle-keys.ts';
import { HEADER_DOMAIN } from './write-bundle.ts';

export interface BundleTrust {
  readonly signers: TrustedKeys;
  /** Symmetric keys by their id; during a rotation the old one and the new one. */
  readonly bodyKeys: ReadonlyMap<string, Uint8Array>;
}

export interface BundleContent {
  readonly header: BundleHeader;
  readonly people: readonly (PersonEntry & { readonly digest: string })[];
  readonly tombstones: readonly Tombstone[];
}

/**
 * Reads a bundle file. Nothing of it is believed before the signature of the header is checked, nothing of the body before its
 * hash is, and no more is decompressed than the header promised.
 *
 * @throws EyelineError BUNDLE_UNTRUSTED, BUNDLE_CORRUPT, BUNDLE_KEY_INVALID
 */
export async function readBundle(file: string, trust: BundleTrust, signal?: AbortSignal): Promise<BundleContent> {
  const { header, bodyStart } = await readHeader(file, trust.signers);
  const key = trust.bodyKeys.get(header.bodyKey);
  if (!key) {
    throw new EyelineError(
      'BUNDLE_KEY_INVALID',
      `the bundle is encrypted with key ${header.bodyKey}, which is not configured`,
    );
  }
  const nonce = await checkBody(file, header, bodyStart, signal);
  const people: (PersonEntry & { digest: string })[] = [];
  const tombstones: Tombstone[] = [];
  const dimensions = new Map(header.encoders.map((it) => [it.fingerprint, it.dimension]));
  for await (const line of linesOf(file, header, bodyStart, key, nonce, signal)) {
    const record = parseLine(line, dimensions);
    if ('tombstone' in record) tombstones.push(record.tombstone);
    else people.push({ ...record, digest: lineDigest(line) });
  }
  const ids = new Set([...people.map(({ person }) => person.id), ...tombstones.map(({ id }) => id)]);
  if (
    people.length !== header.people ||
    tombstones.length !== header.tombstones ||
    ids.size !== people.length + tombstones.length
  ) {
    throw corrupt('holds other people than its header says');
  }
  return { header, people, tombstones };
}

/** Header of a bundle file, its signature checked. Throws BUNDLE_UNTRUSTED, BUNDLE_CORRUPT. */
async function readHeader(file: string, signers: TrustedKeys): Promise<{ header: BundleHeader; bodyStart: number }> {
  const handle = await open(file, 'r');
  try {
    const preamble = await readExactly(handle, 0, PREAMBLE_BYTES);
    if (!preamble.subarray(0, MAGIC.length).equals(MAGIC)) throw corrupt('is no bundle of a version that is known');
    const length = preamble.readUInt32LE(MAGIC.length);
    if (length > LIMITS.headerBytes) throw corrupt('has a header that is too long');
    const text = await readExactly(handle, PREAMBLE_BYTES, length);
    const signature = await readExactly(handle, PREAMBLE_BYTES + length, SIGNATURE_BYTES);
    const header = parsed(headerSchema, text, 'header');
    if (!isSignedBy(signers, header.signedBy, HEADER_DOMAIN, text, signature)) {
      throw new EyelineError('BUNDLE_UNTRUSTED', 'the bundle is not signed with a trusted key, or was changed');
    }
    const bodyStart = PREAMBLE_BYTES + length + SIGNATURE_BYTES;
    if ((await handle.stat()).size !== bodyStart + header.bodyBytes)
      throw corrupt('is shorter or longer than it should be');
    return { header, bodyStart };
  } finally {
    await handle.close();
  }
}

/** Checks the hash of the body; gives its nonce. */
async function checkBody(file: string, header: BundleHeader, start: number, signal?: AbortSignal): Promise<Buffer> {
  if (header.bodyBytes < NONCE_BYTES + TAG_BYTES) throw corrupt('has no body');
  const hash = createHash('sha256');
  let nonce: Buffer | null = null;
  for await (const chunk of createReadStream(file, { start, ...(signal && { signal }) })) {
    nonce ??= (chunk as Buffer).subarray(0, NONCE_BYTES);
    hash.update(chunk as Buffer);
  }
  if (hash.digest('hex') !== header.bodySha256 || nonce?.length !== NONCE_BYTES)
    throw corrupt('has another body than was signed');
  return nonce;
}

async function* linesOf(
  file: string,
  header: BundleHeader,
  bodyStart: number,
  key: Uint8Array,
  nonce: Buffer,
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  const first = bodyStart + NONCE_BYTES;
  const end = bodyStart + header.bodyBytes - TAG_BYTES;
  const handle = await open(file, 'r');
  let tag: Buffer;
  try {
    tag = await readExactly(handle, end, TAG_BYTES);
  } finally {
    await handle.close();
  }
  const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES }).setAuthTag(tag);
  // An empty range cannot be asked of a stream: an empty body still holds a byte of Brotli.
  const sealed = createReadStream(file, { start: first, end: end - 1, ...(signal && { signal }) });
  const brotli = createBrotliDecompress();
  const done = pipeline(sealed, decipher, brotli).catch((error: unknown) => {
    brotli.destroy(error instanceof Error ? error : new Error(String(error)));
  });
  let rest: Buffer = Buffer.alloc(0);
  let rawBytes = 0;
  try {
    for await (const chunk of brotli) {
      const bytes = chunk as Buffer;
      rawBytes += bytes.length;
      if (rawBytes > header.rawBytes) throw corrupt('unpacks to more than was signed');
      rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
      let at = 0;
      for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10, at)) {
        yield rest.subarray(at, end);
        at = end + 1;
      }
      rest = rest.subarray(at);
      if (rest.length > LIMITS.lineBytes) throw corrupt('has a line that is too long');
    }
  } catch (error) {
    if (error instanceof EyelineError) throw error;
    signal?.throwIfAborted();
    throw corrupt('cannot be decrypted and unpacked', error);
  } finally {
    brotli.destroy();
    await done;
  }
  if (rest.length > 0 || rawBytes !== header.rawBytes) throw corrupt('ends in the middle');
}

function parseLine(line: Buffer, dimensions: ReadonlyMap<string, number>) {
  const record = parsed(recordSchema, line, 'record');
  if ('tombstone' in record) return record;
  for (const { encoder, embedding } of record.templates) {
    const dimension = dimensions.get(encoder);
    const bytes = Buffer.from(embedding, 'base64');
    if (dimension === undefined || bytes.length !== dimension * 4) {
      throw corrupt(`holds a template of ${record.person.id} of an encoder its header does not name`);
    }
    try {
      requireUnit(fromBytes(bytes), dimension, 'embedding');
    } catch (error) {
      throw corrupt(`holds a template of ${record.person.id} that has no unit norm`, error);
    }
  }
  if (personLine(record) !== line.toString('utf8')) throw corrupt('holds a record that is not in its one form');
  return record;
}

function parsed<T>(schema: z.ZodType<T>, text: Buffer, what: string): T {
  let value: unknown = null;
  try {
    value = JSON.parse(text.toString('utf8'));
  } catch {
    throw corrupt(`has a ${what} that is no JSON`);
  }
  const result = schema.safeParse(value);
  if (!result.success) throw corrupt(`has a ${what} that does not follow its schema`);
  return result.data;
}

async function readExactly(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(length), 0, length, position);
  if (bytesRead !== length) throw corrupt('is cut short');
  return buffer;
}

function corrupt(what: string, cause?: unknown): EyelineError {
  return new EyelineError('BUNDLE_CORRUPT', `the bundle ${what}`, { cause });
}
