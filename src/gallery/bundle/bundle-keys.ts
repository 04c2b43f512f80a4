import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { EyelineError } from '../../core/errors.ts';

const PUBLIC_PREFIX = 'ed25519:';
/** SubjectPublicKeyInfo of an Ed25519 key (RFC 8410) before its 32 bytes. */
const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex');
const RAW_BYTES = 32;

/** An Ed25519 key pair (RFC 8032) that signs. */
export interface SigningKey {
  /** First 16 hex digits of the SHA-256 of the public key. */
  readonly id: string;
  readonly publicKey: string;
  sign(domain: string, bytes: Uint8Array): Uint8Array;
}

/** Public keys that are trusted, by id. During a rotation it holds the old one and the new one. */
export type TrustedKeys = ReadonlyMap<string, KeyObject>;

/** A new key pair: the private half as PEM (PKCS #8), the public half as `ed25519:` and base64. */
export function generateSigningKey(): { pem: string; publicKey: string; id: string } {
  const { privateKey } = generateKeyPairSync('ed25519');
  const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  const { id, publicKey } = readSigningKey(pem, 'the new key');
  return { pem, publicKey, id };
}

/** @throws EyelineError BUNDLE_KEY_INVALID naming `where` when the text is no Ed25519 private key in PEM */
export function readSigningKey(pem: string, where: string): SigningKey {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (error) {
    throw new EyelineError('BUNDLE_KEY_INVALID', `${where} is no private key in PEM`, { cause: error });
  }
  if (key.asymmetricKeyType !== 'ed25519') {
    throw new EyelineError('BUNDLE_KEY_INVALID', `${where} is no Ed25519 key`);
  }
  const raw = rawOf(createPublicKey(key));
  return {
    id: keyIdOf(raw),
    publicKey: PUBLIC_PREFIX + raw.toString('base64'),
    sign: (domain, bytes) => sign(null, inDomain(domain, bytes), key),
  };
}

/** @throws EyelineError BUNDLE_KEY_INVALID when a text is not `ed25519:` and 32 bytes in base64 */
export function readTrustedKeys(texts: readonly string[]): TrustedKeys {
  return new Map(
    texts.map((text) => {
      const raw = Buffer.from(text.startsWith(PUBLIC_PREFIX) ? text.slice(PUBLIC_PREFIX.length) : '', 'base64');
      if (raw.length !== RAW_BYTES) {
        throw new EyelineError('BUNDLE_KEY_INVALID', 'a trusted key is not "ed25519:" and 32 bytes in base64');
      }
      const key = createPublicKey({ key: Buffer.concat([SPKI_HEAD, raw]), format: 'der', type: 'spki' });
      return [keyIdOf(raw), key];
    }),
  );
}

/** Whether `signature` is that of the trusted key `id` over `bytes` in that domain. */
export function isSignedBy(
  trusted: TrustedKeys,
  id: string,
  domain: string,
  bytes: Uint8Array,
  signature: Uint8Array,
): boolean {
  const key = trusted.get(id);
  return key !== undefined && verify(null, inDomain(domain, bytes), key, signature);
}

/** Name of a symmetric bundle key that tells nothing of it. */
export function bodyKeyId(key: Uint8Array): string {
  return createHash('sha256').update('eyeline bundle key\n').update(key).digest('hex').slice(0, 16);
}

/** A signature for one purpose must not serve for another. */
function inDomain(domain: string, bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${domain}\n`), bytes]);
}

function rawOf(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' }).subarray(SPKI_HEAD.length);
}

function keyIdOf(raw: Uint8Array): string {
  return createHash('sha256').update(raw).digest('hex').slice(0, 16);
}
