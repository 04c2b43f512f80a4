import type { Logger } from '../core/logger.ts';
import { rounded } from '../core/statistics.ts';
import { LEAST_PEOPLE } from '../faces/adapt-curve.ts';
import type { AdaptedEncoder } from './decision-parts.ts';

/** How much more alike the people of a gallery are than those the scores were measured on, as it is told. */
export interface AdaptationReport {
  /** Id of the encoder. */
  readonly encoder: string;
  /** People it was told from; null when they are too few to tell. */
  readonly people: number | null;
  /** How much higher a score has to be for the rate it stood for, in the middle of strangers' scores; 0 and more. */
  readonly raisedBy: number;
  /** How many times as wide strangers' scores are taken to be spread. */
  readonly spread: number;
  /** Share of scores left out since they look like one person under two names. */
  readonly leftOut: number;
}

/** A change of the raise that is told again. */
const WORTH_TELLING = 0.005;

export function adaptationReport({ id, among, alikeness, raisedBy }: AdaptedEncoder): AdaptationReport {
  return {
    encoder: id,
    people: among?.people ?? null,
    raisedBy: rounded(raisedBy, 3),
    spread: rounded(alikeness?.spread ?? 1, 2),
    leftOut: rounded(among?.leftOut ?? 0, 4),
  };
}

/**
 * Logs what the gallery made of the scores whenever that changed: that the people are more alike, or that they are too few to tell, when
 * the false accept rate holds for a mixed public only.
 */
export function tellAdaptation(
  logger: Pick<Logger, 'info' | 'warn'>,
): (reports: readonly AdaptationReport[], people: number) => void {
  const told = new Map<string, AdaptationReport>();
  return (reports, enrolled) => {
    for (const report of reports) {
      const before = told.get(report.encoder);
      const { people, raisedBy, spread, encoder } = report;
      if (before && (before.people === null) === (people === null) && !differs(before, report)) continue;
      told.set(encoder, report);
      const fields = { part: 'gallery', ...report };
      if (people === null) {
        if (enrolled === 0) {
          told.delete(encoder);
          continue;
        }
        logger.warn(
          fields,
          `gallery: fewer than ${LEAST_PEOPLE} people cannot tell whether those who come here are more alike than those the scores of ` +
            `${encoder} were measured on: recognition.falseAcceptRate holds for a mixed public; of one population more strangers may be ` +
            'named (eyeline calibrate on people like those who come)',
        );
      } else if (raisedBy > 0 || spread > 1) {
        logger.info(
          fields,
          `gallery: its ${people} people are more alike than those the scores of ${encoder} were measured on: scores must be ${raisedBy} ` +
            `higher${spread > 1 ? `, and more at strict rates (spread ${spread})` : ''}`,
        );
      } else {
        logger.info(
          fields,
          `gallery: its ${people} people are no more alike than those the scores of ${encoder} were measured on`,
        );
      }
    }
  };
}

function differs(before: AdaptationReport, now: AdaptationReport): boolean {
  return Math.abs(before.raisedBy - now.raisedBy) >= WORTH_TELLING || before.spread !== now.spread;
}
