import { encodeJpeg } from '../../capture/opencv-picture.ts';
import type { PicturesBeside } from '../../report/page.ts';
import { chartPlaces, escaped, renderPage, renderPictures } from '../../report/page.ts';
import type { Example } from '../../training/recipes/lesson.ts';
import type { RunFolder } from '../../training/run/run-folder.ts';
import { trainingCharts } from '../../training/run/training-charts.ts';
import { chartLibrary } from '../chart-library.ts';

/** File of a run's folder. */
export const REPORT = 'report.html';

export interface TrainingReport {
  readonly name: string;
  readonly folder: RunFolder;
  /** How it ended, a line. */
  readonly end: string;
  readonly examples: readonly Example[];
}

/** What of a run's data the page tells. */
const COUNTS: ReadonlySet<string> = new Set([
  'pictures',
  'faces',
  'people',
  'trainedOn',
  'judgedBy',
  'picturesTrainedOn',
  'picturesJudgedBy',
]);

/**
 * Writes a run's page: curves, figures before and after, and examples, which show faces of the user's pictures and stay in the
 * run's folder. Gives its path. Throws OUTPUT_UNWRITABLE.
 */
export async function writeTrainingReport({ name, folder, end, examples }: TrainingReport): Promise<string> {
  const validations = await folder.readValidations();
  const charts = trainingCharts(await folder.readMetrics(), validations);
  const record = (await folder.readRecord()) as { command?: string; startedAt?: string; data?: object } | null;
  const data = Object.entries(record?.data ?? {})
    .filter(([key]) => COUNTS.has(key))
    .map(([key, value]) => `${key} ${value}`);
  const shown = await Promise.all(examples.map(pictured));
  const page = renderPage(
    {
      title: `Training: ${name}`,
      notes: [end, record?.command ?? '', `begun ${record?.startedAt ?? ''}; ${data.join(', ')}`],
      sections: [
        '<section>',
        '<h2>Curves</h2>',
        figuresTable(validations[0] ?? {}, (await folder.bestValidation()) ?? {}),
        chartPlaces(0, charts.length),
        '</section>',
        ...(shown.length > 0
          ? [`<section><h2>Before and after, people held out</h2>${renderPictures(shown)}</section>`]
          : []),
      ],
      charts: [charts],
    },
    await chartLibrary(),
  );
  await folder.writeFile(REPORT, page);
  return `${folder.path}/${REPORT}`;
}

/** What validations said of the model it began with, and of the best. */
function figuresTable(first: Record<string, number>, best: Record<string, number>): string {
  const names = Object.keys(first).filter((it) => it !== 'step' && it !== 'score');
  const row = (title: string, figures: Record<string, number>) =>
    `<tr><th>${escaped(title)}</th>${names.map((it) => `<td>${(figures[it] ?? 0).toFixed(4)}</td>`).join('')}</tr>`;
  const head = ['', ...names].map((it) => `<th>${escaped(it)}</th>`).join('');
  const rows = [row('before', first), row(`best, step ${best.step ?? 0}`, best)];
  return `<div class="wide"><table><tr>${head}</tr>${rows.join('')}</table></div>`;
}

async function pictured({ title, pictures }: Example): Promise<PicturesBeside> {
  return {
    title,
    pictures: await Promise.all(
      pictures.map(async ({ caption, image }) => ({ caption, jpeg: await encodeJpeg(image.rgb, image) })),
    ),
  };
}
