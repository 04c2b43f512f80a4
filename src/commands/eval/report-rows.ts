import type { Identification } from '../../evaluation/identify-people.ts';
import type { ReportMethod } from '../../evaluation/report/report-model.ts';
import type { Verification } from '../../evaluation/verify-pairs.ts';
import { percent } from './figures-text.ts';

/** A method's line in the table of a report, and its curves. */
export function verificationRow(name: string, figures: Verification): ReportMethod {
  const { accuracy, accuracyInterval, tar, tarInterval, eer, pairs, notFound, skipped, calibration } = figures;
  return {
    name,
    figures,
    table: {
      accuracy: percent(accuracy, accuracyInterval),
      'TAR at 1e-2': percent(tar['1e-2'], tarInterval['1e-2']),
      'TAR at 1e-3': percent(tar['1e-3'], tarInterval['1e-3']),
      'TAR at 1e-4': percent(tar['1e-4'], tarInterval['1e-4']),
      EER: percent(eer),
      ECE: percent(calibration?.ece),
      pairs: String(pairs),
      'no face': String(notFound),
      skipped: String(skipped),
    },
  };
}

/** A method's line in the table of a report, and its curves. */
export function identificationRow(name: string, figures: Identification): ReportMethod {
  const { rank1, rank1Interval, rank1Found, cmc, openSet, tar, tarInterval, calibration } = figures;
  return {
    name,
    figures,
    table: {
      'rank 1': percent(rank1, rank1Interval),
      'of faces found': percent(rank1Found),
      'rank 5': percent(cmc[4] ?? cmc.at(-1)),
      'TAR at 1e-2': percent(tar['1e-2'], tarInterval['1e-2']),
      'TAR at 1e-3': percent(tar['1e-3'], tarInterval['1e-3']),
      'FNIR at FPIR 0.1': percent(openSet['1e-1']?.fnir),
      ECE: percent(calibration?.ece),
      probes: String(figures.probes),
      'no face': String(figures.notFound),
      skipped: String(figures.skipped),
    },
  };
}
