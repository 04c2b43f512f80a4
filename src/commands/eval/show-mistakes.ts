import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { decodePicture, encodeJpeg } from '../../capture/opencv-picture.ts';
import type { ReadPicture } from '../../evaluation/face-source.ts';
import type { IdentificationRun } from '../../evaluation/identify-people.ts';
import type { VerificationRun } from '../../evaluation/verify-pairs.ts';
import type { PicturesBeside } from '../../report/page.ts';

/** Mistakes of each kind that are shown. */
const SHOWN = 12;
/** Side of a picture in the report, pixels. */
const SIDE = 112;
const JPEG_QUALITY = 80;

/** Pairs told wrong at the mean threshold of the folds: those of one person that score least, of two that score most. */
export async function mistakesOfPairs({ pairs, figures }: VerificationRun): Promise<PicturesBeside[]> {
  const threshold = figures.threshold ?? Number.POSITIVE_INFINITY;
  const wrong = pairs.filter(({ same, score }) => score >= threshold !== same);
  const shown = [
    ...wrong
      .filter(({ same }) => same)
      .sort((one, other) => one.score - other.score)
      .slice(0, SHOWN),
    ...wrong
      .filter(({ same }) => !same)
      .sort((one, other) => other.score - one.score)
      .slice(0, SHOWN),
  ];
  return Promise.all(
    shown.map(async ({ same, score, a, b }) => ({
      title: `${same ? 'one person, taken for two' : 'two people, taken for one'}: ${scoreText(score)}`,
      pictures: [await shownPicture(a, nameOf(a)), await shownPicture(b, nameOf(b))],
    })),
  );
}

/** Probes taken for somebody else, the surest first: the probe, who it was taken for, and its own person's best face. */
export async function mistakesOfIdentification(run: IdentificationRun): Promise<PicturesBeside[]> {
  const probes = Array.from({ length: run.figures.probes }, (_, index) => run.probe(index));
  const margin = ({ own, other }: (typeof probes)[number]) => (other?.score ?? -1) - (own?.score ?? -1);
  const wrong = probes.filter(({ right, picture }) => !right && picture.face).sort((a, b) => margin(b) - margin(a));
  const missed = probes.filter(({ picture }) => !picture.face);
  const confused = await Promise.all(
    wrong.slice(0, SHOWN).map(async ({ picture, person, own, other }) => ({
      title: `${person} taken for ${other?.person ?? 'nobody'}`,
      pictures: [
        await shownPicture(picture, `probe, ${nameOf(picture)}`),
        ...(other ? [await shownPicture(other.picture, `${other.person}, ${scoreText(other.score)}`)] : []),
        ...(own ? [await shownPicture(own.picture, `${person}, ${scoreText(own.score)}`)] : []),
      ],
    })),
  );
  const unseen = await Promise.all(
    missed.slice(0, SHOWN).map(async ({ picture, person }) => ({
      title: `no face found of ${person}`,
      pictures: [await shownPicture(picture, nameOf(picture))],
    })),
  );
  return [...confused, ...unseen];
}

/** The face as the encoder had it, or the whole picture small where none was found. */
async function shownPicture(picture: ReadPicture, caption: string): Promise<PicturesBeside['pictures'][number]> {
  const [crop] = Object.values(picture.face?.crops ?? {});
  if (crop) {
    const side = Math.round(Math.sqrt(crop.length / 3));
    return { caption, jpeg: await encodeJpeg(crop, { width: side, height: side }, JPEG_QUALITY) };
  }
  const whole = await decodePicture(await readFile(picture.file), picture.file);
  try {
    const size = { width: SIDE, height: SIDE };
    return { caption: `${caption}, no face`, jpeg: await encodeJpeg(await whole.fit(size), size, JPEG_QUALITY) };
  } finally {
    whole.release();
  }
}

function nameOf({ file }: ReadPicture): string {
  return `${basename(dirname(file))}/${basename(file)}`;
}

function scoreText(score: number): string {
  return score <= -1 ? 'no face found' : `score ${score.toFixed(2)}`;
}
