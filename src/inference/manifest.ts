import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EyelineError, messageOf } from '../core/errors.ts';
import type { FacePart } from '../core/person.ts';
import type { AlignmentPoints } from '../faces/align.ts';
import type { JointTemplates } from '../faces/joint-template.ts';
import type { ScoreCalibration } from '../faces/score-calibration.ts';
import { type MODEL_ROLES, manifestSchema } from './manifest-schema.ts';
import { parseSource, type Source } from './source.ts';

/** The manifest that comes with the product; the same way from src/ and from dist/. */
export const BUILTIN_MANIFEST = fileURLToPath(new URL('../../models/manifest.json', import.meta.url));

export type ModelRole = (typeof MODEL_ROLES)[number];

/** A file that is fetched once and known by its hash. */
export interface Asset {
  readonly id: string;
  readonly source: Source;
  /** Subresource integrity of the npm tarball the file is taken from. */
  readonly integrity?: string | undefined;
  /** Hex digest of the file itself. */
  readonly sha256: string;
  /** SPDX identifier, or a name. */
  readonly licence: string;
  readonly description: string;
}

/** What one picture must be, and what the graph expects of it: `(pixel - mean) * scale` for each channel. */
export interface InputContract {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  /** Order of the channels the graph was trained on. Callers give RGB or grey; `bgr` is turned in the graph. */
  readonly colour: 'rgb' | 'bgr' | 'grey';
  /** One number a channel, on the scale of pixels, 0..255; in the order of `colour`. */
  readonly mean: readonly number[];
  readonly scale: readonly number[];
}

/** An output by name; `shape` is that of one picture, without the batch. */
export interface OutputContract {
  readonly name: string;
  readonly shape: readonly number[];
}

export interface ModelEntry extends Asset {
  readonly role: ModelRole;
  /** How its outputs are read; the usual way of the role when left out. */
  readonly family?:
    | 'ultraface'
    | 'blazeface'
    | 'mtcnn'
    | 'ibug'
    | 'facemesh'
    | 'mtcnn-onet'
    | 'minifasnet'
    | 'human-antispoof'
    | undefined;
  /** Ids of the networks that look at what this one finds, in their order; `mtcnn` alone has them. */
  readonly stages?: readonly string[] | undefined;
  /** What the file is, ONNX when left out; all else is converted when it is pulled. */
  readonly format?: 'onnx' | 'tfjs' | 'tflite' | undefined;
  /** The weights of a `tfjs` model, which are a file of their own. */
  readonly weights?: { readonly source: Source; readonly sha256: string } | undefined;
  /** The network takes pictures with columns and rows swapped; it is converted to take them as they are. */
  readonly columnsFirst?: boolean | undefined;
  readonly input: InputContract;
  readonly outputs: readonly OutputContract[];
  /** Numbers in an embedding; encoders alone have it. */
  readonly embedding?: number | undefined;
  /** What an encoder sees of a face, `full` where it is not said: the whole aligned crop, or the rows above a mask. */
  readonly part?: FacePart | undefined;
  /** What an encoder's faces are aligned by; five points when left out. */
  readonly alignedBy?: AlignmentPoints | undefined;
  /** Score from which on what is found is a face; detectors alone have it. */
  readonly minScore?: number | undefined;
  /** The embedding is the mean of what an encoder says of a crop and of its mirror image. */
  readonly mirrored?: boolean | undefined;
  /** What templates of bare faces by an upper-part encoder are made together with. */
  readonly jointWith?: JointTemplates | undefined;
  /** Embeddings shorter than this, before they are scaled, are of no face; encoders alone have it. */
  readonly minNorm?: number | undefined;
  /** False accept rate by threshold, as measured; encoders alone have it. */
  readonly calibration?: readonly { readonly threshold: number; readonly far: number }[] | undefined;
  /** What its scores mean, by what the face wears, as measured; encoders alone have it. */
  readonly curves?: ScoreCalibration | undefined;
}

export interface Manifest {
  readonly models: ReadonlyMap<string, ModelEntry>;
  readonly pictures: ReadonlyMap<string, Asset>;
}

/** Beside pulled models: those that were trained on this machine. */
export const TRAINED_MANIFEST = 'trained.json';
/** The folder of their files. */
export const TRAINED_FOLDER = 'trained';

/**
 * Reads the manifest of the product and, over it by id, of what was trained on this machine and the user's own.
 *
 * @param extra   path of the user's manifest, or null
 * @param trained path of the manifest of trained models, which need not be there
 * Throws MANIFEST_INVALID that names every wrong key of a file as `path: message`.
 */
export async function loadManifest(
  extra: string | null,
  builtin = BUILTIN_MANIFEST,
  trained: string | null = null,
): Promise<Manifest> {
  const layers = [await readManifest(builtin)];
  if (trained !== null && existsSync(trained)) layers.push(await readManifest(trained));
  if (extra !== null) layers.push(await readManifest(extra));
  return {
    models: new Map(layers.flatMap((layer) => [...layer.models])),
    pictures: new Map(layers.flatMap((layer) => [...layer.pictures])),
  };
}

/** Ids of the models that the user's manifest has: no other model is used under them. Throws MANIFEST_INVALID. */
export async function ownModelIds(extra: string | null): Promise<ReadonlySet<string>> {
  return new Set(extra === null ? [] : (await readManifest(extra)).models.keys());
}

/** Checks the text of a manifest. `file` is named in errors; `file:` sources are relative to its folder. */
export function parseManifest(json: string, file: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new EyelineError('MANIFEST_INVALID', `${file}: not JSON: ${messageOf(error)}`, { cause: error });
  }
  const parsed = manifestSchema.safeParse(value);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${file}: ${pathOf(issue.path)}: ${issue.message}`);
    throw new EyelineError('MANIFEST_INVALID', problems.join('\n'));
  }
  const located = <T extends { id: string; source: string }>(entries: T[]) =>
    new Map(entries.map((entry) => [entry.id, { ...entry, source: parseSource(entry.source, dirname(file)) }]));
  const models = parsed.data.models.map(({ weights, ...entry }) => ({
    ...entry,
    ...(weights && { weights: { ...weights, source: parseSource(weights.source, dirname(file)) } }),
  }));
  return { models: located(models), pictures: located(parsed.data.pictures) };
}

function pathOf(path: readonly PropertyKey[]): string {
  if (path.length === 0) return '(root)';
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    return text === '' ? String(key) : `${text}.${String(key)}`;
  }, '');
}

/**
 * Hex digest over weights and preprocessing, alignment, mirror image and what templates are made with included. Another way to
 * prepare the same graph gives the same numbers, hence the same fingerprint: templates stay valid.
 */
export function fingerprintOf(entry: ModelEntry): string {
  const { width, height, channels, colour, mean, scale } = entry.input;
  const outputs = entry.outputs.map(({ name, shape }) => [name, shape]);
  const { format = 'onnx', weights, columnsFirst } = entry;
  const converted = format === 'onnx' ? [] : [format, weights?.sha256 ?? null, columnsFirst ?? false];
  const { alignedBy = 'five' } = entry;
  const aligned = alignedBy === 'five' ? [] : [alignedBy];
  const twice = entry.mirrored ? ['mirrored'] : [];
  const joint = entry.jointWith ? ['joint', entry.jointWith.encoder, entry.jointWith.share] : [];
  const content = JSON.stringify([
    entry.sha256,
    width,
    height,
    channels,
    colour,
    mean,
    scale,
    outputs,
    ...converted,
    ...aligned,
    ...twice,
    ...joint,
  ]);
  return createHash('sha256').update(content).digest('hex');
}

async function readManifest(file: string): Promise<Manifest> {
  try {
    return parseManifest(await readFile(file, 'utf8'), file);
  } catch (error) {
    if (error instanceof EyelineError) throw error;
    throw new EyelineError('MANIFEST_INVALID', `${file}: cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
