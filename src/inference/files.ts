import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { EyelineError, isDiskFull, messageOf, systemCodeOf } from '../core/errors.ts';

/** Hex SHA-256 of a file, or null when there is none. */
export async function sha256OfFile(path: string): Promise<string | null> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path), hash);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
  return hash.digest('hex');
}

/** Hex SHA-256 of bytes. */
export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * Writes a file so that its name never stands for half of it, not after a power cut either, and so that two writers
 * at once do no harm: to another name, synced, renamed, and the folder synced.
 */
export async function writeFileAtomic(path: string, content: Uint8Array | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}`);
  try {
    const handle = await open(temporary, 'wx');
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await publishFile(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Gives a complete file, or a folder whose files are synced, its final name on the same file system, durably. */
export async function publishFile(temporary: string, path: string): Promise<void> {
  await syncPath(temporary);
  await rename(temporary, path);
  await syncPath(dirname(path));
}

/** Works with files of a folder; what the system says of them is OUTPUT_UNWRITABLE with the folder's name. */
export async function inFolder<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const ofSystem = error instanceof Error && 'syscall' in error;
    if (!ofSystem && !isDiskFull(error)) throw error;
    throw new EyelineError('OUTPUT_UNWRITABLE', `models in ${folder}: ${messageOf(error)}`, { cause: error });
  }
}

export function isMissing(error: unknown): boolean {
  return systemCodeOf(error) === 'ENOENT';
}

export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
