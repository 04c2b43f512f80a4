import { join } from 'node:path';
import { seededRandom, seedOf } from '../../core/seeded-random.ts';
import { shuffled } from '../../core/shuffled.ts';
import { MASK_FITS, MASK_TYPES, type MaskState, type MaskType } from '../../faces/mask/mask-spec.ts';
import type { WantedMask } from '../../faces/mask/random-mask.ts';
import type { PictureAnswer, PictureTask } from '../../pictures/picture-protocol.ts';
import { contactSheet, type SheetPair } from './contact-sheet.ts';

/** Works on pictures, several at a time: a picture pool, or whatever else answers in order. */
export interface PictureWork {
  run<T extends PictureTask>(tasks: Iterable<T>): AsyncIterable<PictureAnswer<T>>;
}

export interface MaskDatasetOptions {
  readonly from: string;
  readonly to: string;
  /** Paths below `from`. */
  readonly pictures: readonly string[];
  readonly seed: number;
  readonly wanted: WantedMask;
  readonly pool: PictureWork;
  readonly onDone?: (done: number) => void;
  readonly signal: AbortSignal;
}

export interface MaskDatasetResult {
  readonly masked: number;
  readonly withoutFace: number;
  readonly unreadable: readonly { readonly picture: string; readonly reason: string }[];
  readonly types: Partial<Record<MaskType, number>>;
  readonly states: Partial<Record<MaskState, number>>;
}

/**
 * Masks the pictures of a folder into another, each under its own path. What is drawn depends on seed and path alone, not
 * on the order. When `signal` is aborted what has begun is finished, and what there is by then is the result.
 */
export async function maskDataset(options: MaskDatasetOptions): Promise<MaskDatasetResult> {
  const { from, to, pictures, seed, wanted, pool, signal, onDone } = options;
  const counts = { masked: 0, withoutFace: 0, done: 0 };
  const unreadable: { picture: string; reason: string }[] = [];
  const types: Partial<Record<MaskType, number>> = {};
  const states: Partial<Record<MaskState, number>> = {};
  function* tasks() {
    for (const picture of pictures) {
      if (signal.aborted) return;
      const [file, target] = [join(from, picture), join(to, picture)];
      yield { kind: 'mask', file, to: target, seed: seedOf(seed, picture), wanted } as const;
    }
  }
  for await (const answer of pool.run(tasks())) {
    if (answer.outcome === 'masked') {
      const { type, state } = answer.mask;
      counts.masked++;
      types[type] = (types[type] ?? 0) + 1;
      states[state] = (states[state] ?? 0) + 1;
    } else if (answer.outcome === 'no-face') counts.withoutFace++;
    else unreadable.push({ picture: pictures[counts.done] ?? '', reason: answer.reason });
    onDone?.(++counts.done);
  }
  return { masked: counts.masked, withoutFace: counts.withoutFace, unreadable, types, states };
}

export interface PreviewOptions
  extends Pick<MaskDatasetOptions, 'from' | 'pictures' | 'seed' | 'wanted' | 'pool' | 'signal'> {
  /** Side of each picture on the sheet, pixels. */
  readonly side: number;
}

/** A sheet of plain and masked faces side by side: a row for each type, a column for each fit. */
export async function maskPreview(options: PreviewOptions): Promise<ReturnType<typeof contactSheet>> {
  const { from, pictures, seed, wanted, pool, side, signal } = options;
  const types = MASK_TYPES.filter((type) => wanted.types?.includes(type) ?? true);
  const fits = MASK_FITS.filter((fit) => wanted.fits?.includes(fit) ?? true);
  const cells = types.flatMap((type) => fits.map((fit) => ({ type, fit })));
  const mixed = shuffled(pictures, seededRandom(seed));
  const pairs = new Map<(typeof cells)[number], SheetPair>();
  // Each cell has its own share of the pictures and goes on to the next of it where there is no face to show.
  const shares = cells.map((_, at) => mixed.filter((_picture, index) => index % cells.length === at));
  for (let turn = 0; !signal.aborted; turn++) {
    const open = cells.flatMap((cell, at) => {
      const picture = shares[at]?.[turn] ?? (turn === 0 ? mixed[0] : undefined);
      return picture === undefined || pairs.has(cell) ? [] : [{ cell, picture }];
    });
    if (open.length === 0) break;
    const tasks = open.map(({ cell: { type, fit }, picture }) => ({
      kind: 'sample' as const,
      file: join(from, picture),
      seed: seedOf(seed, `${picture} ${type} ${fit}`),
      wanted: { ...wanted, types: [type], fits: [fit] },
      side,
    }));
    let at = 0;
    for await (const answer of pool.run(tasks)) {
      const cell = open[at++]?.cell;
      if (cell && answer.outcome === 'sampled') pairs.set(cell, answer);
    }
  }
  const rows = types.map((type) => cells.filter((cell) => cell.type === type).map((cell) => pairs.get(cell) ?? null));
  return contactSheet(rows, side);
}
