import type { Match } from './sequential-test.ts';

/** Somebody whom another face of the frame was found to be. */
export interface Held {
  readonly personId: string;
  /** How like them it was, as a normal score of one look. */
  readonly normal: number;
}

/**
 * Whom each of the faces of a frame cannot be: nobody is in two places, so of several faces that speak for a person only the
 * one most like them may be theirs. Scores of different encoders are compared as normal scores; a tie goes to the first.
 *
 * @param faces people each face looked at matches best
 * @param held  people that other faces of the same frame, not looked at this time, were found to be
 */
export function excludedPeople(faces: readonly (readonly Match[])[], held: readonly Held[] = []): Set<string>[] {
  const owners = new Map<string, { normal: number; face: number | null }>();
  for (const { personId, normal } of held) owners.set(personId, { normal, face: null });
  faces.forEach((matches, face) => {
    for (const { person, llr, normal } of matches) {
      const owner = owners.get(person.id);
      // What speaks against a person is no claim to them.
      if (llr > 0 && (!owner || normal > owner.normal)) owners.set(person.id, { normal, face });
    }
  });
  return faces.map((_, face) => {
    const others = [...owners].filter(([, owner]) => owner.face !== face);
    return new Set(others.map(([personId]) => personId));
  });
}
