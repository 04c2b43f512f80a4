import type { Logger } from '../core/logger.ts';

/**
 * A listener for new galleries that warns, once each time it comes to that, when a gallery holds more templates than the
 * false accept rate was measured for: nobody is named wrongly for it, but people are named later or not at all.
 *
 * @param templatesMeasured see DecisionParts
 */
export function warnOfLargeGallery(
  logger: Pick<Logger, 'warn'>,
  falseAcceptRate: number,
  templatesMeasured: number,
): (gallery: { readonly templateCount: number }) => void {
  let large = false;
  return ({ templateCount }) => {
    const now = templateCount > templatesMeasured;
    if (now && !large) {
      logger.warn(
        { part: 'gallery', templates: templateCount, measured: templatesMeasured },
        `gallery: recognition.falseAcceptRate ${falseAcceptRate} was measured for up to ${templatesMeasured} templates and this ` +
          `gallery has ${templateCount}: people are named only after several looks that all fit, or not at all. Enrol fewer ` +
          'pictures a person, split the gallery by site, or calibrate on more people (eyeline calibrate)',
      );
    }
    large = now;
  };
}
