/** A chart as the page draws it: one row of x, and a row of y for each line. */
export interface Chart {
  readonly title: string;
  readonly x: { readonly label: string; readonly log: boolean; readonly values: readonly number[] };
  /** `free`: any numbers; else shares, 0 to 1. */
  readonly y: { readonly label: string; readonly log: boolean; readonly free?: boolean };
  readonly lines: readonly ChartLine[];
}

export interface ChartLine {
  readonly name: string;
  /** A help to the eye and no measurement. */
  readonly guide: boolean;
  readonly values: readonly (number | null)[];
}
