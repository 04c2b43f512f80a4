import type { Chart } from '../../report/chart.ts';

type Row = Readonly<Record<string, number>>;

/** Points of a curve at most: of more, so many neighbours are averaged. */
const MOST_POINTS = 300;
/** Figures of a validation that are shares and stand in one chart. */
const SHARE = /tar|recall|accuracy|rank/i;

/**
 * The curves of a run: loss, learning rate, and what validations said. A curve of one point is none.
 *
 * @param metrics     a row a step
 * @param validations a row a validation
 */
export function trainingCharts(metrics: readonly Row[], validations: readonly Row[]): Chart[] {
  const steps = thinned(metrics);
  const shares = namesOf(validations).filter((name) => SHARE.test(name));
  const others = namesOf(validations).filter((name) => !SHARE.test(name) && name !== 'score' && name !== 'step');
  const losses = namesOf(metrics).filter((name) => !['step', 'learningRate', 'gradientNorm', 'ms'].includes(name));
  return [
    chart('Loss', steps, ['loss', ...losses.filter((name) => name !== 'loss')], true),
    ...(shares.length > 0 ? [chart('Validation', validations, shares, false)] : []),
    ...(others.length > 0 ? [chart('Validation, other figures', validations, others, true)] : []),
    chart('Learning rate', steps, ['learningRate'], true),
  ].filter(({ x }) => x.values.length > 1);
}

function chart(title: string, rows: readonly Row[], names: readonly string[], free: boolean): Chart {
  return {
    title,
    x: { label: 'step', log: false, values: rows.map(({ step = 0 }) => step) },
    y: { label: free ? '' : 'share', log: false, free },
    lines: names.map((name) => ({ name, guide: false, values: rows.map((row) => row[name] ?? null) })),
  };
}

function namesOf(rows: readonly Row[]): string[] {
  return [...new Set(rows.flatMap((row) => Object.keys(row)))];
}

/** Means of so many steps that few points are left. */
function thinned(rows: readonly Row[]): Row[] {
  const width = Math.ceil(rows.length / MOST_POINTS);
  if (width <= 1) return [...rows];
  return Array.from({ length: Math.ceil(rows.length / width) }, (_, at) => {
    const some = rows.slice(at * width, (at + 1) * width);
    return Object.fromEntries(
      namesOf(some).map((name) => [name, some.reduce((sum, row) => sum + (row[name] ?? 0), 0) / some.length]),
    );
  });
}
