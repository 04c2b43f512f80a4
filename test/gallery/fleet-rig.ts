import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { entryOf, lineDigest, personLine, stateDigest, tombstoneLine } from '../../src/gallery/bundle/bundle-format.ts';
import {
  bodyKeyId,
  generateSigningKey,
  readSigningKey,
  readTrustedKeys,
  type SigningKey,
} from '../../src/gallery/bundle/bundle-keys.ts';
import type { BundleTrust } from '../../src/gallery/bundle/read-bundle.ts';
import { type BundleKeys, type NewBundle, writeBundle } from '../../src/gallery/bundle/write-bundle.ts';
import type { PersonState, Tombstone } from '../../src/gallery/gallery-changes.ts';
import type { Template } from '../../src/gallery/template.ts';
import { axis, template } from './gallery-rig.ts';

export const DIMENSION = 8;
export const ENCODER = 'encoder-a';
export const NOW = 1_700_000_000_000;
const DAY_MS = 86_400_000;

/** Keys of a fleet, and what its devices trust. */
export interface FleetKeys extends BundleKeys {
  readonly trust: BundleTrust;
}

export function newSigner(): SigningKey {
  return readSigningKey(generateSigningKey().pem, 'a key of the test');
}

export function fleetKeys(): FleetKeys {
  const signing = newSigner();
  const body = randomBytes(32);
  const trust = {
    signers: readTrustedKeys([signing.publicKey]),
    bodyKeys: new Map([[bodyKeyId(body), body as Uint8Array]]),
  };
  return { signing, body, trust };
}

/** A person with one template along an axis, and what matters given. */
export function person(id: string, along = 0, changes: Partial<PersonState> = {}): PersonState {
  return {
    id,
    name: `${id} of the test`,
    createdAtMs: NOW - DAY_MS,
    consentAtMs: NOW - DAY_MS,
    consentNote: 'signed form',
    retainUntilMs: NOW + 365 * DAY_MS,
    templates: [given(axis(DIMENSION, along % DIMENSION), { pictureSha256: lineDigest(`${id} ${along}`) })],
    ...changes,
  };
}

export function given(embedding: Float32Array, changes: Partial<Template> = {}): Template {
  return template(embedding, { encoder: ENCODER, sourceFile: '', ...changes });
}

/** Writes a bundle of these people into `folder`; what is left out is made up so that it is valid. */
export async function bundleFile(
  folder: string,
  keys: BundleKeys,
  people: readonly PersonState[],
  {
    tombstones = [],
    digest,
    ...changes
  }: Partial<NewBundle> extends infer Changes
    ? Omit<Changes, 'tombstones' | 'people'> & { tombstones?: readonly Tombstone[]; digest?: string }
    : never = {},
) {
  const lines = people.map((it) => personLine(entryOf(it, new Set(it.templates.map(({ encoder }) => encoder)))));
  const digests = new Map(people.map((it, index) => [it.id, lineDigest(lines[index] ?? '')]));
  const file = join(folder, `${randomUUID()}.eyb`);
  const bundle: NewBundle = {
    stream: '0b7e6d9c-6f1e-4a53-9d0c-111111111111',
    site: 'lobby',
    kind: 'full',
    from: null,
    to: { version: 1, digest: digest ?? stateDigest(digests) },
    createdAtMs: NOW,
    expiresAtMs: NOW + 30 * DAY_MS,
    encoders: [{ fingerprint: ENCODER, dimension: DIMENSION }],
    ...changes,
    people: people.length,
    tombstones: tombstones.length,
  };
  const written = await writeBundle(file, bundle, [...lines, ...tombstones.map(tombstoneLine)], keys);
  return { file, bundle, ...written };
}
