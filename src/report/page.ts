import type { Chart } from './chart.ts';
import { PAGE_SCRIPT } from './page-script.ts';
import { PAGE_STYLE } from './page-style.ts';

/** Source of the chart library, put into the page. */
export interface ChartLibrary {
  readonly script: string;
  readonly style: string;
}

export interface Page {
  readonly title: string;
  readonly notes: readonly string[];
  /** HTML; where a chart shall be there is what `chartPlaces` gives. */
  readonly sections: readonly string[];
  /** Of each section. */
  readonly charts: readonly (readonly Chart[])[];
}

/** One HTML page with charts that needs nothing else and asks nothing of any network. */
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

/** Pictures side by side under one title. */
export interface PicturesBeside {
  readonly title: string;
  readonly pictures: readonly { readonly caption: string; readonly jpeg: Uint8Array }[];
}

/** Pictures side by side, several in a row. */
export function renderPictures(list: readonly PicturesBeside[]): string {
  const figures = list.map(({ title, pictures }) => {
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
