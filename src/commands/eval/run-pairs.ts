import { INTERVALS } from '../../evaluation/figures.ts';
import { readPairsFile } from '../../evaluation/pairs-file.ts';
import { type MaskedSide, verifyPairs } from '../../evaluation/verify-pairs.ts';
import type { CommandContext } from '../command.ts';
import { costText, verificationText } from './figures-text.ts';
import { leftOutText } from './left-out-text.ts';
import { type ChainOptions, openEvaluation } from './open-evaluation.ts';
import { verificationRow } from './report-rows.ts';
import { mistakesOfPairs } from './show-mistakes.ts';
import { writeReport } from './write-report.ts';

export interface PairsCommand extends ChainOptions {
  readonly images: string;
  readonly pairs: string;
  readonly encoder: string;
  readonly mask: MaskedSide;
  readonly maskSeed: number;
  readonly pad: number;
  readonly report?: string;
  readonly json?: boolean;
}

/** `eyeline eval pairs`. */
export async function runPairs(options: PairsCommand, context: CommandContext): Promise<void> {
  const { images, encoder: id, mask, maskSeed, pad, json } = options;
  const pairs = await readPairsFile(options.pairs);
  const evaluation = await openEvaluation(options, context);
  try {
    const { shelf, models } = evaluation;
    const encoder = await models.comparer(id);
    const run = await verifyPairs(shelf, encoder, {
      images,
      pairs,
      mask,
      maskSeed,
      read: { choose: 'central', pad },
      onProgress: evaluation.progress.onProgress,
    });
    for (const line of leftOutText(run.unreadable)) context.warn(line);
    const cost = { readMsPerPicture: shelf.msPerPicture, embedMsPerFace: encoder.msPerFace };
    if (options.report !== undefined) {
      await writeReport(options.report, {
        title: `Verification: ${options.pairs}`,
        notes: [`encoder ${id}, simulated mask: ${mask}; intervals: ${INTERVALS}`],
        sections: [
          { title: 'Pairs', methods: [verificationRow(id, run.figures)], mistakes: await mistakesOfPairs(run) },
        ],
      });
    }
    if (json) context.print(JSON.stringify({ encoder: id, mask, ...run.figures, cost }));
    else {
      context.print(`encoder    ${id}, simulated mask: ${mask}`);
      for (const line of verificationText(run.figures)) context.print(line);
      context.print(costText(cost));
    }
  } finally {
    await evaluation.close();
  }
}
