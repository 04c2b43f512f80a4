import { EyelineError, messageOf } from '../../core/errors.ts';
import { renderReport } from '../../evaluation/report/html-report.ts';
import type { EvaluationReport } from '../../evaluation/report/report-model.ts';
import { writeFileAtomic } from '../../inference/files.ts';
import { chartLibrary } from '../chart-library.ts';

/** Writes a report as one HTML page with the chart library inside. Throws OUTPUT_UNWRITABLE. */
export async function writeReport(file: string, report: EvaluationReport): Promise<void> {
  const library = await chartLibrary();
  try {
    await writeFileAtomic(file, renderReport(report, library));
  } catch (error) {
    throw new EyelineError('OUTPUT_UNWRITABLE', `${file} cannot be written: ${messageOf(error)}`, { cause: error });
  }
}
