import { EyelineError } from '../core/errors.ts';
import { type ClosedSetOptions, closedSet, type LabelledFile } from './closed-set.ts';
import type { FaceShelf } from './face-shelf.ts';
import { type CropsTaken, cropsTaken, type ReadOptions, type ReadPicture } from './face-source.ts';
import {
  type ComparisonFigures,
  comparisonFigures,
  type IdentificationFigures,
  identificationFigures,
} from './figures.ts';
import type { IdentificationMethod, LabelledPictures, SearchedProbes } from './identification-method.ts';
import type { PersonPictures } from './people-folder.ts';
import type { MaskedSide } from './verify-pairs.ts';

export interface IdentifyOptions extends Omit<ClosedSetOptions, 'leaveOneOut' | 'learned'> {
  readonly people: readonly PersonPictures[];
  /** Who wears a simulated mask: nobody, the probes, or the gallery as well. For plain probes. */
  readonly mask: MaskedSide;
  readonly maskSeed: number;
  readonly read: Omit<ReadOptions, keyof CropsTaken | 'mask'>;
  readonly onProgress?: (done: number, of: number) => void;
}

export interface Identification extends ComparisonFigures, IdentificationFigures {
  /** People in the folder, and faces of them that are enrolled. */
  readonly people: number;
  readonly gallery: number;
  /** Pictures of the gallery without a face: they are not enrolled. */
  readonly galleryNotFound: number;
  readonly probes: number;
  /** Probes without a face: they count as wrong. */
  readonly notFound: number;
  /** Pictures that cannot be read: they are left out. */
  readonly skipped: number;
  /** Pictures of people nothing else is enrolled of: nothing could find them, and they are no probes. */
  readonly withoutGallery: number;
}

/** A probe with the faces it met, for a report. */
export interface IdentifiedProbe {
  readonly picture: ReadPicture;
  readonly person: string;
  readonly right: boolean;
  /** The face of that person most like it, and of the one else who scored best; null without. */
  readonly own: Met | null;
  readonly other: (Met & { readonly person: string }) | null;
}

interface Met {
  readonly picture: ReadPicture;
  readonly score: number;
}

export interface IdentificationRun {
  readonly figures: Identification;
  readonly unreadable: readonly ReadPicture[];
  /** The probe at an index, with whom it met. */
  probe(index: number): IdentifiedProbe;
}

/**
 * Closed-set identification: searches for every probe in the gallery. A probe without a face counts as wrong; pictures that
 * cannot be read are left out.
 *
 * Throws NOTHING_TO_EVALUATE when there is nobody to look for, or nobody enrolled.
 */
export async function identifyPeople(
  shelf: FaceShelf,
  method: IdentificationMethod,
  options: IdentifyOptions,
): Promise<IdentificationRun> {
  const { people, mask, maskSeed, read, onProgress } = options;
  const set = closedSet(people, {
    ...options,
    leaveOneOut: method.canLeaveOneOut,
    ...(method.learned && { learned: method.learned }),
  });
  const sides = [
    { files: set.gallery, masked: mask === 'both' },
    { files: set.probes, masked: mask !== 'none' },
  ] as const;
  const unreadable = new Map<string, ReadPicture>();
  const readSide = async (files: readonly LabelledFile[], masked: boolean) => {
    const pictures = await shelf.read(
      files.map(({ file }) => file),
      { ...read, ...cropsTaken(method), mask: masked ? { seed: maskSeed } : null },
      onProgress,
    );
    for (const picture of pictures) if (picture.reason === 'unreadable') unreadable.set(picture.file, picture);
    const readable = files.flatMap(({ person }, index) => {
      const picture = pictures[index];
      return picture && picture.reason !== 'unreadable' ? [{ picture, person }] : [];
    });
    return { pictures: readable.map(({ picture }) => picture), people: readable.map(({ person }) => person) };
  };
  const gallery = await readSide(sides[0].files, sides[0].masked);
  const probes = await readSide(sides[1].files, sides[1].masked);
  if ((gallery.pictures.length === 0 && !method.learned) || probes.pictures.length === 0)
    throw nothingLeft(set, unreadable.size, options);

  const searched = await method.search(gallery, probes, set.people.length);
  return {
    figures: {
      people: set.people.length,
      gallery: method.learned?.pictures ?? gallery.pictures.length - searched.notEnrolled,
      galleryNotFound: searched.notEnrolled,
      probes: probes.pictures.length,
      notFound: searched.searches.filter(({ scores }) => scores === null).length,
      skipped: unreadable.size,
      withoutGallery: set.withoutGallery,
      ...identificationFigures(searched.searches),
      ...comparisonFigures(searched.comparisons),
    },
    unreadable: [...unreadable.values()],
    probe: (index) => describe(index, searched, gallery, probes, set.people),
  };
}

function nothingLeft(
  { withoutGallery }: { withoutGallery: number },
  unreadable: number,
  { probe, people }: IdentifyOptions,
): EyelineError {
  const pictures = people.reduce((sum, person) => sum + person[probe].length, 0);
  const reasons = [
    `${people.length} people have ${pictures} ${probe} pictures`,
    ...(withoutGallery > 0 ? [`${withoutGallery} are of people nothing else is enrolled of`] : []),
    ...(unreadable > 0 ? [`${unreadable} cannot be read`] : []),
  ];
  return new EyelineError('NOTHING_TO_EVALUATE', `there is nobody to look for: ${reasons.join(', ')}`);
}

function describe(
  index: number,
  { searches, nearest }: SearchedProbes,
  gallery: LabelledPictures,
  probes: LabelledPictures,
  people: readonly string[],
): IdentifiedProbe {
  const [picture, search] = [probes.pictures[index], searches[index]];
  if (!picture || !search) throw new RangeError(`there is no probe ${index}`);
  const { truth, scores } = search;
  const met = (person: number): Met | null => {
    const at = scores ? nearest(index, person) : null;
    const enrolled = at === null ? undefined : gallery.pictures[at];
    return enrolled ? { picture: enrolled, score: scores?.[person] ?? Number.NaN } : null;
  };
  let rival: number | null = null;
  scores?.forEach((score, person) => {
    if (person !== truth && (rival === null || score > (scores[rival] ?? score))) rival = person;
  });
  const own = met(truth);
  const other = rival === null ? null : met(rival);
  return {
    picture,
    person: people[truth] ?? '',
    right: scores !== null && (rival === null || (scores[truth] ?? Number.NaN) > (scores[rival] ?? Number.NaN)),
    own,
    other: other && { ...other, person: people[rival ?? -1] ?? '' },
  };
}
