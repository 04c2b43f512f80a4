import { cohortOf, lessened } from '../faces/cohort.ts';
import { cosine } from '../faces/embedding.ts';
import { enrolBy, type FaceEncoder, type ScoresAmong } from './face-encoder.ts';

/**
 * Cosines of a probe with faces that are enrolled, allowed for how alike it is to everybody, as the daemon does it.
 *
 * @param enrolled embeddings of unit length; null for what is no face
 * @param people whose each is, by number
 */
export function cosinesAmong(
  enrolled: readonly (Float32Array | null)[],
  people: readonly number[],
): ScoresAmong<Float32Array> {
  const rows = enrolled.flatMap((vector, index) => (vector ? [{ vector, person: people[index] ?? -1 }] : []));
  const owners = new Map([...new Set(rows.map(({ person }) => person))].map((person, owner) => [person, owner]));
  const cohort = cohortOf({
    owners: rows.map(({ person }) => owners.get(person) ?? 0),
    vectorOf: (row) => rows[row]?.vector ?? new Float32Array(),
  });
  const allowances = new WeakMap<Float32Array, (owner: number) => number>();
  return {
    of(index, probe) {
      const vector = enrolled[index];
      if (!vector) throw new RangeError(`nothing is enrolled at ${index}`);
      const allowance = allowances.get(probe) ?? cohort?.allowance(probe) ?? (() => 0);
      allowances.set(probe, allowance);
      return lessened(cosine(vector, probe), allowance(owners.get(people[index] ?? -1) ?? -1));
    },
  };
}

/** The same encoder, whose scores in a gallery are allowed for how alike a probe is to everybody enrolled. */
export function allowingForAll(encoder: FaceEncoder<Float32Array>): FaceEncoder<Float32Array> {
  const { id, cropPx, alignedBy } = encoder;
  return {
    id,
    cropPx,
    alignedBy,
    embed: (faces) => encoder.embed(faces),
    enrol: (faces) => enrolBy(encoder, faces),
    compare: (enrolled, probe) => encoder.compare(enrolled, probe),
    among: cosinesAmong,
  };
}
