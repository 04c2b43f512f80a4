import { createHash } from 'node:crypto';
import { z } from 'zod';
import { EyelineError } from '../../core/errors.ts';
import type { SigningKey, TrustedKeys } from '../bundle/bundle-keys.ts';
import { openSigned, signJson } from '../bundle/signed-json.ts';

const RECEIPT = 'eyeline receipt 1';
/** Of a million people deleted with one version; it is signed JSON, 90 bytes for each. */
const MOST_BYTES = 2 ** 27;
/** Receipts that are kept on the device. */
const KEPT = 100;

const receiptSchema = z.strictObject({
  schema: z.literal('eyeline.receipt/1'),
  device: z.string(),
  stream: z.string(),
  site: z.string(),
  version: z.int(),
  deletedAtMs: z.number(),
  people: z.array(z.string()),
  signedBy: z.string(),
});

/** That a device has deleted people. Who they were is told to those alone who know the ids. */
export type Receipt = z.output<typeof receiptSchema>;

/** How a receipt names a person: SHA-256 of the stream and the id. */
export function receiptName(stream: string, person: string): string {
  return createHash('sha256').update(`${stream}\n${person}`).digest('hex');
}

export function signReceipt(
  receipt: Omit<Receipt, 'schema' | 'people' | 'signedBy'>,
  people: readonly string[],
  key: SigningKey,
): string {
  const named = people.map((id) => receiptName(receipt.stream, id));
  return signJson(RECEIPT, { ...receipt, schema: 'eyeline.receipt/1', people: named, signedBy: key.id }, key);
}

/** What a receipt says. Throws BUNDLE_UNTRUSTED when no key of `devices` signed it, BUNDLE_CORRUPT when it is none. */
export function readReceipt(text: string, devices: TrustedKeys): Receipt {
  const { value } = openSigned(text, devices, { domain: RECEIPT, what: 'the receipt', mostBytes: MOST_BYTES });
  const parsed = receiptSchema.safeParse(value);
  if (!parsed.success) throw new EyelineError('BUNDLE_CORRUPT', 'the receipt does not follow its schema');
  return parsed.data;
}

/** Signed receipts, oldest first, from the fact that keeps them. */
export function readReceipts(fact: string | null): string[] {
  return fact === null ? [] : z.array(z.string()).parse(JSON.parse(fact));
}

/** The fact with one receipt more; the oldest go. */
export function withReceipt(fact: string | null, receipt: string): string {
  return JSON.stringify([...readReceipts(fact), receipt].slice(-KEPT));
}
