import type { Match } from './snapshot.ts';
import type { TemplateBlock } from './template-block.ts';
import { dotRow } from './vector.ts';

/** Templates compared in full precision at first; more where these cannot settle who is most alike. */
const FIRST_CANDIDATES = 64;
const MORE_CANDIDATES = 8;

/** How a block is searched. */
export interface BlockSearch {
  /** A person's score is the mean of so many of their templates most alike to the probe. */
  readonly bestOf: number;
  /** People, by index, who do not count. */
  readonly hidden: ReadonlySet<number>;
}

/**
 * The `k` people most alike. The index names candidates, which are compared in full precision: more and more of them, until
 * there are `k` people and nobody left out can be among the best, as far as the index can tell.
 */
export function searchBlock(block: TemplateBlock, probe: Float32Array, k: number, how: BlockSearch): Match[] {
  const { index, templates } = block;
  const wide = Float64Array.from(probe);
  if (!index) return best(block, scoresOf(block, templates.owners.keys(), wide, how), k);
  const wanted = Math.min(k, templates.people.length - how.hidden.size);
  if (wanted <= 0) return [];
  for (let count = Math.max(FIRST_CANDIDATES, 4 * k); ; count *= MORE_CANDIDATES) {
    const { rows, bound } = index.nearest(probe, count);
    const matches = best(block, scoresOf(block, rows, wide, how), k);
    if (count >= index.size) return matches;
    const worst = matches[wanted - 1];
    // Equal scores are ordered by id, so one that is only as good as the bound may still have to make room.
    if (worst && (bound === null || worst.score > bound)) return matches;
  }
}

/** Scores of the people, by index, who have one of these rows. */
function scoresOf(
  { templates: { owners, vectors }, starts }: TemplateBlock,
  rows: Iterable<number>,
  probe: Float64Array,
  { bestOf, hidden }: BlockSearch,
): Map<number, number> {
  const scores = new Map<number, number>();
  for (const row of rows) {
    const owner = owners[row] ?? 0;
    if (hidden.has(owner)) continue;
    if (bestOf === 1) {
      const score = dotRow(vectors, row, probe);
      if (score > (scores.get(owner) ?? Number.NEGATIVE_INFINITY)) scores.set(owner, score);
    } else if (!scores.has(owner)) {
      // All rows of the person: whoever has none among those given has no better one, and so no better mean.
      const own = Array.from({ length: (starts[owner + 1] ?? 0) - (starts[owner] ?? 0) }, (_, at) =>
        dotRow(vectors, (starts[owner] ?? 0) + at, probe),
      );
      const counted = own.sort((a, b) => b - a).slice(0, bestOf);
      scores.set(owner, counted.reduce((sum, score) => sum + score, 0) / counted.length);
    }
  }
  return scores;
}

/** The `k` best; equal scores by id, as `people` are. */
function best({ templates: { people } }: TemplateBlock, scores: ReadonlyMap<number, number>, k: number): Match[] {
  return [...scores]
    .sort(([a, first], [b, second]) => second - first || a - b)
    .slice(0, k)
    .flatMap(([owner, score]) => {
      const person = people[owner];
      // Rounding can lift the cosine of equal vectors just over 1.
      return person ? [{ person, score: Math.max(-1, Math.min(1, score)) }] : [];
    });
}
