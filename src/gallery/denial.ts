import { cosine } from '../faces/embedding.ts';
import type { TrackTemplate } from './visitor.ts';

/** Somebody said that a track was not a person: what it looked like to one encoder. */
export interface Denial extends TrackTemplate {
  readonly person: string;
}

/** All that was said so far; a new list is a new object. */
export interface Denials {
  /** Another one whenever something was said or taken back. */
  readonly version: number;
  readonly people: ReadonlySet<string>;
  readonly looks: readonly Denial[];
}

export const NO_DENIALS: Denials = { version: 0, people: new Set(), looks: [] };

/**
 * Whom, of the people a face may be, it is not: those it is less like than a face of which somebody said that it is not
 * them. Only looks by the same encoder are compared; `probe` has unit length.
 */
export function deniedPeople(
  { people, looks }: Denials,
  probe: Float32Array,
  encoder: string,
  matches: readonly { readonly person: { readonly id: string }; readonly score: number }[],
): ReadonlySet<string> {
  if (people.size === 0) return people;
  const denied = matches.filter(({ person: { id }, score }) =>
    looks.some(
      (look) =>
        look.person === id &&
        look.encoder === encoder &&
        look.embedding.length === probe.length &&
        cosine(look.embedding, probe) >= score,
    ),
  );
  return new Set(denied.map(({ person: { id } }) => id));
}
