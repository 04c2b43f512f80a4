import { type MaskFigures, maskConfusion } from '../../evaluation/mask-confusion.ts';
import { readPeopleFolder } from '../../evaluation/people-folder.ts';
import { MASK_STATES } from '../../faces/mask-state.ts';
import type { CommandContext } from '../command.ts';
import { percent } from './figures-text.ts';
import { leftOutText } from './left-out-text.ts';
import { type ChainOptions, openEvaluation } from './open-evaluation.ts';
import { TIGHT_CROP_PAD } from './tight-crops.ts';

export interface MaskCommand extends ChainOptions {
  readonly dir: string;
  readonly simulate?: boolean;
  readonly maskSeed: number;
  readonly pad?: number;
  readonly mistakes?: boolean;
  readonly json?: boolean;
}

/** `eyeline eval mask`. */
export async function runMask(options: MaskCommand, context: CommandContext): Promise<void> {
  const { dir, simulate = false, maskSeed, json } = options;
  const { people, realMasks } = await readPeopleFolder(dir);
  const pad = options.pad ?? (realMasks ? TIGHT_CROP_PAD : 0);
  const evaluation = await openEvaluation(options, context);
  try {
    const { figures, mistakes, unreadable } = await maskConfusion(evaluation.shelf, {
      people,
      simulate: simulate ? { seed: maskSeed } : null,
      read: { choose: realMasks ? 'largest' : 'central', pad, cropPx: 112, alignedBy: [] },
      onProgress: evaluation.progress.onProgress,
    });
    for (const line of leftOutText(unreadable)) context.warn(line);
    const shown = options.mistakes ? mistakes : [];
    if (json) {
      context.print(JSON.stringify({ dir, simulate, pad, ...figures, ...(options.mistakes && { mistakes }) }));
      return;
    }
    for (const line of maskText(figures)) context.print(line);
    for (const { file, truth, told, confidence } of shown) {
      context.print(`mistake    ${file}: ${truth}, told ${told} (${percent(confidence)})`);
    }
  } finally {
    await evaluation.close();
  }
}

function maskText({ confusion, faces, noneAgainstMask, balanced, notFound, skipped }: MaskFigures): string[] {
  const cells = (values: readonly (string | number)[]) => values.map((value) => String(value).padStart(10)).join('');
  return [
    `faces      ${faces}, ${notFound} pictures without a face, ${skipped} unreadable`,
    `told ${cells(MASK_STATES)}`,
    ...MASK_STATES.map(
      (truth) => `${truth.padEnd(11)}${cells(MASK_STATES.map((told) => confusion[truth][told])).slice(6)}`,
    ),
    `mask?      ${percent(noneAgainstMask)} right whether there is a mask at all`,
    `state      ${percent(balanced)} right of all states, each weighing the same`,
  ];
}
