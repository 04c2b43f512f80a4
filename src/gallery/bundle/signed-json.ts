import { z } from 'zod';
import { EyelineError } from '../../core/errors.ts';
import { type Announcement, announcementSchema, LIMITS } from './bundle-format.ts';
import { isSignedBy, type SigningKey, type TrustedKeys } from './bundle-keys.ts';

const ANNOUNCEMENT = 'eyeline announcement 1';

const envelopeSchema = z.strictObject({ payload: z.base64(), signature: z.base64().length(88) });

/** JSON with a signature over its very bytes: `{"payload": base64, "signature": base64}`. */
export function signJson(domain: string, value: unknown, key: SigningKey): string {
  const payload = Buffer.from(JSON.stringify(value));
  const signature = Buffer.from(key.sign(domain, payload));
  return JSON.stringify({ payload: payload.toString('base64'), signature: signature.toString('base64') });
}

/** Signs an announcement; `signedBy` is filled in. */
export function signAnnouncement(announcement: Omit<Announcement, 'signedBy'>, key: SigningKey): string {
  return signJson(ANNOUNCEMENT, { ...announcement, signedBy: key.id }, key);
}

/**
 * What a signed announcement says.
 *
 * @throws EyelineError BUNDLE_CORRUPT when it is none, BUNDLE_UNTRUSTED when no trusted key signed it
 */
export function readAnnouncement(text: string | Uint8Array, trusted: TrustedKeys): Announcement {
  const { payload, value } = openSigned(text, trusted, {
    domain: ANNOUNCEMENT,
    what: 'the announcement',
    mostBytes: LIMITS.announcementBytes * 2,
  });
  const parsed = announcementSchema.safeParse(value);
  if (!parsed.success) throw new EyelineError('BUNDLE_CORRUPT', 'the announcement does not follow its schema');
  if (payload.length > LIMITS.announcementBytes)
    throw new EyelineError('BUNDLE_CORRUPT', 'the announcement is too long');
  return parsed.data;
}

/** What a signed JSON should be. */
export interface SignedKind {
  /** Told apart from what else the key signs. */
  readonly domain: string;
  /** For messages. */
  readonly what: string;
  /** It is not longer than this. */
  readonly mostBytes: number;
}

/** Checks the signature before anything of the payload is believed. */
export function openSigned(text: string | Uint8Array, trusted: TrustedKeys, { domain, what, mostBytes }: SignedKind) {
  if (text.length > mostBytes) throw new EyelineError('BUNDLE_CORRUPT', `${what} is too long`);
  const envelope = envelopeSchema.safeParse(jsonOf(text));
  if (!envelope.success) throw new EyelineError('BUNDLE_CORRUPT', `${what} is no signed JSON`);
  const payload = Buffer.from(envelope.data.payload, 'base64');
  const value = jsonOf(payload);
  const signer = z.looseObject({ signedBy: z.string() }).safeParse(value);
  const id = signer.success ? signer.data.signedBy : '';
  if (!isSignedBy(trusted, id, domain, payload, Buffer.from(envelope.data.signature, 'base64'))) {
    throw new EyelineError('BUNDLE_UNTRUSTED', `${what} is not signed with a trusted key, or was changed`);
  }
  return { payload, value };
}

function jsonOf(text: string | Uint8Array): unknown {
  try {
    return JSON.parse(typeof text === 'string' ? text : Buffer.from(text).toString('utf8'));
  } catch {
    return null;
  }
}
