import type { ReadPicture } from '../../evaluation/face-source.ts';

/** So many are named; the rest is counted. */
const NAMED = 10;

/** A line for each of the first pictures that could not be read, with the reason. */
export function leftOutText(unreadable: readonly ReadPicture[]): string[] {
  const lines = unreadable.slice(0, NAMED).map((picture) => {
    return `left out: ${picture.reason === null ? picture.file : picture.message}`;
  });
  const more = unreadable.length - lines.length;
  return more > 0 ? [...lines, `left out: ${more} more pictures that cannot be read`] : lines;
}
