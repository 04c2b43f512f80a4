import { join } from 'node:path';
import type { EvaluationSuite } from '../../config/evaluation-suite.ts';
import type { SuiteRun } from './run-suite.ts';

/** A data set under one condition, with the command that prints a figure of it but for what names the method. */
export interface SuiteColumn {
  readonly dataset: string;
  readonly condition: string;
  readonly command: string;
}

/**
 * Two Markdown tables: a row a method, a column a data set and condition, with accuracy or rank 1, and TAR at FAR 1e-3 or
 * 1e-2; then a row a column, with the command that prints it, and how much data it stands on.
 */
export function suiteTable(runs: readonly SuiteRun[], suite: EvaluationSuite, data: string): string[] {
  const columns = suiteColumns(suite, data);
  const runAt = (method: string, { dataset, condition }: SuiteColumn) =>
    runs.find((run) => run.method === method && run.dataset === dataset && run.condition === condition);
  const title = ({ dataset, condition }: SuiteColumn) => `${dataset}: ${condition}`;
  const methods = suite.methods.map(({ name, ...method }) => [
    name,
    `\`${methodText(method)}\``,
    ...columns.map((column) => {
      const run = runAt(name, column);
      return run ? figuresOf(run) : '–';
    }),
  ]);
  const sources = columns.map((column) => {
    const [run] = runs.filter((it) => it.dataset === column.dataset && it.condition === column.condition);
    return [title(column), `\`${column.command} METHOD\``, ...(run ? extentOf(run) : ['–', '–'])];
  });
  return [
    ...markdown(['method', 'METHOD', ...columns.map(title)], methods),
    '',
    ...markdown(['column', 'command', 'of', `first figure of ${suite.methods[0]?.name}, 95 %`], sources),
  ];
}

/** Data sets under their conditions, in the order they are measured. */
export function suiteColumns(suite: EvaluationSuite, data: string): SuiteColumn[] {
  const at = (path: string) => join(data, path);
  const padded = (pad: number | undefined, usual: number | undefined) =>
    pad === undefined || pad === usual ? '' : ` --pad ${pad}`;
  return [
    ...suite.pairs.flatMap(({ name, images, pairs, mask, pad }) =>
      mask.map((who) => ({
        dataset: name,
        condition: PAIRS_CONDITIONS[who],
        command: `eyeline eval pairs --images ${at(images)} --pairs ${at(pairs)} --mask ${who}${padded(pad, 0)}`,
      })),
    ),
    ...suite.people.flatMap(({ name, dir, probe, gallery, pad }) =>
      probe.map((kind) => ({
        dataset: name,
        condition: PEOPLE_CONDITIONS[kind],
        command: `eyeline eval identify --dir ${at(dir)} --probe ${kind}${gallery === 'plain' ? '' : ` --gallery ${gallery}`}${padded(pad, undefined)}`,
      })),
    ),
  ];
}

export const PAIRS_CONDITIONS = { none: 'plain', probe: 'masked probe', both: 'both masked' } as const;
export const PEOPLE_CONDITIONS = { masked: 'masked against plain', plain: 'plain against plain' } as const;

function methodText({ encoder, upperEncoder, classifier }: Omit<EvaluationSuite['methods'][number], 'name'>): string {
  const upper = upperEncoder === undefined ? '' : ` --upper-encoder ${upperEncoder ?? 'none'}`;
  return `--encoder ${encoder}${upper}${classifier === 'nearest' ? '' : ` --classifier ${classifier}`}`;
}

function figuresOf(run: SuiteRun): string {
  return run.kind === 'pairs'
    ? `${percent(run.figures.accuracy)} / ${percent(run.figures.tar['1e-3'])}`
    : `${percent(run.figures.rank1)} / ${percent(run.figures.tar['1e-2'])}`;
}

function extentOf(run: SuiteRun): [string, string] {
  const { notFound } = run.figures;
  const interval = run.kind === 'pairs' ? run.figures.accuracyInterval : run.figures.rank1Interval;
  return [
    `${run.kind === 'pairs' ? `${run.figures.pairs} pairs` : `${run.figures.probes} probes`}, ${notFound} ${notFound === 1 ? 'face' : 'faces'} not found`,
    interval ? interval.map(percent).join(' to ') : '–',
  ];
}

function percent(value: number | null): string {
  return value === null ? '–' : (value * 100).toFixed(1);
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`);
}
