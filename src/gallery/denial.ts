import { cosine } from '../faces/embedding.ts';
import type { TrackTemplate } from './visitor.ts';

/** Somebody said that a track was not a person. */
export interface DeniedTrack {
  readonly person: string;
  readonly track: string;
  readonly deniedAtMs: number;
}

/** What a track that was denied looked like to one encoder. */
export interface Denial extends DeniedTrack, TrackTemplate {}

/** All that was said so far; a new list is a new object. */
export interface Denials {
  /** Another one whenever something was said or taken back. */
  readonly version: number;
  readonly people: ReadonlySet<string>;
  readonly looks: readonly Denial[];
}

export const NO_DENIALS: Denials = { version: 0, people: new Set(), looks: [] };

/** A face as denials are compared with it. */
export interface DeniableFace {
  /** Track it is of, as events have it. */
  readonly track: string;
  /** When the track was seen first, wall clock: numbers of tracks come again after a restart. */
  readonly firstSeenAtMs: number;
  readonly encoder: string;
  /** Of unit length. */
  readonly embedding: Float32Array;
}

/**
 * Whom, of the people a face may be, it is not: those of whom it was said while its track was there, and those it is less like
 * than a face of which somebody said that it is not them. Only looks by the same encoder are compared.
 *
 * @param matches the people it may be, with its cosine to their best template
 */
export function deniedPeople(
  { people, looks }: Denials,
  face: DeniableFace,
  matches: readonly { readonly person: { readonly id: string }; readonly cosine: number }[],
): ReadonlySet<string> {
  if (people.size === 0) return people;
  const denied = matches.filter(({ person: { id }, cosine: own }) =>
    looks.some((look) => look.person === id && (isOfTrack(look, face) || likenessTo(look, face) >= own)),
  );
  return new Set(denied.map(({ person: { id } }) => id));
}

function isOfTrack({ track, deniedAtMs }: Denial, face: DeniableFace): boolean {
  return track === face.track && deniedAtMs >= face.firstSeenAtMs;
}

function likenessTo({ embedding, encoder }: Denial, face: DeniableFace): number {
  const comparable = encoder === face.encoder && embedding.length === face.embedding.length;
  return comparable ? cosine(embedding, face.embedding) : Number.NEGATIVE_INFINITY;
}
