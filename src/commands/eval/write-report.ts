import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { EyelineError, messageOf } from '../../core/errors.ts';
import { type ChartLibrary, renderReport } from '../../evaluation/report/html-report.ts';
import type { EvaluationReport } from '../../evaluation/report/report-model.ts';
import { writeFileAtomic } from '../../inference/files.ts';

/** Writes a report as one HTML page with the chart library inside. Throws OUTPUT_UNWRITABLE. */
export async function writeReport(file: string, report: EvaluationReport): Promise<void> {
  const library = await chartLibrary();
  try {
    await writeFileAtomic(file, renderReport(report, library));
  } catch (error) {
    throw new EyelineError('OUTPUT_UNWRITABLE', `${file} cannot be written: ${messageOf(error)}`, { cause: error });
  }
}

/** The chart library as text, to be put into pages. */
export async function chartLibrary(): Promise<ChartLibrary> {
  const { resolve } = createRequire(import.meta.url);
  return {
    script: await readFile(resolve('uplot/dist/uPlot.iife.min.js'), 'utf8'),
    style: await readFile(resolve('uplot/dist/uPlot.min.css'), 'utf8'),
  };
}
