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
 * @param candidates best match of each face looked at, null where the gallery is empty
 * @param threshold  least cosine similarity
 * @param held       people that other faces of the same frame, not looked at this time, were found to be
 */
export function assignPeople(
  candidates: readonly (Candidate | null)[],
  threshold: number,
  held: readonly Candidate[] = [],
): (Person | null)[] {
  const owners = new Map<string, { score: number; face: number | null }>();
  for (const { person, score } of held) owners.set(person.id, { score, face: null });
  candidates.forEach((candidate, face) => {
    if (!candidate || candidate.score < threshold) return;
    const owner = owners.get(candidate.person.id);
    if (!owner || candidate.score > owner.score) owners.set(candidate.person.id, { score: candidate.score, face });
  });
  return candidates.map((candidate, face) =>
    candidate && owners.get(candidate.person.id)?.face === face ? candidate.person : null,
  );
}
