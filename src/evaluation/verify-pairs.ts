import { dirname, join } from 'node:path';
import { EyelineError } from '../core/errors.ts';
import { embedPictures } from './cached-encoder.ts';
import type { FaceEncoder } from './face-encoder.ts';
import type { FaceShelf } from './face-shelf.ts';
import { type CropsTaken, cropsTaken, type ReadOptions, type ReadPicture } from './face-source.ts';
import { type VerificationFigures, verificationFigures } from './figures.ts';
import { NOT_COMPARED, type ScoredPair } from './metrics/comparisons.ts';
import type { PicturePair } from './pairs-file.ts';

/** Who wears a simulated mask: nobody, the second picture of a pair (the probe), or both. */
export type MaskedSide = 'none' | 'probe' | 'both';

export interface VerifyOptions {
  /** Folder the pairs' paths are relative to. */
  readonly images: string;
  readonly pairs: readonly PicturePair[];
  readonly mask: MaskedSide;
  readonly maskSeed: number;
  readonly read: Omit<ReadOptions, keyof CropsTaken | 'mask'>;
  readonly onProgress?: (done: number, of: number) => void;
}

/** A pair with what became of it. */
export interface VerifiedPair extends ScoredPair {
  readonly a: ReadPicture;
  readonly b: ReadPicture;
}

export interface Verification extends VerificationFigures {
  /** Pairs that were scored. */
  readonly pairs: number;
  /** Pictures that are missing or unreadable; their pairs are left out. */
  readonly skipped: number;
  readonly pairsLeftOut: number;
  /** Pictures without a face; their pairs count as different people. */
  readonly notFound: number;
}

export interface VerificationRun {
  readonly figures: Verification;
  readonly pairs: readonly VerifiedPair[];
  readonly unreadable: readonly ReadPicture[];
}

/**
 * Verification: scores every pair, the first picture taken as enrolled and the second as the probe. A pair with a face that is not found counts as different
 * people; one with a picture that is missing or unreadable is left out.
 *
 * Throws NOTHING_TO_EVALUATE when no pair is left.
 */
export async function verifyPairs<Code extends object>(
  shelf: FaceShelf,
  encoder: FaceEncoder<Code>,
  options: VerifyOptions,
): Promise<VerificationRun> {
  const { images, pairs, mask, maskSeed, read, onProgress } = options;
  const reading = (masked: boolean): ReadOptions => ({
    ...read,
    ...cropsTaken(encoder),
    mask: masked ? { seed: maskSeed } : null,
  });
  const sides = [
    { files: pairs.map(({ a }) => join(images, a)), masked: mask === 'both', as: 'enrolled' },
    { files: pairs.map(({ b }) => join(images, b)), masked: mask !== 'none', as: 'probes' },
  ] as const;
  const pictures: ReadPicture[][] = [];
  const embeddings: (Code | null)[][] = [];
  for (const { files, masked, as } of sides) {
    const side = await shelf.read(files, reading(masked), onProgress);
    pictures.push(side);
    embeddings.push(await embedPictures(side, encoder, as));
  }

  const peopleOf = knownPeople(pairs);
  const verified: VerifiedPair[] = [];
  const unreadable = new Map<string, ReadPicture>();
  const notFound = new Set<ReadPicture>();
  for (const [index, pair] of pairs.entries()) {
    const [a, b] = [pictures[0]?.[index], pictures[1]?.[index]];
    if (!a || !b) throw new Error('a pair was not read');
    const lost = [a, b].filter(({ reason }) => reason === 'unreadable');
    if (lost.length > 0) {
      for (const picture of lost) unreadable.set(picture.file, picture);
      continue;
    }
    const [first, second] = [embeddings[0]?.[index], embeddings[1]?.[index]];
    if (!first) notFound.add(a);
    if (!second) notFound.add(b);
    const score = first && second ? encoder.compare(first, second) : NOT_COMPARED;
    verified.push({ same: pair.same, score, people: peopleOf(pair), a, b });
  }
  if (verified.length === 0) {
    throw new EyelineError(
      'NOTHING_TO_EVALUATE',
      `none of ${pairs.length} pairs can be compared: ${unreadable.size} pictures are missing or unreadable in ${images}`,
    );
  }
  return {
    figures: {
      pairs: verified.length,
      skipped: unreadable.size,
      pairsLeftOut: pairs.length - verified.length,
      notFound: notFound.size,
      ...verificationFigures(verified),
    },
    pairs: verified,
    unreadable: [...unreadable.values()],
  };
}

/**
 * Whom a pair shows, where folders are people: then pictures of one folder are of one person in every pair, and those of
 * two are not. Else it is known of no pair.
 */
export function knownPeople(pairs: readonly PicturePair[]): (pair: PicturePair) => readonly [string, string] | null {
  const folders = ({ a, b }: PicturePair) => [dirname(a), dirname(b)] as const;
  const areFolders = pairs.every((pair) => {
    const [first, second] = folders(pair);
    return first !== '.' && second !== '.' && (first === second) === pair.same;
  });
  return areFolders ? folders : () => null;
}
