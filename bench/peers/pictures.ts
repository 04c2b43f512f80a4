import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BenchOptions } from './arguments.ts';
import type { BuiltProgram } from './program.ts';
import type { RgbPicture } from './system.ts';

export interface Pair {
  readonly same: boolean;
  /** Paths of the two pictures. */
  readonly first: string;
  readonly second: string;
}

/** What the systems are run on. */
export interface PictureChoice {
  /** In words, for the report. */
  readonly what: string;
  /** Paths of the pictures that are timed. */
  readonly timed: readonly string[];
  readonly pairs: readonly Pair[];
  /** Who is in a picture, by its path; empty without a folder a person. */
  readonly people: ReadonlyMap<string, string>;
}

/** Chooses by `seed`: the same pictures on every machine. Throws when there are none. */
export async function choosePictures(
  { people, pairs, pictures, seed }: BenchOptions,
  program: BuiltProgram,
): Promise<PictureChoice> {
  const listed = pairs ? parsePairs(await readFile(pairs.list, 'utf8'), pairs.images) : [];
  if (people !== null) {
    const chosen = choosePeople(await readPeople(people), pictures, seed);
    if (chosen.size === 0) throw new Error(`${people}: no folder in it has two pictures`);
    return { what: people, timed: [...chosen.keys()], pairs: listed, people: chosen };
  }
  if (pairs) {
    const files = [...new Set(listed.flatMap(({ first, second }) => [first, second]))];
    return { what: pairs.list, timed: shuffle(files, seed).slice(0, pictures), pairs: listed, people: new Map() };
  }
  const { dir, manifest } = (await program.config()).models;
  const { createModelStore, silentLogger } = program;
  const store = await createModelStore({ dir, extraManifest: manifest, logger: silentLogger, env: process.env });
  await store.pull(store.pictureIds);
  const timed = await Promise.all(store.pictureIds.map((id) => store.file(id)));
  return { what: "photos of the models' manifest", timed: timed.slice(0, pictures), pairs: [], people: new Map() };
}

/** Lines of `same,a,b` under a heading; the names are taken from `folder`. Throws on any other line. */
export function parsePairs(text: string, folder: string): Pair[] {
  const [, ...lines] = text.trim().split(/\r?\n/);
  return lines.map((line) => {
    const [same, first, second, ...more] = line.split(',');
    if (!first || !second || more.length > 0 || (same !== '0' && same !== '1')) throw new Error(`not a pair: ${line}`);
    return { same: same === '1', first: join(folder, first), second: join(folder, second) };
  });
}

/** A person with a hundred pictures would outvote the others. */
const MOST_OF_A_PERSON = 10;

/** People in an order that `seed` decides, each with several pictures, until there are `most` pictures. */
export function choosePeople(
  people: ReadonlyMap<string, readonly string[]>,
  most: number,
  seed: number,
): Map<string, string> {
  const chosen = new Map<string, string>();
  for (const [person, all] of shuffle([...people], seed)) {
    const files = all.slice(0, MOST_OF_A_PERSON);
    if (files.length < 2 || chosen.size + files.length > most) continue;
    for (const file of files) chosen.set(file, person);
  }
  return chosen;
}

/** A copy in an order that depends on nothing but `seed` (random keys by mulberry32). */
export function shuffle<T>(items: readonly T[], seed: number): T[] {
  let state = seed >>> 0;
  const random = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const keyed = items.map((item) => ({ item, key: random() }));
  return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item);
}

/** Decodes a file, once for all systems. Throws PICTURE_REFUSED. */
export async function decodeRgb(program: BuiltProgram, file: string): Promise<RgbPicture> {
  const picture = await program.decodePicture(await readFile(file), file);
  try {
    const { width, height } = picture;
    return { width, height, rgb: await picture.fit({ width, height }) };
  } finally {
    picture.release();
  }
}

const PICTURE = /\.(jpe?g|png|webp)$/i;

async function readPeople(folder: string): Promise<Map<string, string[]>> {
  const people = new Map<string, string[]>();
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    if (!entry.isFile() || !PICTURE.test(entry.name)) continue;
    const { name, parentPath: parent } = entry;
    people.set(parent, [...(people.get(parent) ?? []), join(parent, name)].sort());
  }
  return new Map([...people].sort(([a], [b]) => (a < b ? -1 : 1)));
}
