import type { Config } from '../../config/schema.ts';
import { rounded } from '../../core/statistics.ts';
import { PicturePool } from '../../pictures/picture-pool.ts';
import { PICTURE_STEPS, type PictureStep } from '../../pictures/picture-protocol.ts';
import type { CommandContext } from '../command.ts';

export interface PicturesResult {
  readonly pictures: number;
  readonly unreadable: number;
  /** Pictures in which a face was found, and faces found. */
  readonly withFace: number;
  readonly faces: number;
  readonly workers: number;
  /** Each step with all before it. */
  readonly picturesPerSecond: Readonly<Record<PictureStep, number>>;
  /** The same as time a picture, milliseconds. */
  readonly msPerPicture: Readonly<Record<PictureStep, number>>;
}

/** Pictures before the clock runs: files are in the cache, models are warm. */
const WARM_UP_PICTURES = 64;

/** How fast stored pictures go through the chain on all workers, up to each of its steps. */
export async function benchPictures(
  config: Config,
  files: readonly string[],
  workers: number,
  { env, signal }: Pick<CommandContext, 'env' | 'signal'>,
): Promise<PicturesResult> {
  const pool = new PicturePool(
    { models: config.models, inference: config.inference, detection: config.detection },
    { workers, batching: 'fastest', env },
  );
  const read = (some: readonly string[], upTo: PictureStep) =>
    pool.run(
      some.map((file) => ({ kind: 'read' as const, file, upTo })),
      signal,
    );
  await pool.start();
  try {
    const perSecond: Partial<Record<PictureStep, number>> = {};
    let tally = { unreadable: 0, withFace: 0, faces: 0 };
    for await (const _ of read(files.slice(0, WARM_UP_PICTURES), 'embed'));
    for (const step of PICTURE_STEPS) {
      tally = { unreadable: 0, withFace: 0, faces: 0 };
      const started = performance.now();
      for await (const { error, faces } of read(files, step)) {
        if (error !== null) tally.unreadable++;
        if (faces.length > 0) tally.withFace++;
        tally.faces += faces.length;
      }
      perSecond[step] = (files.length / (performance.now() - started)) * 1000;
    }
    const each = (of: (rate: number) => number) =>
      Object.fromEntries(PICTURE_STEPS.map((step) => [step, of(perSecond[step] ?? 0)])) as Record<PictureStep, number>;
    return {
      pictures: files.length,
      ...tally,
      workers,
      picturesPerSecond: each((rate) => rounded(rate, 1)),
      msPerPicture: each((rate) => rounded(1000 / rate, 3)),
    };
  } finally {
    await pool.close();
  }
}
