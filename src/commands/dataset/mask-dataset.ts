import { join } from 'node:path';
import { seededRandom, seedOf } from '../../core/seeded-random.ts';
import { MASK_FITS, MASK_TYPES, type MaskFit, type MaskState, type MaskType } from '../../faces/mask/mask-spec.ts';
import type { WantedMask } from '../../faces/mask/random-mask.ts';
import { contactSheet, type SheetPair } from './contact-sheet.ts';
import type { MaskAnswer, MaskJob, SampleJob } from './picture-masker.ts';

/** Does jobs on pictures, several at a time: processes (worker-processes.ts), or whatever else runs `maskPicture`. */
export interface PictureWorkers {
  run(job: MaskJob | SampleJob): Promise<MaskAnswer>;
}

export interface MaskDatasetOptions {
  readonly from: string;
  readonly to: string;
  /** Paths below `from`. */
  readonly pictures: readonly string[];
  readonly seed: number;
  readonly workers: PictureWorkers;
  /** Jobs under way at once. */
  readonly width: number;
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
  const { from, to, pictures, seed, workers, signal } = options;
  const counts = { masked: 0, withoutFace: 0, done: 0 };
  const unreadable: { picture: string; reason: string }[] = [];
  const types: Partial<Record<MaskType, number>> = {};
  const states: Partial<Record<MaskState, number>> = {};
  await inParallel(pictures, options.width, signal, async (picture) => {
    const job: MaskJob = {
      kind: 'mask',
      from: join(from, picture),
      to: join(to, picture),
      seed: seedOf(seed, picture),
    };
    const answer = await workers.run(job);
    if (answer.outcome === 'masked') {
      const { type, state } = answer.mask;
      counts.masked++;
      types[type] = (types[type] ?? 0) + 1;
      states[state] = (states[state] ?? 0) + 1;
    } else if (answer.outcome === 'no-face') counts.withoutFace++;
    else if (answer.outcome === 'unreadable') unreadable.push({ picture, reason: answer.reason });
    options.onDone?.(++counts.done);
  });
  unreadable.sort((a, b) => (a.picture < b.picture ? -1 : 1));
  return { masked: counts.masked, withoutFace: counts.withoutFace, unreadable, types, states };
}

export interface PreviewOptions
  extends Pick<MaskDatasetOptions, 'from' | 'pictures' | 'seed' | 'workers' | 'width' | 'signal'> {
  readonly wanted: WantedMask;
  /** Side of each picture on the sheet, pixels. */
  readonly side: number;
}

/** A sheet of plain and masked faces side by side: a row for each type, a column for each fit. */
export async function maskPreview(options: PreviewOptions): Promise<ReturnType<typeof contactSheet>> {
  const { from, pictures, seed, workers, wanted, side, signal } = options;
  const types = MASK_TYPES.filter((type) => wanted.types?.includes(type) ?? true);
  const fits = MASK_FITS.filter((fit) => wanted.fits?.includes(fit) ?? true);
  const cells = types.flatMap((type) => fits.map((fit) => ({ type, fit })));
  const shuffled = shuffle(pictures, seededRandom(seed));
  const pairs = new Map<{ type: MaskType; fit: MaskFit }, SheetPair>();
  // Each cell has its own share of the pictures, so that which it shows does not depend on how fast the others are.
  await inParallel(cells, options.width, signal, async (cell) => {
    const share = shuffled.filter((_, index) => index % cells.length === cells.indexOf(cell));
    for (const picture of share.length > 0 ? share : shuffled.slice(0, 1)) {
      const answer = await workers.run({
        kind: 'sample',
        from: join(from, picture),
        seed: seedOf(seed, `${picture} ${cell.type} ${cell.fit}`),
        wanted: { ...wanted, types: [cell.type], fits: [cell.fit] },
        side,
      });
      if (answer.outcome !== 'sampled') continue;
      pairs.set(cell, answer);
      return;
    }
  });
  const rows = types.map((type) => cells.filter((cell) => cell.type === type).map((cell) => pairs.get(cell) ?? null));
  return contactSheet(rows, side);
}

/** Fisher and Yates. */
function shuffle<T>(values: readonly T[], random: () => number): T[] {
  const mixed = [...values];
  for (let last = mixed.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [mixed[last], mixed[other]] = [mixed[other] as T, mixed[last] as T];
  }
  return mixed;
}

/** Runs `work` on each, `width` at a time; begins no more once `signal` is aborted or one has failed. */
async function inParallel<T>(
  values: readonly T[],
  width: number,
  signal: AbortSignal,
  work: (value: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  let failed = false;
  const lane = async () => {
    while (next < values.length && !signal.aborted && !failed) {
      try {
        await work(values[next++] as T);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: width }, lane));
  const broken = lanes.find((it) => it.status === 'rejected');
  if (broken) throw broken.reason;
}
