import { EyelineError } from '../../core/errors.ts';
import { INTERVALS } from '../../evaluation/figures.ts';
import { identifyPeople } from '../../evaluation/identify-people.ts';
import { readPeopleFolder } from '../../evaluation/people-folder.ts';
import type { MaskedSide } from '../../evaluation/verify-pairs.ts';
import { evenly } from '../../pictures/picture-tree.ts';
import type { CommandContext } from '../command.ts';
import { costText, identificationText } from './figures-text.ts';
import { leftOutText } from './left-out-text.ts';
import { isClassifier, learnedMethodOf, methodOf } from './methods.ts';
import { type ChainOptions, openEvaluation } from './open-evaluation.ts';
import { identificationRow } from './report-rows.ts';
import { mistakesOfIdentification } from './show-mistakes.ts';
import { TIGHT_CROP_PAD } from './tight-crops.ts';
import { writeReport } from './write-report.ts';

export interface IdentifyCommand extends ChainOptions {
  readonly dir: string;
  readonly encoder: string;
  /** One of `CLASSIFIERS`, or the folder of a run. */
  readonly classifier: string;
  readonly probe?: 'masked' | 'plain';
  readonly gallery: 'plain' | 'mixed';
  readonly splitSeed: number;
  readonly mask: MaskedSide;
  readonly maskSeed: number;
  readonly pad?: number;
  readonly limit?: number;
  readonly report?: string;
  readonly json?: boolean;
}

/** `eyeline eval identify`. */
export async function runIdentify(options: IdentifyCommand, context: CommandContext): Promise<void> {
  const { dir, encoder: id, classifier, gallery, splitSeed, mask, maskSeed, json } = options;
  const { people: all, realMasks, ignored } = await readPeopleFolder(dir);
  const people = evenly(all, options.limit);
  const pad = options.pad ?? (realMasks ? TIGHT_CROP_PAD : 0);
  const probe = options.probe ?? (realMasks ? 'masked' : 'plain');
  if (probe === 'masked' && mask !== 'none') {
    throw new EyelineError('USAGE', `--mask ${mask} is for --probe plain: masked probes wear a mask already`);
  }
  const evaluation = await openEvaluation(options, context);
  try {
    const { shelf, models } = evaluation;
    const names = people.map(({ person }) => person);
    const { method, encoder } = isClassifier(classifier)
      ? await methodOf(models, id, classifier)
      : { method: await learnedMethodOf(models, { folder: classifier, encoder: id, dir, names }), encoder: null };
    const run = await identifyPeople(shelf, method, {
      people,
      probe,
      gallery,
      seed: splitSeed,
      mask,
      maskSeed,
      read: { choose: 'largest', pad },
      onProgress: evaluation.progress.onProgress,
    });
    for (const path of ignored) context.warn(`left out: ${path} is in no person's folder`);
    for (const line of leftOutText(run.unreadable)) context.warn(line);
    const cost = { readMsPerPicture: shelf.msPerPicture, embedMsPerFace: encoder?.msPerFace ?? null };
    const asked = { encoder: id, classifier, probe, galleryKind: gallery, mask, pad };
    if (options.report !== undefined) {
      const section = `${probe} probes, ${gallery} gallery, simulated mask: ${mask}`;
      await writeReport(options.report, {
        title: `Identification: ${dir}`,
        notes: [`encoder ${id}, ${classifier}, border ${pad}; intervals: ${INTERVALS}`],
        sections: [
          {
            title: section,
            methods: [identificationRow(method.id, run.figures)],
            mistakes: await mistakesOfIdentification(run),
          },
        ],
      });
    }
    if (json) context.print(JSON.stringify({ ...asked, ...run.figures, ignored: ignored.length, cost }));
    else {
      context.print(`encoder    ${id}, ${classifier}; ${probe} probes, ${gallery} gallery, simulated mask: ${mask}`);
      for (const line of identificationText(run.figures)) context.print(line);
      context.print(costText(cost));
    }
  } finally {
    await evaluation.close();
  }
}
