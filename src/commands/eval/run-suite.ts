import { join } from 'node:path';
import { type EvaluationSuite, loadSuite, SHIPPED_SUITE } from '../../config/evaluation-suite.ts';
import { systemClock } from '../../core/clock.ts';
import { EyelineError } from '../../core/errors.ts';
import { INTERVALS } from '../../evaluation/figures.ts';
import { type Identification, identifyPeople } from '../../evaluation/identify-people.ts';
import { readPairsFile } from '../../evaluation/pairs-file.ts';
import { readPeopleFolder } from '../../evaluation/people-folder.ts';
import type { ReportMethod, ReportSection } from '../../evaluation/report/report-model.ts';
import { type Verification, verifyPairs } from '../../evaluation/verify-pairs.ts';
import type { PicturesBeside } from '../../report/page.ts';
import type { CommandContext } from '../command.ts';
import { leftOutText } from './left-out-text.ts';
import { methodOf } from './methods.ts';
import { type ChainOptions, type OpenEvaluation, openEvaluation } from './open-evaluation.ts';
import { identificationRow, verificationRow } from './report-rows.ts';
import { mistakesOfIdentification, mistakesOfPairs } from './show-mistakes.ts';
import { PAIRS_CONDITIONS, PEOPLE_CONDITIONS, suiteTable } from './suite-table.ts';
import { TIGHT_CROP_PAD } from './tight-crops.ts';
import { checkPlace, writeMarkdown } from './write-markdown.ts';
import { writeReport } from './write-report.ts';

export interface SuiteCommand extends ChainOptions {
  readonly data: string;
  readonly suite?: string;
  readonly report?: string;
  readonly markdown?: string;
  readonly json?: boolean;
}

/** One method on one data set under one condition. */
export type SuiteRun = { readonly dataset: string; readonly condition: string; readonly method: string } & (
  | { readonly kind: 'pairs'; readonly figures: Verification }
  | { readonly kind: 'identify'; readonly figures: Identification }
);

/** `eyeline eval all`. */
export async function runSuite(options: SuiteCommand, context: CommandContext): Promise<void> {
  const loaded = await loadSuite(options.suite ?? SHIPPED_SUITE);
  if (options.markdown !== undefined) await checkPlace(options.markdown);
  const startMs = systemClock.monotonic();
  const evaluation = await openEvaluation(options, context);
  try {
    const suite = await withModels(loaded, evaluation, context);
    const { runs, sections } = await runAll(suite, options.data, evaluation, context);
    const seconds = (systemClock.monotonic() - startMs) / 1000;
    const table = suiteTable(runs, suite, options.data);
    if (options.markdown !== undefined) await writeMarkdown(options.markdown, table);
    if (options.report !== undefined) {
      const title = `Face recognition, plain and masked: ${suite.methods.length} methods`;
      await writeReport(options.report, { title, notes: [`Intervals: ${INTERVALS}.`], sections });
    }
    if (options.json) context.print(JSON.stringify({ runs, cost: { seconds, ...costOf(evaluation) } }));
    else {
      for (const line of table) context.print(line);
      context.print('');
      context.print(`${runs.length} runs in ${seconds.toFixed(0)} s. Intervals: ${INTERVALS}.`);
    }
  } finally {
    await evaluation.close();
  }
}

/** The suite without the optional methods whose models are not on this machine. Throws USAGE when none is left. */
async function withModels(
  suite: EvaluationSuite,
  { models }: OpenEvaluation,
  { warn }: CommandContext,
): Promise<EvaluationSuite> {
  const methods: EvaluationSuite['methods'] = [];
  for (const method of suite.methods) {
    if (!method.optional || (await models.has(method.encoder, method.upperEncoder))) methods.push(method);
    else warn(`left out: ${method.name}, whose model is not on this machine`);
  }
  if (methods.length === 0) throw new EyelineError('USAGE', 'the models of no method of the suite are on this machine');
  return { ...suite, methods };
}

function costOf({ shelf }: OpenEvaluation) {
  return { readMsPerPicture: shelf.msPerPicture };
}

async function runAll(suite: EvaluationSuite, data: string, evaluation: OpenEvaluation, context: CommandContext) {
  const { shelf, models } = evaluation;
  const { maskSeed, splitSeed } = suite;
  const { onProgress } = evaluation.progress;
  const runs: SuiteRun[] = [];
  const sections: ReportSection[] = [];

  for (const set of suite.pairs) {
    const pairs = await readPairsFile(join(data, set.pairs));
    for (const mask of set.mask) {
      const condition = PAIRS_CONDITIONS[mask];
      const methods: ReportMethod[] = [];
      let mistakes: readonly PicturesBeside[] = [];
      // Classifiers know people, not pairs.
      for (const { name, encoder, upperEncoder } of suite.methods.filter(
        ({ classifier }) => classifier === 'nearest',
      )) {
        const run = await verifyPairs(shelf, await models.comparer(encoder, upperEncoder), {
          images: join(data, set.images),
          pairs,
          mask,
          maskSeed,
          read: { choose: 'central', pad: set.pad },
          onProgress,
        });
        if (methods.length === 0) {
          for (const line of leftOutText(run.unreadable)) context.warn(line);
          mistakes = await mistakesOfPairs(run);
        }
        methods.push(verificationRow(name, run.figures));
        runs.push({ dataset: set.name, condition, method: name, kind: 'pairs', figures: run.figures });
      }
      sections.push({ title: `${set.name}, ${condition}`, methods, mistakes });
    }
  }

  for (const set of suite.people) {
    const { people, realMasks } = await readPeopleFolder(join(data, set.dir));
    for (const probe of set.probe) {
      const condition = PEOPLE_CONDITIONS[probe];
      const methods: ReportMethod[] = [];
      let mistakes: readonly PicturesBeside[] = [];
      for (const { name, encoder, classifier, upperEncoder } of suite.methods) {
        const { method } = await methodOf(models, encoder, classifier, upperEncoder);
        const run = await identifyPeople(shelf, method, {
          people,
          probe,
          gallery: set.gallery,
          seed: splitSeed,
          mask: 'none',
          maskSeed,
          read: { choose: 'largest', pad: set.pad ?? (realMasks ? TIGHT_CROP_PAD : 0) },
          onProgress,
        });
        if (methods.length === 0) {
          for (const line of leftOutText(run.unreadable)) context.warn(line);
          mistakes = await mistakesOfIdentification(run);
        }
        methods.push(identificationRow(name, run.figures));
        runs.push({ dataset: set.name, condition, method: name, kind: 'identify', figures: run.figures });
      }
      sections.push({ title: `${set.name}, ${condition}`, methods, mistakes });
    }
  }
  return { runs, sections };
}
