import { seal, unseal } from '../core/sealed.ts';

const MAGIC = Buffer.from('EYEC\x01', 'latin1');

/**
 * Encrypts a picture. It opens under its name only: a picture that was put in the place of another is noticed.
 *
 * @param key 32 bytes
 */
export function sealCrop(jpeg: Uint8Array, name: string, key: Uint8Array): Buffer {
  return Buffer.concat([MAGIC, seal(jpeg, key, name)]);
}

/** The picture; null when it is none of ours, was changed, has another name or another key. */
export function openCrop(bytes: Uint8Array, name: string, key: Uint8Array): Uint8Array | null {
  const file = Buffer.from(bytes);
  if (!file.subarray(0, MAGIC.length).equals(MAGIC)) return null;
  return unseal(file.subarray(MAGIC.length), key, name);
}
