import { type ChartLibrary, chartPlaces, escaped, renderPage, renderPictures } from '../../report/page.ts';
import { chartsOf } from './chart-data.ts';
import type { EvaluationReport, ReportMethod, ReportSection } from './report-model.ts';

/** One HTML page that needs nothing else and asks nothing of any network. */
export function renderReport(report: EvaluationReport, library: ChartLibrary): string {
  const charts = report.sections.map(({ methods }) => chartsOf(methods));
  const sections = report.sections.map((section, at) => renderSection(section, at, charts[at]?.length ?? 0));
  return renderPage({ title: report.title, notes: report.notes, sections, charts }, library);
}

function renderSection({ title, methods, mistakes }: ReportSection, section: number, charts: number): string {
  const first = methods[0]?.name ?? '';
  return [
    '<section>',
    `<h2>${escaped(title)}</h2>`,
    renderTable(methods),
    chartPlaces(section, charts),
    ...(mistakes.length > 0
      ? [`<h3>Worst mistakes${methods.length > 1 ? ` of ${escaped(first)}` : ''}</h3>`, renderPictures(mistakes)]
      : []),
    '</section>',
  ].join('\n');
}

function renderTable(methods: readonly ReportMethod[]): string {
  const columns = [...new Set(methods.flatMap(({ table }) => Object.keys(table)))];
  const head = ['method', ...columns].map((name) => `<th>${escaped(name)}</th>`).join('');
  const rows = methods.map(({ name, table }) => {
    const cells = columns.map((column) => `<td>${escaped(table[column] ?? '–')}</td>`);
    return `<tr><th>${escaped(name)}</th>${cells.join('')}</tr>`;
  });
  return `<div class="wide"><table><tr>${head}</tr>${rows.join('')}</table></div>`;
}
