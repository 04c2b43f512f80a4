import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CameraConfig, Config, Secret } from '../config/schema.ts';
import { EyelineError, systemCodeOf } from '../core/errors.ts';
import { parseGalleryKey } from '../gallery/gallery-key.ts';

/** Reading allowed to the group or to everybody. */
const READ_BY_OTHERS = 0o044;

/**
 * Text of a secret, without the newline that editors leave at the end of a file. A credential is read from the
 * directory systemd names in `CREDENTIALS_DIRECTORY` (systemd.exec, LoadCredential=).
 * Throws SECRET_UNREADABLE, which names the file, credential or variable, never the value.
 *
 * @param warn told when others than the owner may read the file
 */
export async function readSecret(
  secret: Secret,
  env: NodeJS.ProcessEnv,
  warn: (message: string) => void = () => {},
): Promise<string> {
  if (typeof secret === 'string') return secret;
  if ('env' in secret) {
    const value = env[secret.env];
    if (!value) throw new EyelineError('SECRET_UNREADABLE', `environment variable ${secret.env} is not set`);
    return value;
  }
  if ('credential' in secret) {
    const folder = env.CREDENTIALS_DIRECTORY;
    const name = `systemd credential "${secret.credential}"`;
    if (!folder) {
      throw new EyelineError('SECRET_UNREADABLE', `${name}: not started by systemd with credentials`);
    }
    return readSecretFile(join(folder, secret.credential), name);
  }
  const text = await readSecretFile(secret.file, `secret file ${secret.file}`);
  const { mode } = await stat(secret.file);
  if (mode & READ_BY_OTHERS) warn(`secret file ${secret.file} can be read by others (chmod 600 ${secret.file})`);
  return text;
}

/**
 * User name and password of a camera, the password fetched; null for a camera without.
 * Throws SECRET_UNREADABLE, which names the camera.
 */
export async function readCredentials(
  camera: Pick<CameraConfig, 'id' | 'credentials'>,
  env: NodeJS.ProcessEnv,
  warn?: (message: string) => void,
): Promise<{ readonly username: string; readonly password: string } | null> {
  if (!camera.credentials) return null;
  const { username, password } = camera.credentials;
  try {
    return { username, password: await readSecret(password, env, warn) };
  } catch (error) {
    if (!(error instanceof EyelineError)) throw error;
    throw new EyelineError(error.code, `camera ${camera.id}: ${error.message}`, { cause: error });
  }
}

/** What the templates of the gallery are encrypted with, where it is configured. Throws SECRET_UNREADABLE, GALLERY_KEY_INVALID. */
export async function readGalleryKey(
  { gallery }: Pick<Config, 'gallery'>,
  env: NodeJS.ProcessEnv,
  warn?: (message: string) => void,
): Promise<Uint8Array | undefined> {
  return gallery.key === null ? undefined : parseGalleryKey(await readSecret(gallery.key, env, warn), 'gallery.key');
}

/** Keys that the fleet's bundles are encrypted with. Throws SECRET_UNREADABLE, GALLERY_KEY_INVALID. */
export async function readBundleKeys(
  { gallery }: Pick<Config, 'gallery'>,
  env: NodeJS.ProcessEnv,
  warn?: (message: string) => void,
): Promise<Uint8Array[]> {
  const texts = await Promise.all(gallery.sync.keys.map((key) => readSecret(key, env, warn)));
  return texts.map((text, index) => parseGalleryKey(text, `gallery.sync.keys[${index}]`));
}

/**
 * Key of the face crops that are kept, 32 bytes; null when none are. Throws SECRET_UNREADABLE, also for what is no key.
 */
export async function readCropKey(
  { privacy }: Pick<Config, 'privacy'>,
  env: NodeJS.ProcessEnv,
  warn?: (message: string) => void,
): Promise<Uint8Array | null> {
  const { folder, key } = privacy.crops;
  if (folder === null || key === null) return null;
  const text = await readSecret(key, env, warn);
  if (/^[0-9a-f]{64}$/i.test(text.trim())) return Buffer.from(text.trim(), 'hex');
  throw new EyelineError(
    'SECRET_UNREADABLE',
    'privacy.crops.key is no key: 64 hex digits are expected (openssl rand -hex 32)',
  );
}

async function readSecretFile(path: string, name: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const code = systemCodeOf(error) || 'unknown error';
    throw new EyelineError('SECRET_UNREADABLE', `${name} cannot be read (${code})`, { cause: error });
  }
  const trimmed = text.replace(/\r?\n$/, '');
  if (trimmed === '') throw new EyelineError('SECRET_UNREADABLE', `${name} is empty`);
  return trimmed;
}
