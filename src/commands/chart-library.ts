import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { ChartLibrary } from '../report/page.ts';

/** The chart library as text, to be put into pages. */
export async function chartLibrary(): Promise<ChartLibrary> {
  const { resolve } = createRequire(import.meta.url);
  return {
    script: await readFile(resolve('uplot/dist/uPlot.iife.min.js'), 'utf8'),
    style: await readFile(resolve('uplot/dist/uPlot.min.css'), 'utf8'),
  };
}
