import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm, stat, writeFile } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createBrotliCompress } from 'node:zlib';
import { ALGORITHM, NONCE_BYTES } from '../../core/sealed.ts';
import { type BundleHeader, headerSchema, MAGIC } from './bundle-format.ts';
import { bodyKeyId, type SigningKey } from './bundle-keys.ts';

export const HEADER_DOMAIN = 'eyeline bundle 1';
/** Embeddings look random: a higher quality takes longer and gains nothing. */
const BROTLI_QUALITY = 4;

export type NewBundle = Omit<
  BundleHeader,
  'schema' | 'compression' | 'bodyKey' | 'bodyBytes' | 'bodySha256' | 'rawBytes' | 'signedBy'
>;

export interface BundleKeys {
  readonly signing: SigningKey;
  /** 32 bytes, shared by the fleet. */
  readonly body: Uint8Array;
}

export interface WrittenBundle {
  readonly sha256: string;
  readonly bytes: number;
  readonly rawBytes: number;
}

/**
 * Writes a bundle: header, signature, and the lines compressed and then encrypted. Rejects with ZodError when the header does
 * not follow its schema, and with what writing rejects with; no file is left then.
 */
export async function writeBundle(
  file: string,
  bundle: NewBundle,
  lines: Iterable<string> | AsyncIterable<string>,
  keys: BundleKeys,
): Promise<WrittenBundle> {
  const bodyFile = `${file}.body`;
  try {
    const body = await writeBody(bodyFile, lines, keys.body);
    const header = headerSchema.parse({
      ...bundle,
      ...body,
      schema: 'eyeline.bundle/1',
      compression: 'brotli',
      bodyKey: bodyKeyId(keys.body),
      signedBy: keys.signing.id,
    });
    const text = Buffer.from(JSON.stringify(header));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(text.length);
    const head = Buffer.concat([MAGIC, length, text, keys.signing.sign(HEADER_DOMAIN, text)]);
    await writeFile(`${file}.part`, head, { mode: 0o600 });
    const whole = createHash('sha256').update(head);
    const hashed = new Transform({
      transform(chunk: Buffer, _, done) {
        whole.update(chunk);
        done(null, chunk);
      },
    });
    await pipeline(createReadStream(bodyFile), hashed, createWriteStream(`${file}.part`, { flags: 'a', flush: true }));
    const { size } = await stat(`${file}.part`);
    await rename(`${file}.part`, file);
    return { sha256: whole.digest('hex'), bytes: size, rawBytes: body.rawBytes };
  } finally {
    await rm(bodyFile, { force: true });
    await rm(`${file}.part`, { force: true });
  }
}

async function writeBody(file: string, lines: Iterable<string> | AsyncIterable<string>, key: Uint8Array) {
  let rawBytes = 0;
  let bodyBytes = 0;
  const counted = async function* () {
    for await (const line of lines) {
      const bytes = Buffer.from(`${line}\n`);
      rawBytes += bytes.length;
      yield bytes;
    }
  };
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce);
  const hash = createHash('sha256');
  const sealed = async function* (source: AsyncIterable<Buffer>) {
    const parts = async function* () {
      yield nonce;
      for await (const chunk of source) yield cipher.update(chunk);
      yield cipher.final();
      yield cipher.getAuthTag();
    };
    for await (const part of parts()) {
      bodyBytes += part.length;
      hash.update(part);
      yield part;
    }
  };
  const brotli = createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } });
  await pipeline(Readable.from(counted()), brotli, sealed, createWriteStream(file, { mode: 0o600 }));
  return { rawBytes, bodyBytes, bodySha256: hash.digest('hex') };
}
