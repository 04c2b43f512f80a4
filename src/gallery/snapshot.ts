import type { Person } from '../core/person.ts';
import type { OwnedTemplates } from '../faces/cross-person-scores.ts';
import { rowsIn } from '../faces/embedding.ts';
import { searchBlock } from './search-block.ts';
import type { TemplateMatrix } from './template.ts';
import { createBlock } from './template-block.ts';
import { changedTemplates, hiddenOf, mergedById, ownedOf, type TemplateLayers } from './template-layers.ts';
import { requireUnit } from './vector.ts';

/** How well a probe matches one person. */
export interface Match {
  readonly person: Person;
  /** Cosine with the person's best template, -1..1; with pooling the mean of their best ones. */
  readonly score: number;
}

/** The gallery of one encoder at one version, in memory. Never changes: a new version is a new snapshot. */
export interface GallerySnapshot {
  readonly version: number;
  /** Fingerprint of the encoder. */
  readonly encoder: string;
  readonly dimension: number;
  /** Those with at least one template of this encoder, by id. */
  readonly people: readonly Person[];
  readonly templateCount: number;
  /** What it is over, each person's templates one after the other: for reading only. */
  readonly templates: OwnedTemplates;
  /** Whether the person has a template here. */
  has(personId: string): boolean;
  /**
   * The `k` people that match best (fewer when there are fewer), best first; of several templates of a person the best
   * counts, or the mean of the best ones; equal scores are ordered by id. Exact, unless the templates are searched by a graph:
   * that may miss somebody (docs/performance.md says how seldom), whom it finds it compares exactly.
   *
   * @throws RangeError when the probe has another dimension or no unit norm, or `k` is not a positive whole number.
   */
  search(probe: Float32Array, k: number): Match[];
}

export interface SnapshotOptions {
  /** A person's score is the mean of so many of their templates most alike to the probe, or of all when there are fewer; 1 when left out. */
  readonly bestOf?: number;
}

/**
 * Snapshot over a block of templates, which it keeps and nobody may change any more.
 *
 * @throws RangeError when sizes do not fit, rows are out of order or one has no unit norm.
 */
export function createSnapshot(templates: TemplateMatrix, options: SnapshotOptions = {}): GallerySnapshot {
  return snapshotOf({ version: templates.version, base: createBlock(templates), changed: new Map() }, options);
}

/**
 * Snapshot of layers.
 *
 * @throws RangeError when a template that changed has no unit norm.
 */
export function snapshotOf(layers: TemplateLayers, { bestOf = 1 }: SnapshotOptions = {}): GallerySnapshot {
  const { version, base, changed } = layers;
  const { encoder, dimension, people: before, owners } = base.templates;
  const hidden = hiddenOf(layers);
  const recent = createBlock(changedTemplates(layers));
  const nobody = new Set<number>();
  const left = changed.size === 0 ? before : before.filter(({ id }) => !changed.has(id));
  let gone = 0;
  for (const owner of hidden) gone += (base.starts[owner + 1] ?? 0) - (base.starts[owner] ?? 0);
  return Object.freeze({
    version,
    encoder,
    dimension,
    people: changed.size === 0 ? before : Object.freeze(mergedById(left, recent.templates.people)),
    templateCount: owners.length - gone + recent.templates.owners.length,
    get templates() {
      return changed.size === 0 ? { owners, vectorOf: rowsIn(base.templates.vectors, dimension) } : ownedOf(layers);
    },
    has: (personId: string) => recent.owners.has(personId) || (base.owners.has(personId) && !changed.has(personId)),
    search: (probe: Float32Array, k: number) => {
      requireUnit(probe, dimension, 'probe');
      if (!Number.isInteger(k) || k < 1) throw new RangeError(`k is ${k}, expected a positive whole number`);
      const matches = searchBlock(base, probe, k, { bestOf, hidden });
      if (recent.owners.size === 0) return matches;
      return [...matches, ...searchBlock(recent, probe, k, { bestOf, hidden: nobody })].sort(byScore).slice(0, k);
    },
  });
}

/** Best first; equal scores by id. */
function byScore(a: Match, b: Match): number {
  return b.score - a.score || (a.person.id < b.person.id ? -1 : 1);
}
