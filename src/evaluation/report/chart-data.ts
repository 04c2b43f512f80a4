import type { Chart } from '../../report/chart.ts';
import type { Reliability } from '../metrics/calibration.ts';
import type { RocPoint } from '../metrics/roc.ts';
import type { ReportMethod } from './report-model.ts';

const FAR_FROM = 1e-5;
const FAR_STEPS = 200;
/** A bin of fewer comparisons says nothing. */
const LEAST_IN_BIN = 5;

/** Every chart that the methods have figures for: ROC and DET, CMC, reliability. */
export function chartsOf(methods: readonly ReportMethod[]): Chart[] {
  const rates = Array.from({ length: FAR_STEPS + 1 }, (_, at) => FAR_FROM ** (1 - at / FAR_STEPS));
  const curves = methods.filter(({ figures }) => figures.roc.length > 0);
  const overRates = (title: string, label: string, log: boolean, of: (tar: number) => number | null): Chart => ({
    title,
    x: { label: 'false accept rate', log: true, values: rates },
    y: { label, log },
    lines: curves.map(({ name, figures }) => ({
      name,
      guide: false,
      values: rates.map((rate) => {
        const tar = tarAt(figures.roc, rate);
        return tar === null ? null : of(tar);
      }),
    })),
  });
  const charts: Chart[] = [];
  if (curves.length > 0) {
    charts.push(overRates('ROC', 'true accept rate', false, (tar) => tar));
    // A rate of nothing has no place on a logarithmic axis.
    charts.push(overRates('DET', 'false non-match rate', true, (tar) => (tar < 1 ? 1 - tar : null)));
  }
  const ranked = methods.filter(({ figures }) => figures.cmc !== undefined);
  if (ranked.length > 0) charts.push(cmcChart(ranked));
  const calibrated = methods.filter(({ figures }) => figures.calibration !== null);
  if (calibrated.length > 0) charts.push(reliabilityChart(calibrated));
  return charts;
}

/**
 * The true accept rate at the last operating point whose false accept rate is not above `rate`; null below the least rate
 * that the comparisons can tell.
 */
export function tarAt(roc: readonly RocPoint[], rate: number): number | null {
  const least = roc.find(({ far }) => far > 0)?.far;
  if (least !== undefined && rate < least / 2) return null;
  let tar: number | null = null;
  for (const point of roc) {
    if (point.far > rate) break;
    tar = point.tar;
  }
  return tar;
}

function cmcChart(methods: readonly ReportMethod[]): Chart {
  const depth = Math.max(...methods.map(({ figures }) => figures.cmc?.length ?? 0));
  return {
    title: 'CMC',
    x: { label: 'rank', log: false, values: Array.from({ length: depth }, (_, at) => at + 1) },
    y: { label: 'share of probes identified', log: false },
    lines: methods.map(({ name, figures }) => ({
      name,
      guide: false,
      values: Array.from({ length: depth }, (_, at) => figures.cmc?.[at] ?? null),
    })),
  };
}

function reliabilityChart(methods: readonly ReportMethod[]): Chart {
  const binsOf = (calibration: Reliability | null) => calibration?.bins ?? [];
  const middles = binsOf(methods[0]?.figures.calibration ?? null).map(({ from, to }) => (from + to) / 2);
  return {
    title: 'Reliability',
    x: { label: 'predicted probability', log: false, values: middles },
    y: { label: 'share that is the same person', log: false },
    lines: [
      { name: 'perfect', guide: true, values: middles },
      ...methods.map(({ name, figures }) => ({
        name,
        guide: false,
        values: binsOf(figures.calibration).map(({ observed, count }) => (count < LEAST_IN_BIN ? null : observed)),
      })),
    ],
  };
}
