import type { ComparisonFigures } from '../../evaluation/figures.ts';
import { FAR_KEYS, INTERVALS } from '../../evaluation/figures.ts';
import type { Identification } from '../../evaluation/identify-people.ts';
import type { Interval } from '../../evaluation/metrics/bootstrap.ts';
import type { Verification } from '../../evaluation/verify-pairs.ts';

/** A share as a reader sees it; a dash where there is none. */
export function percent(value: number | null | undefined, interval?: Interval | null): string {
  if (value === null || value === undefined) return '–';
  const shown = (share: number) => (share * 100).toFixed(2);
  return `${shown(value)} %${interval ? ` (${shown(interval[0])}–${shown(interval[1])})` : ''}`;
}

/** Lines for a terminal. */
export function verificationText(figures: Verification): string[] {
  const { pairs, genuine, impostors, skipped, pairsLeftOut, notFound, accuracy, accuracyInterval, threshold } = figures;
  return [
    `pairs      ${pairs}: ${genuine} of the same person, ${impostors} of two`,
    `left out   ${skipped} pictures missing or unreadable, ${pairsLeftOut} pairs`,
    `not found  ${notFound} pictures without a face: their pairs count as different people`,
    `accuracy   ${percent(accuracy, accuracyInterval)}, 10-fold, threshold ${threshold?.toFixed(3) ?? '–'}`,
    ...comparisonText(figures),
  ];
}

/** Lines for a terminal. */
export function identificationText(figures: Identification): string[] {
  const { people, gallery, galleryNotFound, probes, notFound, skipped, withoutGallery, cmc, openSet } = figures;
  return [
    `people     ${people}, ${gallery} faces enrolled, ${galleryNotFound} pictures without a face not enrolled`,
    `probes     ${probes}, ${notFound} of them without a face: they count as wrong`,
    `left out   ${skipped} unreadable, ${withoutGallery} of people nothing else is enrolled of`,
    `rank 1     ${percent(figures.rank1, figures.rank1Interval)}; of the faces found ${percent(figures.rank1Found)}; rank 5 ${percent(cmc[4] ?? cmc.at(-1))}`,
    `open set   FNIR ${percent(openSet['1e-1']?.fnir)} at FPIR 0.1, ${percent(openSet['1e-2']?.fnir)} at 0.01`,
    ...comparisonText(figures),
  ];
}

function comparisonText({ tar, tarInterval, thresholds, eer, calibration }: ComparisonFigures): string[] {
  return [
    ...FAR_KEYS.map((key) => {
      const at = thresholds[key] === null ? '' : `, threshold ${thresholds[key]?.toFixed(3)}`;
      const why = tar[key] === null ? ' (too few comparisons of different people)' : '';
      return `TAR        ${percent(tar[key], tarInterval[key])} at FAR ${key}${at}${why}`;
    }),
    `EER        ${percent(eer)}`,
    `calibrated ${calibration ? `to ${percent(calibration.ece)} expected error` : '–'}`,
    `           intervals: ${INTERVALS}`,
  ];
}

export interface Cost {
  /** Decode, find, landmarks, align; null when nothing was read. */
  readonly readMsPerPicture: number | null;
  readonly embedMsPerFace: number | null;
}

/** The one figure that does not repeat: time. */
export function costText({ readMsPerPicture, embedMsPerFace }: Cost): string {
  const ms = (value: number | null) => (value === null ? '–' : `${value.toFixed(1)} ms`);
  return `cost       ${ms(readMsPerPicture)} a picture until it is aligned, ${ms(embedMsPerFace)} a face to embed`;
}
