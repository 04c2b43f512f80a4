import type { Person } from '../core/person.ts';

/** A face's best match in the gallery. */
export interface Candidate {
  readonly person: Person;
  readonly score: number;
}

/**
 * Gives each person to at most one of the faces of a frame, the one most like them: nobody is in two places. A face
 * that loses its person names nobody in this frame.
 *
 * @param candidates best match of each face, null where the gallery is empty
 * @param threshold  least cosine similarity
 */
export function assignPeople(candidates: readonly (Candidate | null)[], threshold: number): (Person | null)[] {
  const best = new Map<string, number>();
  candidates.forEach((candidate, face) => {
    if (!candidate || candidate.score < threshold) return;
    const rival = candidates[best.get(candidate.person.id) ?? -1];
    if (!rival || candidate.score > rival.score) best.set(candidate.person.id, face);
  });
  return candidates.map((candidate, face) =>
    candidate && best.get(candidate.person.id) === face ? candidate.person : null,
  );
}
