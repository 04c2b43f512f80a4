import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { EyelineError, messageOf } from '../../core/errors.ts';
import {
  type AtScore,
  detectionFigures,
  falseFinds,
  foundAtFalseFinds,
  type Looked,
  type WhichFace,
} from '../../evaluation/detection.ts';
import { leastScoreOf } from '../../faces/detectors/least-score.ts';
import { evenly, findPictureTree } from '../../pictures/picture-tree.ts';
import type { CommandContext } from '../command.ts';
import { type ChainOptions, openPictures } from './open-evaluation.ts';
import { TIGHT_CROP_PAD } from './tight-crops.ts';

export interface DetectCommand extends ChainOptions {
  readonly pictures: string;
  readonly kind?: 'plain' | 'masked';
  readonly face: WhichFace;
  readonly noFaces?: boolean;
  /** Pictures without a face. */
  readonly against?: string;
  readonly mask?: boolean;
  readonly maskSeed: number;
  readonly pad?: number;
  readonly limit?: number;
  readonly json?: boolean;
}

/** Least scores that are told, beside the configured one. */
const SCORES = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/** False finds in 1,000 pictures without a face at which recall is told. */
const FALSE_FIND_RATES = [1, 10];

/** `eyeline eval detect`. */
export async function runDetect(options: DetectCommand, context: CommandContext): Promise<void> {
  const { kind, face, noFaces = false, mask = false, maskSeed, limit, json, against } = options;
  const pad = options.pad ?? (kind ? TIGHT_CROP_PAD : 0);
  if (noFaces && against !== undefined) throw new EyelineError('USAGE', '--against is for pictures of faces');
  const scratch = await mkdtemp(join(tmpdir(), 'eyeline-detect-'));
  const evaluation = await openPictures(options, context, { lowScore: SCORES[0] ?? 0 });
  try {
    const folder = await folderOf(options.pictures, scratch, context.signal);
    const names = (await findPictureTree(folder)).pictures.filter((path) => !kind || path.split('/').includes(kind));
    if (names.length === 0) throw new EyelineError('USAGE', `${folder} has no pictures in folders called ${kind}`);
    const tasks = evenly(names, limit).map((name) => ({
      kind: 'detect' as const,
      file: join(folder, name),
      pad,
      mask: mask ? { seed: maskSeed } : null,
    }));
    const leftOut = { unreadable: 0, 'no-face': 0 };
    const look = async (asked: readonly (typeof tasks)[number][]) => {
      const looked: Looked[] = [];
      let done = 0;
      for await (const answer of evaluation.pool.run(asked, context.signal)) {
        evaluation.progress.onProgress(++done, asked.length);
        if (answer.outcome === 'looked') looked.push(answer);
        else leftOut[answer.outcome]++;
      }
      return looked;
    };
    const looked = await look(tasks);
    const without =
      against === undefined ? null : await look(await tasksWithoutFaces(against, scratch, context.signal));
    if (leftOut.unreadable > 0) context.warn(`left out: ${leftOut.unreadable} unreadable`);
    if (leftOut['no-face'] > 0) context.warn(`left out: ${leftOut['no-face']} without a face to draw a mask on`);
    const { detector, secondDetector } = evaluation.config.models;
    const minScore = leastScoreOf(evaluation.store.entry(detector), evaluation.config.detection.minScore);
    const scores = [...new Set([...SCORES, minScore])].sort((a, b) => a - b);
    const figures = noFaces ? falseFinds(looked, scores) : detectionFigures(looked, face, scores);
    const atFalseFinds = without && foundAtFalseFinds(looked, face, without, FALSE_FIND_RATES);
    const asked = { detector, secondDetector, minScore, kind: kind ?? null, face, mask, pad };
    if (json) {
      context.print(JSON.stringify({ ...asked, ...figures, ...(atFalseFinds && { against, atFalseFinds }), leftOut }));
      return;
    }
    const values: readonly AtScore[] = 'found' in figures ? figures.found : figures.per1000;
    const text = (value: number) => (noFaces ? `${value} in 1000` : `${(value * 100).toFixed(1)} %`);
    context.print(`detector   ${detector}${secondDetector === null ? '' : `, second look ${secondDetector}`}`);
    context.print(`pictures   ${figures.pictures}${mask ? ', simulated masks' : ''}, border ${pad}`);
    for (const { minScore: score, value } of values) {
      const mark = score === minScore ? ' (configured)' : '';
      context.print(`${noFaces ? 'false' : 'found'}      ${text(value)} at score ${score}${mark}`);
    }
    for (const { per1000, aboveScore, value } of atFalseFinds ?? []) {
      context.print(
        `found      ${(value * 100).toFixed(1)} % at ${per1000} false in 1000 of ${without?.length} without a face (above score ${aboveScore})`,
      );
    }
    context.print(`time       ${figures.msPerPicture ?? '?'} ms a picture, median, one thread`);
  } finally {
    await evaluation.close();
    await rm(scratch, { recursive: true, force: true });
  }
}

/** What is to be looked at of pictures without a face, as they are. */
async function tasksWithoutFaces(path: string, scratch: string, signal: AbortSignal) {
  const folder = await folderOf(path, await mkdtemp(join(scratch, 'without-')), signal);
  const { pictures } = await findPictureTree(folder);
  return pictures.map((name) => ({ kind: 'detect' as const, file: join(folder, name), pad: 0, mask: null }));
}

/** A folder as it is; of a film, its frames. Throws USAGE and TOOL_MISSING. */
async function folderOf(path: string, scratch: string, signal: AbortSignal): Promise<string> {
  const found = await stat(path).catch((error: unknown) => {
    throw new EyelineError('USAGE', `${path} cannot be read: ${messageOf(error)}`, { cause: error });
  });
  if (found.isDirectory()) return path;
  try {
    await promisify(execFile)('ffmpeg', ['-v', 'error', '-i', path, '-q:v', '2', join(scratch, '%06d.jpg')], {
      signal,
    });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new EyelineError('TOOL_MISSING', `ffmpeg could not take ${path} apart: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return scratch;
}
