import { type Chart, chartsOf } from './chart-data.ts';
import { PAGE_SCRIPT } from './page-script.ts';
import { PAGE_STYLE } from './page-style.ts';
import type { EvaluationReport, Mistake, ReportMethod, ReportSection } from './report-model.ts';

/** Source of the chart library, put into the page. */
export interface ChartLibrary {
  readonly script: string;
  readonly style: string;
}

/** One HTML page that needs nothing else and asks nothing of any network. */
export function renderReport(report: EvaluationReport, library: ChartLibrary): string {
  const charts = report.sections.map(({ methods }) => chartsOf(methods));
  const sections = report.sections.map((section, at) => renderSection(section, at, charts[at]?.length ?? 0));
  return renderPage({ title: report.title, notes: report.notes, sections, charts }, library);
}

export interface Page {
  readonly title: string;
  readonly notes: readonly string[];
  /** HTML; where a chart shall be there is what `chartPlaces` gives. */
  readonly sections: readonly string[];
  /** Of each section. */
  readonly charts: readonly (readonly Chart[])[];
}

/** A page with charts, all that it needs inside. */
export function renderPage({ title, notes, sections, charts }: Page, library: ChartLibrary): string {
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:">`,
    '<meta name="viewport" content="width=device-width">',
    `<title>${escaped(title)}</title>`,
    `<style>${library.style}\n${PAGE_STYLE}</style>`,
    `<h1>${escaped(title)}</h1>`,
    ...notes.map((note) => `<p class="note">${escaped(note)}</p>`),
    ...sections,
    `<script type="application/json" id="charts">${JSON.stringify(charts).replaceAll('<', '\\u003c')}</script>`,
    `<script>${library.script}</script>`,
    `<script>${PAGE_SCRIPT}</script>`,
    '</html>',
    '',
  ].join('\n');
}

/** Where the charts of a section come. */
export function chartPlaces(section: number, charts: number): string {
  const places = Array.from(
    { length: charts },
    (_, chart) => `<div class="chart" id="chart-${section}-${chart}"></div>`,
  );
  return `<div class="charts">${places.join('')}</div>`;
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

/** Pictures side by side, several in a row. */
export function renderPictures(mistakes: readonly Mistake[]): string {
  const figures = mistakes.map(({ title, pictures }) => {
    const images = pictures.map(({ caption, jpeg }) => {
      const data = Buffer.from(jpeg).toString('base64');
      return `<div><img alt="" src="data:image/jpeg;base64,${data}"><span>${escaped(caption)}</span></div>`;
    });
    return `<figure><figcaption>${escaped(title)}</figcaption><div class="pair">${images.join('')}</div></figure>`;
  });
  return `<div class="mistakes">${figures.join('\n')}</div>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign);
}
