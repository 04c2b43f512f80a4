import type { AppliedBatch, GalleryBatch, PersonState } from './gallery-changes.ts';
import type { PersonRecord } from './template.ts';

/** Where people are imported; `SqliteGalleryStore` fits. */
export interface ImportStore {
  listPeople(): readonly PersonRecord[];
  applyBatch(batch: GalleryBatch): AppliedBatch;
}

export interface Skipped {
  readonly id: string;
  readonly name: string;
  readonly reason: string;
}

export interface ImportResult {
  readonly people: readonly string[];
  readonly templates: number;
  readonly skipped: readonly Skipped[];
}

/**
 * Takes people of an exported file up, all in one change. Whoever is here already is left alone unless `replace`: then the
 * file's data and templates take the place of theirs. Whoever may not be kept any longer is not imported.
 */
export function importPeople(
  store: ImportStore,
  people: readonly PersonState[],
  { nowMs, replace, detail }: { nowMs: number; replace: boolean; detail: Record<string, unknown> },
): ImportResult {
  const here = store.listPeople();
  const byId = new Map(here.map((person) => [person.id, person]));
  const byName = new Map(here.map((person) => [person.name, person]));
  const seen = new Set<string>();
  const skipped: Skipped[] = [];
  const taken = people.filter((person) => {
    const reason = whyNot(person);
    seen.add(person.id);
    if (reason !== null) skipped.push({ id: person.id, name: person.name, reason });
    return reason === null;
  });
  if (taken.length > 0) {
    const encoders = [...new Set(taken.flatMap(({ templates }) => templates.map(({ encoder }) => encoder)))];
    store.applyBatch({ origin: 'device', encoders, people: taken, tombstones: [], detail });
  }
  const templates = taken.reduce((sum, person) => sum + person.templates.length, 0);
  return { people: taken.map(({ id }) => id), templates, skipped };

  function whyNot({ id, name, retainUntilMs }: PersonState): string | null {
    if (seen.has(id)) return 'is in the file twice';
    if (retainUntilMs !== null && retainUntilMs <= nowMs) return 'may not be kept any longer';
    const own = byId.get(id);
    if (own?.origin === 'fleet') return 'is managed by the fleet here';
    if (own && !replace) return 'is enrolled here already; --replace takes the data of the file';
    const namesake = byName.get(name);
    if (namesake && namesake.id !== id) return `${namesake.id} has the same name here`;
    return null;
  }
}
