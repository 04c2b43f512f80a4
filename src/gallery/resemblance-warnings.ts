import type { Person } from '../core/person.ts';
import type { ResemblanceIndex } from './resemblance.ts';
import type { Match } from './snapshot.ts';

/** Something a person should look at: the face is enrolled all the same. */
export interface EnrolmentWarning {
  readonly code: 'LOOKS_LIKE_SOMEBODY_ELSE' | 'UNLIKE_OWN_PICTURES' | 'MASK_WORN';
  readonly message: string;
}

/**
 * What is to be said of faces about to be enrolled as one person: whom else they look like, each told once, and whether none of
 * them is like what is enrolled of the person.
 *
 * @param person as enrolled before; null for somebody new
 * @param embeddings of unit norm, by the full-face encoder
 * @param threshold least cosine to count as the same person
 */
export function resemblanceWarnings(
  known: ResemblanceIndex,
  person: Person | null,
  name: string,
  embeddings: readonly Float32Array[],
  threshold: number,
): EnrolmentWarning[] {
  const found = embeddings.map((embedding) => known.compare(person?.id ?? null, embedding));
  const others = new Map<string, Match>();
  for (const { other } of found) {
    if (!other || other.score < threshold) continue;
    const before = others.get(other.person.id);
    if (!before || other.score > before.score) others.set(other.person.id, other);
  }
  const warnings = [...others.values()].map(({ person: other, score }): EnrolmentWarning => {
    const who = `${other.name} (${other.id}, similarity ${score.toFixed(2)})`;
    return {
      code: 'LOOKS_LIKE_SOMEBODY_ELSE',
      message: `looks like ${who}: the two may be taken for each other`,
    };
  });
  const own = found.flatMap((it) => it.own ?? []);
  const best = Math.max(...own);
  if (own.length > 0 && best < threshold) {
    warnings.push({
      code: 'UNLIKE_OWN_PICTURES',
      message: `is unlike the other pictures of ${name} (best similarity ${best.toFixed(2)}): is it the same person?`,
    });
  }
  return warnings;
}
