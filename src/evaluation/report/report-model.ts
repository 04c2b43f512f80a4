import type { PicturesBeside } from '../../report/page.ts';
import type { ComparisonFigures, IdentificationFigures } from '../figures.ts';

/** What a report shows: sections of one data set under one condition each, in which methods are compared. */
export interface EvaluationReport {
  readonly title: string;
  /** How it was made: the command, and what the figures mean. */
  readonly notes: readonly string[];
  readonly sections: readonly ReportSection[];
}

export interface ReportSection {
  readonly title: string;
  readonly methods: readonly ReportMethod[];
  /** The worst mistakes of the first method. */
  readonly mistakes: readonly PicturesBeside[];
}

export interface ReportMethod {
  readonly name: string;
  /** Figures of a table, by the head of their column. */
  readonly table: Readonly<Record<string, string>>;
  readonly figures: Pick<ComparisonFigures, 'roc' | 'calibration'> & Partial<Pick<IdentificationFigures, 'cmc'>>;
}
