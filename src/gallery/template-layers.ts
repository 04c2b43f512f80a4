import type { Person } from '../core/person.ts';
import { atOnce, type Steps } from '../core/steps.ts';
import type { OwnedTemplates } from '../faces/cross-person-scores.ts';
import { rowsIn } from '../faces/embedding.ts';
import type { GalleryChanges } from './gallery-changes.ts';
import type { GalleryEncoder, TemplateMatrix } from './template.ts';
import { preparing, type TemplateBlock } from './template-block.ts';

/** So many templates may be changed before they are put together with the others; a share of them where they are few. */
const MOST_CHANGED = 4096;
const FEWEST_CHANGED = 256;
const SHARE_CHANGED = 0.125;
/** People, or templates, looked at in a step. */
const STEP = 1024;

/** A person added, changed or removed since the base was made. */
export interface ChangedPerson {
  /** The gallery's version that was read with the change. */
  readonly version: number;
  readonly person: Person;
  /** All templates there are now; none of somebody removed. */
  readonly vectors: readonly Float32Array[];
}

/**
 * The templates of one encoder at one version: a large base, which is dear to make, and on top of it the people who changed since.
 * Never changes: so a change costs as much as it is large, not as the gallery is.
 */
export interface TemplateLayers {
  readonly version: number;
  readonly base: TemplateBlock;
  /** By id; their templates in the base do not count any more. */
  readonly changed: ReadonlyMap<string, ChangedPerson>;
}

/** @throws RangeError when a template has another size than the encoder's */
export function withChanges(
  { base, changed }: TemplateLayers,
  { to, people, tombstones }: GalleryChanges,
  { fingerprint, dimension }: GalleryEncoder,
  part: string,
): TemplateLayers {
  const next = new Map(changed);
  const put = (person: Person, vectors: readonly Float32Array[]) => {
    if (vectors.length === 0 && !base.owners.has(person.id) && !changed.has(person.id)) return;
    next.set(person.id, { version: to, person, vectors });
  };
  for (const { id } of tombstones) put({ id, name: '' }, []);
  for (const { id, name, templates } of people) {
    const vectors = templates.filter((it) => it.encoder === fingerprint && it.part === part).map((it) => it.embedding);
    if (vectors.some((it) => it.length !== dimension)) {
      throw new RangeError(`a template of ${id} is not ${dimension} numbers long`);
    }
    put({ id, name }, vectors);
  }
  return { version: to, base, changed: next };
}

/** Those in the base whose templates there do not count, by index. */
export function hiddenOf({ base, changed }: TemplateLayers): Set<number> {
  return new Set([...changed.keys()].flatMap((id) => base.owners.get(id) ?? []));
}

/** The templates of those who changed and are there. */
export function changedTemplates({ version, base, changed }: TemplateLayers): TemplateMatrix {
  const there = [...changed.values()].filter(({ vectors }) => vectors.length > 0).sort(byId);
  const { encoder, dimension } = base.templates;
  const owners = Uint32Array.from(there.flatMap(({ vectors }, owner) => vectors.map(() => owner)));
  const vectors = new Float32Array(owners.length * dimension);
  let row = 0;
  for (const own of there) for (const vector of own.vectors) vectors.set(vector, row++ * dimension);
  return { version, encoder, dimension, people: there.map(({ person }) => person), owners, vectors };
}

/** Everybody, by id; both lists are. */
export function mergedById(first: readonly Person[], second: readonly Person[]): Person[] {
  const merged: Person[] = [];
  let at = 0;
  for (const person of first) {
    for (let other = second[at]; other && other.id < person.id; other = second[++at]) merged.push(other);
    if (second[at]?.id === person.id) at++;
    merged.push(person);
  }
  return merged.concat(second.slice(at));
}

/** Whether so much changed that all should be put together. */
export function isDue({ base, changed }: TemplateLayers): boolean {
  let rows = 0;
  for (const [id, { vectors }] of changed) rows += Math.max(vectors.length, base.owners.has(id) ? 1 : 0);
  const share = base.templates.owners.length * SHARE_CHANGED;
  return rows > Math.max(FEWEST_CHANGED, Math.min(MOST_CHANGED, share));
}

/** A base with everything in it. */
export function* compacting(layers: TemplateLayers): Steps<TemplateBlock> {
  return yield* preparing(yield* joining(layers));
}

/** All templates where they are, in the order of {@link joining}: as dear as there are people, not as their templates are large. */
export function ownedOf(layers: TemplateLayers): OwnedTemplates {
  const { owners, vectorOf } = atOnce(arranging(layers));
  return { owners, vectorOf };
}

/** All templates in one. */
function* joining(layers: TemplateLayers): Steps<TemplateMatrix> {
  const { dimension, encoder } = layers.base.templates;
  const { people, owners, vectorOf } = yield* arranging(layers);
  const vectors = new Float32Array(owners.length * dimension);
  for (let row = 0; row < owners.length; row++) {
    vectors.set(vectorOf(row), row * dimension);
    if (row % STEP === STEP - 1) yield;
  }
  return { version: layers.version, encoder, dimension, people, owners, vectors };
}

/** Everybody by id, with where their templates are. */
function* arranging(layers: TemplateLayers): Steps<OwnedTemplates & Pick<TemplateMatrix, 'people' | 'owners'>> {
  const { base, changed } = layers;
  const recent = changedTemplates(layers);
  const { dimension, people: before } = base.templates;
  const left = before.filter(({ id }) => !changed.has(id));
  const people = mergedById(left, recent.people);
  const kept = left.reduce((sum, { id }) => sum + rowsOf(base, id).count, 0);
  const owners = new Uint32Array(kept + recent.owners.length);
  // Rows of the base, and beyond its last those that changed, which come in the same order.
  const places = new Uint32Array(owners.length);
  const beyond = base.templates.owners.length;
  let next = beyond;
  let row = 0;
  for (const [owner, { id }] of people.entries()) {
    const own = changed.get(id);
    const { first, count } = own ? { first: next, count: own.vectors.length } : rowsOf(base, id);
    if (own) next += count;
    owners.fill(owner, row, row + count);
    for (let at = 0; at < count; at++) places[row + at] = first + at;
    row += count;
    if (owner % STEP === STEP - 1) yield;
  }
  const [old, changedRow] = [rowsIn(base.templates.vectors, dimension), rowsIn(recent.vectors, dimension)];
  const vectorOf = (at: number) => {
    const place = places[at] ?? 0;
    return place < beyond ? old(place) : changedRow(place - beyond);
  };
  return { people, owners, vectorOf };
}

/** The layers as they are now on a base that was made of them as they were at version `madeOf`. */
export function onBase(layers: TemplateLayers, base: TemplateBlock, madeOf: number): TemplateLayers {
  const changed = new Map([...layers.changed].filter(([, { version }]) => version > madeOf));
  return { version: layers.version, base, changed };
}

function rowsOf({ owners, starts }: TemplateBlock, id: string): { first: number; count: number } {
  const owner = owners.get(id) ?? 0;
  const first = starts[owner] ?? 0;
  return { first, count: (starts[owner + 1] ?? 0) - first };
}

function byId(a: ChangedPerson, b: ChangedPerson): number {
  return a.person.id < b.person.id ? -1 : 1;
}
