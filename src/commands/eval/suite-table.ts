import type { SuiteRun } from './run-suite.ts';

/** A Markdown table: a row a method, a column a data set and condition; accuracy or rank 1, and TAR at FAR 1e-2. */
export function suiteTable(runs: readonly SuiteRun[]): string[] {
  const columns = distinct(runs.map(({ dataset, condition }) => `${dataset}: ${condition}`));
  const cells = new Map(runs.map((run) => [`${run.method}|${run.dataset}: ${run.condition}`, cellOf(run)]));
  const rows = distinct(runs.map(({ method }) => method)).map((method) => [
    method,
    ...columns.map((column) => cells.get(`${method}|${column}`) ?? '–'),
  ]);
  const head = ['method', ...columns];
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`);
}

function cellOf(run: SuiteRun): string {
  const share = (value: number | null) => (value === null ? '–' : (value * 100).toFixed(1));
  const first = run.kind === 'pairs' ? run.figures.accuracy : run.figures.rank1;
  return `${share(first)} / ${share(run.figures.tar['1e-2'])}`;
}

function distinct(names: readonly string[]): string[] {
  return [...new Set(names)];
}
