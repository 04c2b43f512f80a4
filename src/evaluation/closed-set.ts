import { seededRandom, seedOf } from '../core/seeded-random.ts';
import { shuffled } from '../core/shuffled.ts';
import type { PersonPictures } from './people-folder.ts';

/** A picture file with the number of the person it is of. */
export interface LabelledFile {
  readonly file: string;
  readonly person: number;
}

/** Who is enrolled (or trained on) and who is looked for. A file in both is never compared with itself. */
export interface ClosedSet {
  readonly people: readonly string[];
  readonly gallery: readonly LabelledFile[];
  readonly probes: readonly LabelledFile[];
  /** Pictures that would be probes, of people nothing else is enrolled of: nothing could find them. */
  readonly withoutGallery: number;
}

export interface ClosedSetOptions {
  /** Pictures that are looked for. */
  readonly probe: 'plain' | 'masked';
  /**
   * `plain`: all plain pictures are enrolled. `mixed`: a half of each person's plain and of their masked pictures is, and
   * probes are of the other half.
   */
  readonly gallery: 'plain' | 'mixed';
  /** Decides which pictures are in which half. */
  readonly seed: number;
  /**
   * Whether a picture may be both enrolled and looked for, each probe among all the others (leave one out). A classifier
   * that is trained cannot leave one out, so its plain pictures are halved as well.
   */
  readonly leaveOneOut: boolean;
  /** Pictures a classifier was trained on before: nobody is enrolled then, and all others are looked for. */
  readonly learned?: { has(file: string): boolean };
}

/** Divides a folder of people into gallery and probes. Pure; the same for a seed, and a person's part the same whoever else is there. */
export function closedSet(people: readonly PersonPictures[], options: ClosedSetOptions): ClosedSet {
  const { learned } = options;
  if (learned) {
    const probes = people.flatMap((pictures, person) =>
      pictures[options.probe].flatMap((file) => (learned.has(file) ? [] : [{ file, person }])),
    );
    return { people: people.map(({ person }) => person), gallery: [], probes, withoutGallery: 0 };
  }
  const gallery: LabelledFile[] = [];
  const probes: LabelledFile[] = [];
  let withoutGallery = 0;
  for (const [person, pictures] of people.entries()) {
    const { enrolled, sought, alone } = partOf(pictures, options);
    withoutGallery += alone;
    gallery.push(...enrolled.map((file) => ({ file, person })));
    for (const file of sought) {
      if (enrolled.some((other) => other !== file)) probes.push({ file, person });
      else withoutGallery++;
    }
  }
  return { people: people.map(({ person }) => person), gallery, probes, withoutGallery };
}

interface Part {
  readonly enrolled: readonly string[];
  readonly sought: readonly string[];
  /** 1 where a half of one picture leaves none to look for. */
  readonly alone: number;
}

function partOf(pictures: PersonPictures, { probe, gallery, seed, leaveOneOut }: ClosedSetOptions): Part {
  const { person, plain, masked } = pictures;
  if (gallery === 'plain' && (probe === 'masked' || leaveOneOut)) {
    return { enrolled: plain, sought: probe === 'masked' ? masked : plain, alone: 0 };
  }
  const random = seededRandom(seedOf(seed, person));
  // Of one plain picture none is left to look for; of one masked picture none to learn from.
  const plainHalves = halved(plain, Math.ceil(plain.length / 2), random);
  const maskedHalves = halved(masked, Math.floor(masked.length / 2), random);
  const enrolled = gallery === 'mixed' ? [...plainHalves.first, ...maskedHalves.first] : plainHalves.first;
  if (probe === 'masked') return { enrolled, sought: maskedHalves.rest, alone: 0 };
  return { enrolled, sought: plainHalves.rest, alone: plain.length === 1 ? 1 : 0 };
}

function halved(files: readonly string[], count: number, random: () => number) {
  const order = shuffled(files, random);
  return { first: order.slice(0, count).sort(), rest: order.slice(count).sort() };
}
