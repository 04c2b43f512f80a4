import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { EyelineError, messageOf, systemCodeOf } from '../core/errors.ts';
import { KEY_BYTES } from '../core/sealed.ts';
import { syncFolderOf } from './gallery-file.ts';

const OWNER_ONLY = 0o600;
const OTHERS = 0o077;

/** The key of the text of a secret: 64 hex digits, or 32 bytes in base64. Throws GALLERY_KEY_INVALID, which names `where`. */
export function parseGalleryKey(text: string, where: string): Uint8Array {
  const trimmed = text.trim();
  const bytes = /^[0-9a-f]{64}$/i.test(trimmed) ? Buffer.from(trimmed, 'hex') : Buffer.from(trimmed, 'base64');
  if (bytes.length === KEY_BYTES) return bytes;
  throw new EyelineError(
    'GALLERY_KEY_INVALID',
    `${where} is no key: 64 hex digits are expected (openssl rand -hex 32)`,
  );
}

/** Where a gallery's key lies when none is configured: beside it, whatever a copy of the gallery is called. */
export function defaultKeyFile(galleryFile: string): string {
  return join(dirname(galleryFile), 'gallery.key');
}

/**
 * The key in a file that Eyeline keeps itself; made, readable by its owner alone, when there is none and `create` says that
 * nothing was encrypted with one yet.
 *
 * Throws GALLERY_KEY_INVALID when the file is no key, cannot be used, or is missing.
 */
export function keyOfFile(file: string, create: boolean, warn: (message: string) => void): Uint8Array {
  try {
    if (create && !existsSync(file)) createKeyFile(file);
    if (statSync(file).mode & OTHERS) warn(`key file ${file} can be read by other users: chmod 600 it`);
    return parseGalleryKey(readFileSync(file, 'utf8'), `key file ${file}`);
  } catch (error) {
    if (error instanceof EyelineError) throw error;
    const missing = systemCodeOf(error) === 'ENOENT';
    const reason = missing
      ? 'is missing: without it the gallery cannot be read'
      : `cannot be used: ${messageOf(error)}`;
    throw new EyelineError('GALLERY_KEY_INVALID', `key file ${file} ${reason}`, { cause: error });
  }
}

/** Makes a new key in a file, unless another process was first. Throws what writing throws. */
export function createKeyFile(file: string): void {
  createSecretFile(file, `${randomBytes(KEY_BYTES).toString('hex')}\n`);
}

/** Writes a file for its owner alone, unless another process was first. Throws what writing throws. */
export function createSecretFile(file: string, text: string): void {
  const unfinished = `${file}.${process.pid}`;
  writeFileSync(unfinished, text, { mode: OWNER_ONLY, flush: true });
  try {
    // Under its name it is whole or not there, whoever looks.
    linkSync(unfinished, file);
    syncFolderOf(file);
  } catch (error) {
    if (systemCodeOf(error) !== 'EEXIST') throw error;
  } finally {
    unlinkSync(unfinished);
  }
}
