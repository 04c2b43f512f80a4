import { EyelineError } from '../core/errors.ts';
import type { MaskState } from '../core/person.ts';
import { MASK_STATES } from '../faces/mask-state.ts';
import type { FaceShelf } from './face-shelf.ts';
import type { ReadOptions, ReadPicture } from './face-source.ts';
import type { PersonPictures } from './people-folder.ts';

export interface MaskConfusionOptions {
  readonly people: readonly PersonPictures[];
  /** Draws masks on plain pictures too: one worn, one below the nose a picture, decided by the seed; null draws none. */
  readonly simulate: { readonly seed: number } | null;
  readonly read: Omit<ReadOptions, 'mask'>;
  readonly onProgress?: (done: number, of: number) => void;
}

/** Counts by true state, then by the state that was told. */
export type MaskCounts = Readonly<Record<MaskState, Readonly<Record<MaskState, number>>>>;

export interface MaskFigures {
  readonly confusion: MaskCounts;
  readonly faces: number;
  /** Share told rightly whether there is a mask at all; null without faces. */
  readonly noneAgainstMask: number | null;
  /** Share told rightly, each true state that occurs weighing the same. */
  readonly balanced: number | null;
  /** Share of all states told rightly. */
  readonly accuracy: number | null;
  readonly notFound: number;
  readonly skipped: number;
}

export interface MaskConfusion {
  readonly figures: MaskFigures;
  readonly unreadable: readonly ReadPicture[];
  /** Faces told wrongly. */
  readonly mistakes: readonly {
    readonly file: string;
    readonly truth: MaskState;
    readonly told: MaskState;
    readonly confidence: number;
  }[];
}

/**
 * How well mask states are told: `plain/` pictures (and those of folders without) wear none, `masked/` ones wear one. Pictures
 * without a face are counted, and tell nothing of the states.
 *
 * Throws NOTHING_TO_EVALUATE when no face is found, MODEL_UNSUPPORTED when mask states are not assessed.
 */
export async function maskConfusion(shelf: FaceShelf, options: MaskConfusionOptions): Promise<MaskConfusion> {
  const { people, simulate, read, onProgress } = options;
  const plain = people.flatMap((person) => person.plain);
  const masked = people.flatMap((person) => person.masked);
  const sides: { truth: MaskState; files: readonly string[]; mask: ReadOptions['mask'] }[] = [
    { truth: 'none', files: plain, mask: null },
    { truth: 'worn', files: masked, mask: null },
    ...(simulate
      ? (['worn', 'incorrect'] as const).map((state) => ({ truth: state, files: plain, mask: { ...simulate, state } }))
      : []),
  ];
  const confusion = countsOf(() => countsOf(() => 0));
  const mistakes: MaskConfusion['mistakes'][number][] = [];
  const unreadable = new Map<string, ReadPicture>();
  let notFound = 0;
  for (const { truth, files, mask } of sides) {
    for (const picture of await shelf.read(files, { ...read, mask }, onProgress)) {
      if (picture.reason === 'unreadable') unreadable.set(picture.file, picture);
      if (picture.reason === 'no face') notFound++;
      if (!picture.face) continue;
      const told = picture.face.mask;
      if (!told) throw new EyelineError('MODEL_UNSUPPORTED', 'models.maskState is null: no mask state is told');
      confusion[truth][told.state]++;
      if (told.state !== truth)
        mistakes.push({ file: picture.file, truth, told: told.state, confidence: told.confidence });
    }
  }
  const figures = { ...rates(confusion), notFound, skipped: unreadable.size };
  if (figures.faces === 0) {
    throw new EyelineError('NOTHING_TO_EVALUATE', `no face in ${plain.length + masked.length} pictures`);
  }
  return { figures, unreadable: [...unreadable.values()], mistakes };
}

/** The shares of a confusion. */
export function rates(
  confusion: MaskCounts,
): Pick<MaskFigures, 'confusion' | 'faces' | 'noneAgainstMask' | 'balanced' | 'accuracy'> {
  const rows = MASK_STATES.map((truth) => {
    const told = MASK_STATES.map((state) => confusion[truth][state]);
    const faces = told.reduce((sum, count) => sum + count, 0);
    const right = confusion[truth][truth];
    return { faces, right, sideRight: truth === 'none' ? right : faces - confusion[truth].none };
  });
  const total = (of: (row: (typeof rows)[number]) => number) => rows.reduce((sum, row) => sum + of(row), 0);
  const faces = total((row) => row.faces);
  const share = (right: number) => (faces > 0 ? right / faces : null);
  const present = rows.filter((row) => row.faces > 0);
  return {
    confusion,
    faces,
    noneAgainstMask: share(total(({ sideRight }) => sideRight)),
    balanced: present.length > 0 ? present.reduce((sum, row) => sum + row.right / row.faces, 0) / present.length : null,
    accuracy: share(total(({ right }) => right)),
  };
}

function countsOf<T>(make: () => T): Record<MaskState, T> {
  return { none: make(), worn: make(), incorrect: make() };
}
