import type { Person } from '../core/person.ts';

/** A face's best match in the gallery. */
export interface Candidate {
  readonly person: Person;
  readonly score: number;
}

/** A candidate with what counts as a match by the encoder its score is of. */
export interface Claim extends Candidate {
  /** Least cosine similarity. */
  readonly threshold: number;
}

/**
 * Gives each person to at most one of the faces of a frame, the one most like them: nobody is in two places. A face
 * that loses its person names nobody in this frame. Scores of different encoders are compared by how far they are above
 * what counts as a match.
 *
 * @param candidates best match of each face looked at, null where the gallery is empty
 * @param held       people that other faces of the same frame, not looked at this time, were found to be
 */
export function assignPeople(candidates: readonly (Claim | null)[], held: readonly Claim[] = []): (Person | null)[] {
  const owners = new Map<string, { margin: number; face: number | null }>();
  const marginOf = ({ score, threshold }: Claim) => score - threshold;
  for (const claim of held) owners.set(claim.person.id, { margin: marginOf(claim), face: null });
  candidates.forEach((candidate, face) => {
    const margin = candidate ? marginOf(candidate) : -1;
    if (!candidate || !(margin >= 0)) return;
    const owner = owners.get(candidate.person.id);
    if (!owner || margin > owner.margin) owners.set(candidate.person.id, { margin, face });
  });
  return candidates.map((candidate, face) =>
    candidate && owners.get(candidate.person.id)?.face === face ? candidate.person : null,
  );
}
